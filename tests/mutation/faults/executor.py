"""The compiled executor: plans, fragments, shared events."""

from tests.mutation.fault import Fault

COMPILED = ("tests/executor/test_compiled.py", "tests/executor/test_differential.py")
STREAMS = ("tests/executor/test_streams.py",)

FAULTS = [
    Fault(
        "one document's operations share a plan",
        "executor/engine.py",
        "key = (name, *[values.coerced.get(each) for each in known.conditions]) if known.conditions else name",
        "key = tuple(values.coerced.get(each) for each in known.conditions)",
        COMPILED,
    ),
    Fault(
        "a plan serves other values of its directives' variables",
        "executor/engine.py",
        "key = (name, *[values.coerced.get(each) for each in known.conditions]) if known.conditions else name",
        "key = name",
        COMPILED,
    ),
    Fault(
        "a fragment on another type is applied",
        "executor/collect.py",
        "            return self._schema.is_sub_type(abstract, type)\n        return False\n",
        "            return self._schema.is_sub_type(abstract, type)\n        return True\n",
        COMPILED,
    ),
    Fault(
        "a skipped and included field is shown",
        "executor/collect.py",
        "return not (skip is True or include is False)",
        "return skip is not True or include is True",
        COMPILED,
    ),
    Fault(
        "directives inside nested selections decide for others",
        "executor/collect.py",
        '        _in_selections(getattr(node, "selection_set", None), found)\n',
        "",
        COMPILED,
    ),
    Fault(
        "events are shared across origins",
        "executor/streams.py",
        'sort_keys=True) if decisive else "", ctx.origin)',
        'sort_keys=True) if decisive else "")',
        ("tests/server/test_side_doors.py",),
    ),
    Fault(
        "events are shared whatever their variables",
        "executor/streams.py",
        "json.dumps(decisive, sort_keys=True) if decisive else",
        '"" if decisive else',
        STREAMS,
    ),
]
