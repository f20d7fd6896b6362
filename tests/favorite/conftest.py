"""A shop whose products are saved."""

from collections.abc import AsyncIterator

import pytest

from core.context import Services
from stores.catalog.roles import CATALOG_ADMIN
from tests.catalog.steps import staff
from tests.conftest import NewPhone
from tests.favorite.steps import Shop, settle
from tests.phone import Phone


@pytest.fixture
async def shop(new_phone: NewPhone, services: Services) -> Shop:
    """Keeps products, and makes new ones."""
    return Shop(services, await staff(new_phone, services, CATALOG_ADMIN))


@pytest.fixture
async def ada(new_phone: NewPhone) -> Phone:
    return await new_phone("Ada")


@pytest.fixture(autouse=True)
async def _unhurried(services: Services, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Tests save more often than people; tests of the limits say so themselves."""
    monkeypatch.setattr(services.limits, "scale", 1000.0)
    yield
    await settle(services)


@pytest.fixture
def hurried(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits as people meet them."""
    monkeypatch.setattr(services.limits, "scale", 1.0)
