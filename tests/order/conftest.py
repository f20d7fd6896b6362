"""Fixtures of payments: a till with its gateway, and parcels that are paid for."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import pytest
from aiohttp import ClientSession

from core import clock, nodes
from core.context import Context, Services
from resolvers.order import payment_changed
from stores.catalog.roles import CATALOG_ADMIN, INVENTORY_ADMIN
from stores.order import Payment
from tests.cart.steps import only, ships, variants
from tests.catalog.steps import staff
from tests.conftest import NewPhone
from tests.order import desk as desks
from tests.order import steps
from tests.order.desk import Desk
from tests.order.steps import Till
from tests.phone import Phone


@pytest.fixture
async def shop(new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch) -> Phone:
    """A shop that ships, with neither promotions nor taxes, and no rate limits but where a test is about
    them."""
    monkeypatch.setattr(services.limits, "scale", 1000.0)
    await only(services, "promotions", "shipping_rates", "tax_rates", "orders")
    admin = await staff(new_phone, services, CATALOG_ADMIN, INVENTORY_ADMIN)
    await ships(admin)
    return admin


@pytest.fixture
async def ada(new_phone: NewPhone, shop: Phone) -> Phone:
    return await new_phone("Ada")


@pytest.fixture
async def variant(services: Services, shop: Phone) -> str:
    """A variant for 10.00 euros, 40 of which are there."""
    [made] = await variants(services, shop, "€10.00")
    return made


Change = tuple[str | None, str]


class Parcels:
    """A small system that is paid for parcels: it sees who owns them, and hears of their payments."""

    def __init__(self) -> None:
        self.owners: dict[str, str] = {}
        self.changes: dict[str, list[Change]] = {}

    def new(self, owner_id: str) -> str:
        id = steps.subject()
        self.owners[id] = owner_id
        return id

    async def visible(self, ctx: Context, wanted: Sequence[str]) -> list[Mapping[str, Any] | None]:
        own = ctx.viewer_id_or_none
        return [{"_id": id} if own is not None and self.owners.get(id) == own else None for id in wanted]

    async def told(self, ctx: Context, payment: Payment, before: Payment | None) -> None:
        assert ctx.tx.now
        if payment["subject_id"] in self.owners:
            move = (before["status"] if before else None, payment["status"])
            self.changes.setdefault(payment["subject_id"], []).append(move)

    def statuses(self, subject_id: str) -> list[str]:
        """Statuses that the payment of a parcel came to, one after the other."""
        return [after for before, after in self.changes.get(subject_id, []) if before != after]


@pytest.fixture(scope="module")
def parcels() -> Iterator[Parcels]:
    made = Parcels()
    nodes.guard("parcel")(made.visible)
    payment_changed.add(made.told)
    yield made
    payment_changed.listeners.remove(made.told)
    del nodes.GUARDS["parcel"]


@pytest.fixture
async def till(
    services: Services, http: ClientSession, address: str, parcels: Parcels
) -> AsyncIterator[Till]:
    clock.stop()
    async with steps.till(services, http, address) as made:
        yield made


@pytest.fixture
async def desk(
    services: Services, http: ClientSession, address: str, new_phone: NewPhone
) -> AsyncIterator[Desk]:
    async with desks.desk(services, http, address, new_phone) as made:
        yield made
