"""A shop with staff, whose products have barcodes."""

import pytest

from core.context import Services
from stores.catalog.roles import BARCODE_REVIEWER, CATALOG_ADMIN
from tests.catalog.steps import staff
from tests.conftest import NewPhone
from tests.phone import Phone


@pytest.fixture
async def admin(new_phone: NewPhone, services: Services) -> Phone:
    """Keeps products and mappings, and reviews codes."""
    return await staff(new_phone, services, CATALOG_ADMIN, BARCODE_REVIEWER)


@pytest.fixture
async def reviewer(new_phone: NewPhone, services: Services) -> Phone:
    return await staff(new_phone, services, BARCODE_REVIEWER, name="Reviewer")


@pytest.fixture(autouse=True)
def _unhurried(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests scan more often than people; those of the limits say so themselves."""
    monkeypatch.setattr(services.limits, "scale", 1000.0)
