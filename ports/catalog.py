"""Hooks of the catalog, for the operator."""

from pydantic import Field

from core.settings import SystemSettings


class CatalogSettings(SystemSettings):
    """Settings of the catalog."""

    shop_country: str = Field(
        "",
        pattern="^([A-Z]{2})?$",
        description="Country of the shop (ISO 3166, `DE`): its currency, and which dollar, krone or yen a "
        "supplier means; empty: euros, and such signs are unknown.",
    )
