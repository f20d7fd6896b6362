"""Roles of the shop's staff: granted by administrators, who have them all."""

from core.grants import GrantScope, grant_role

CATALOG_ADMIN = grant_role(
    "CATALOG_ADMIN",
    GrantScope.SHOP,
    "Imports and edits products, sets prices and status, judges reviews, and sees hidden products.",
)
INVENTORY_ADMIN = grant_role(
    "INVENTORY_ADMIN",
    GrantScope.SHOP,
    "Reads exact stock levels and adjusts them, and sees hidden products.",
)
SUPPORT = grant_role(
    "SUPPORT",
    GrantScope.SHOP,
    "Sees hidden products, the quality of each product's data, and the carts of customers.",
)
FULFILLMENT = grant_role(
    "FULFILLMENT", GrantScope.SHOP, "Packs and ships orders that are paid: reads them, with their addresses."
)
BARCODE_REVIEWER = grant_role(
    "BARCODE_REVIEWER",
    GrantScope.SHOP,
    "Decides which product a barcode belongs to, that people submitted.",
)

CATALOG_STAFF = (CATALOG_ADMIN, INVENTORY_ADMIN, SUPPORT)
"""Roles that see hidden products."""
