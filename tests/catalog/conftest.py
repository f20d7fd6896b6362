"""A shop with staff."""

import pytest

from core.context import Services
from stores.catalog.roles import CATALOG_ADMIN, INVENTORY_ADMIN
from tests.catalog.steps import staff
from tests.conftest import NewPhone
from tests.phone import Phone


@pytest.fixture
async def admin(new_phone: NewPhone, services: Services) -> Phone:
    """Keeps products and stock."""
    return await staff(new_phone, services, CATALOG_ADMIN, INVENTORY_ADMIN)


@pytest.fixture(autouse=True)
def _unhurried(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests search more often than people; the test of the limit says so itself."""
    monkeypatch.setattr(services.limits, "scale", 1000.0)
