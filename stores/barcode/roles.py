"""Roles of the barcode scanner: of the shop's staff, declared with the others there."""

from stores.catalog import BARCODE_REVIEWER, CATALOG_ADMIN

MAPPING_STAFF = (CATALOG_ADMIN, BARCODE_REVIEWER)
"""Roles that see mappings which were withdrawn."""
