"""The demo's shop has promotions, shipping and taxes, and its people have carts."""

from core.context import Context
from core.settings import Settings
from devstack import seed, seed_acts, seed_cart
from resolvers.cart.views import view_of
from server import lifespan
from stores.cart import carts, promotions
from stores.cart.kinds import CartStatus


async def test_the_demo_has_carts(settings: Settings) -> None:
    own = settings.model_copy(update={"mongo_database": "demo_carts"})
    async with lifespan.services(own) as services:
        size = seed.Size().scaled(0.02)
        await seed.seed(services.db, own.media_dir, services.crypto, size=size)
        await seed_acts.fill(services)
        made = await carts.carts.find(services.db, {"status": CartStatus.ACTIVE})
        assert len(made) == len(seed_cart.CARTS)
        views = [await view_of(Context(services), cart) for cart in made]
        assert all(view.subtotal > 0 for view in views)
        # Some of what they want is out of stock, as in a shop.
        assert not all(view.blocked for view in views)
        assert [each["codes"] for each in made if each["codes"]] == [["WELCOME10"]]
        assert len(await promotions.rates_to(services.db, "DE")) == 2
        assert [each["rate"] for each in await promotions.taxes_of(services.db, "DE")] == ["7"]
