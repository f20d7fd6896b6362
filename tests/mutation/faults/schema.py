"""Faults in access as it is declared, and in what the SDL says of it."""

from tests.mutation.fault import Fault

ACCESS = ("tests/engine/test_access.py", "tests/catalog/test_stock.py", "tests/catalog/test_reviews.py")
SDL = ("tests/test_schema.py", "tests/conventions/test_directives.py")

FAULTS = [
    Fault(
        "a role of any kind does for every field",
        "core/security/access.py",
        "        if await held(ctx, wanted):\n            return True\n",
        "        return True\n",
        ACCESS,
    ),
    Fault(
        "a mutation runs for who lacks its role",
        "core/mutations/idempotency.py",
        "            await access.need_roles(ctx, self.roles)\n",
        "            pass\n",
        ACCESS,
    ),
    Fault(
        "what staff alone may see of a product is shown to all",
        "core/graphql/fields.py",
        "may = ctx.viewer is not None and await holds_any(ctx, roles)",
        "may = True",
        ("tests/catalog/test_products.py", "tests/catalog/test_product_events.py"),
    ),
    Fault(
        "apps' schema has what is for staff",
        "core/graphql/audience.py",
        "and self._tag in _tags(node)",
        "and False",
        SDL,
    ),
    Fault(
        "a type that everybody reaches is kept from apps, since staff reach it too",
        "core/graphql/reach.py",
        "        if name not in open_types\n",
        "",
        SDL,
    ),
    Fault(
        "the SDL does not say that a fresh proof is needed",
        "core/graphql/directives.py",
        '**({"step_up": True} if fresh else {})',
        "",
        SDL,
    ),
    Fault(
        "a released app that asks for what is gone goes unnoticed",
        "tests/conventions/rules_deprecation.py",
        "for error in _errors(schema, text)",
        "for error in _errors(schema, text)[:0]",
        ("tests/conventions/test_deprecation.py",),
    ),
    Fault(
        "apps are told of codes that only the staff meet",
        "core/graphql/directives.py",
        "return found[True] - found[False]",
        "return set()",
        ("tests/conventions/test_directives.py",),
    ),
]
