"""A shop with staff, and no rate limits but where a test is about them."""

import pytest

from core.context import Services
from stores.catalog.roles import CATALOG_ADMIN, INVENTORY_ADMIN
from tests.cart.steps import only
from tests.catalog.steps import staff
from tests.conftest import NewPhone
from tests.phone import Phone


@pytest.fixture
async def admin(new_phone: NewPhone, services: Services) -> Phone:
    """Keeps products and stock, promotions and rates."""
    return await staff(new_phone, services, CATALOG_ADMIN, INVENTORY_ADMIN)


@pytest.fixture(autouse=True)
def _unhurried(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.limits, "scale", 1000.0)


@pytest.fixture
async def bare(services: Services) -> None:
    """No promotions, rates of shipping or taxes."""
    await only(services, "promotions", "shipping_rates", "tax_rates")
