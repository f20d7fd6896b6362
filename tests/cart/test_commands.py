"""Cost of operations on carts: commands of the database, however many lines there are."""

import pytest

from core.context import Services
from tests.cart.steps import ADDRESS, added, quoted, ships, shown, variants
from tests.conftest import Commands, NewPhone
from tests.phone import Phone

pytestmark = pytest.mark.usefixtures("bare", "compiled")


async def test_a_cart_is_one_read_of_products_and_one_of_stock(
    services: Services, admin: Phone, new_phone: NewPhone, commands: Commands
) -> None:
    ada = await new_phone("Ada")
    for variant in await variants(services, admin, *["€10.00"] * 3):
        await added(ada, variant)
    await shown(ada)
    commands.reset()
    await shown(ada)
    # Cart; products, stock and promotions.
    assert commands.counts == {"find": 4}
    few = commands.sent
    for variant in await variants(services, admin, *["€5.00"] * 12):
        await added(ada, variant)
    commands.reset()
    cart = await shown(ada)
    assert (len(cart["lines"]), commands.counts, commands.sent) == (15, {"find": 4}, few)


async def test_a_badge_reads_the_cart_alone(
    services: Services, admin: Phone, new_phone: NewPhone, commands: Commands
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    await added(ada, variant, 2)
    commands.reset()
    found = await ada.run("{ viewer { cart { itemCount } } }")
    assert (found["viewer"]["cart"]["itemCount"], commands.counts) == (2, {"find": 1})


async def test_an_addition_and_a_validation(
    services: Services, admin: Phone, new_phone: NewPhone, commands: Commands
) -> None:
    ada = await new_phone("Ada")
    one, two = await variants(services, admin, "€10.00", "€5.00")
    await added(ada, one)
    await ships(admin)
    await quoted(ada)
    commands.reset()
    await ada.do("addCartLine", "cart { id itemCount }", item={"productVariantId": two})
    assert commands.sent <= 7
    commands.reset()
    await ada.do("validateCart", "checkoutQuote { total { amount } }", shippingAddress=ADDRESS)
    assert commands.sent <= 11
