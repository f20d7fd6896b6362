"""Cost of placing an order: commands of the database."""

from core.context import Services
from tests.cart.steps import added, quoted, variants
from tests.conftest import Commands, NewPhone
from tests.order.placing import place
from tests.order.steps import Till
from tests.phone import Phone


async def test_an_order_of_three_lines(
    till: Till, services: Services, shop: Phone, new_phone: NewPhone, commands: Commands
) -> None:
    ada = await new_phone("Ada")
    for variant in await variants(services, shop, *["€10.00"] * 3):
        await added(ada, variant)
    token = (await quoted(ada, reserve=True))["token"]
    commands.reset()
    done = await ada.do("placeOrder", "order { id status }", quoteToken=token, source={"token": "tok_visa"})
    assert done["order"]["status"] == "PROCESSING"
    # Three units: the order, the attempt, and what came of it, with stock and cart.
    assert commands.counts["commitTransaction"] == 3
    assert commands.sent <= 54
    commands.reset()
    await place(ada, quoteToken=token)
    assert commands.sent <= 12
