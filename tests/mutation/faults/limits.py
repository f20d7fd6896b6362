"""Limits: rates, cost budgets, document limits."""

from tests.mutation.fault import Fault

RATES = ("tests/engine/test_limits.py",)
OPERATIONS = ("tests/server/test_operation_limits.py",)

FAULTS = [
    Fault(
        "a rate counts a burst as one request",
        "core/security/limits.py",
        "arrival = arrival + interval * count\nredis.call",
        "arrival = arrival + interval\nredis.call",
        RATES,
    ),
    Fault(
        "a used up rate is good again after a second",
        "core/security/limits.py",
        "'PX', math.ceil(arrival - now) + 1000)",
        "'PX', 1000)",
        RATES,
    ),
    Fault(
        "without Redis nothing is limited",
        "core/security/limits.py",
        "        if allowed_at > now:\n            return 0, allowed_at - now, 0, arrival - now\n        arrival = self",
        "        arrival = self",
        (*RATES, "tests/engine/test_redis_lost.py"),
    ),
    Fault(
        "two people share a rate",
        "core/security/limits.py",
        'key = f"rate:{rate.name}:{subject}"',
        'key = f"rate:{rate.name}"',
        RATES,
    ),
    Fault(
        "the short way takes nothing from the budget",
        "server/operation_limits.py",
        "            return False\n        lease.left -= cost\n        return True\n",
        "            return False\n        return True\n",
        ("tests/server/test_side_doors.py",),
    ),
    Fault(
        "what was taken in advance lasts for ever",
        "server/operation_limits.py",
        "lease.left >= cost and lease.until >= clock.timestamp() else None",
        "lease.left >= cost else None",
        OPERATIONS,
    ),
    Fault(
        "events of subscriptions cost nothing",
        "server/operation_limits.py",
        "            await self.charge(ctx, cost)\n            return\n        lease.left -= cost\n",
        "            await self.charge(ctx, cost)\n            return\n",
        ("tests/server/test_event_cost.py",),
    ),
    Fault(
        "looking for unknown documents costs nothing",
        "server/documents.py",
        "            await charge(LOOK_UP)\n",
        "",
        ("tests/server/test_persisted_caps.py",),
    ),
    Fault(
        "a limit lasts until a clock that went back is there again",
        "core/security/limits.py",
        "if arrival > now + interval * burst + 1000 then arrival = now end\n",
        "",
        ("tests/engine/test_limits.py",),
    ),
    Fault(
        "depth is not limited",
        "server/bounds.py",
        '("depth", found.depth, settings.max_depth),',
        "",
        OPERATIONS,
    ),
    Fault(
        "production answers introspection",
        "server/operation_limits.py",
        "        if not self._may_introspect(ctx):\n            raise Forbidden(OFF)\n        assert",
        "        assert",
        (*OPERATIONS, "tests/server/test_graphql_cop.py"),
    ),
]
