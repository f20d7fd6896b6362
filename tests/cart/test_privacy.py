"""Privacy: carts are exported and erased with their account, and acts on them are on record."""

from typing import Any

import pytest

from core.context import Services
from core.erasure import ERASERS, EXPORTERS
from core.sync.changes import log
from stores.cart import carts, promotions, quotes
from stores.catalog import SUPPORT
from tests.cart.steps import CART, added, device, promotion, quoted, ships, shown, variants
from tests.catalog.steps import staff, unique
from tests.conftest import NewPhone
from tests.phone import Phone

pytestmark = pytest.mark.usefixtures("bare")

CUSTOMER = f"query($id: ID!) {{ customerCart(userId: $id) {{ {CART} }} }}"


async def test_the_export_has_them_and_they_go_with_the_account(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    line = await added(ada, variant, 2)
    await ships(admin)
    quote = await quoted(ada, reserve=True)
    exported: dict[str, list[Any]] = {}
    async for name, rows in EXPORTERS["cart"](services, ada.user_id):
        exported.setdefault(name, []).extend(rows)
    [cart] = exported["carts"]
    assert [each["_id"] for each in cart["lines"]] == [line["id"]]
    assert "owner_key" not in cart
    [kept] = exported["checkout_quotes"]
    assert (kept["id"], kept["shipping"]["city"]) == (quote["id"], "Berlin")
    await ERASERS["cart"](services, ada.user_id)
    await ERASERS["cart"](services, ada.user_id)
    assert await carts.carts.find(services.db, {"owner_id": ada.user_id}) == []
    assert await quotes.quotes.find(services.db, {"owner_id": ada.user_id}) == []
    assert await promotions.promotion_uses.find(services.db, {"user_id": ada.user_id}) == []
    entry = await log.by_id(services.db, line["id"])
    assert entry is not None
    assert entry["deleted"]
    grace = await new_phone("Grace")
    # What was held for the cart is free again.
    assert (await added(grace, variant, 40))["status"] == "OK"


async def test_support_reads_carts_each_read_on_record(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada, helper = await new_phone("Ada"), await staff(new_phone, services, SUPPORT)
    [variant] = await variants(services, admin, "€10.00")
    await added(ada, variant, 2)
    found = (await helper.run(CUSTOMER, id=ada.user_id))["customerCart"]
    assert (found["itemCount"], found["lines"][0]["status"]) == (2, "OK")
    assert (await ada.ask(CUSTOMER, id=helper.user_id)).code == "FORBIDDEN"
    acts = await _acts(services, "cart.read")
    assert (helper.user_id, ada.user_id, "OK") in acts
    assert (ada.user_id, None, "DENIED") in [(actor, None, outcome) for actor, _, outcome in acts]


async def test_merges_codes_failed_validations_and_conversions_are_on_record(
    services: Services, admin: Phone, new_phone: NewPhone, http: Any, address: str
) -> None:
    ada, phone = await new_phone("Ada"), device(http, address)
    [variant] = await variants(services, admin, "€10.00", stock=1)
    await added(phone, variant, 2)
    await ada.do("mergeCart", "cart { id }", cartToken=phone.headers["X-Cart-Token"])
    code = unique("c")
    await promotion(admin, code=code)
    await ada.do("applyPromotionCode", "cart { id }", code=code)
    await ada.do("removePromotionCode", "cart { id }", code=code)
    await ada.do("validateCart", "checkoutQuote { id }")
    for action in ("merged", "promotion_applied", "promotion_removed", "validation_failed"):
        acts = await _acts(services, f"cart.{action}")
        assert (ada.user_id, None, "OK") in acts, action
    acts = await _acts(services, "cart.promotion_created")
    assert (admin.user_id, None, "OK") in acts
    assert (await shown(ada))["itemCount"] == 2


async def _acts(services: Services, action: str) -> list[tuple[str, str | None, str]]:
    """Actors, subjects and outcomes of the acts on record."""
    rows = await services.db.find("audit_entries", {"action": action}, limit=1_000)
    return [(row["actor_id"], row["subject_id"], row["outcome"]) for row in rows]
