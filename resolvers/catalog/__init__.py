"""What happens in the catalog; stock is used by carts and orders through `resolvers.catalog.stock`."""

from resolvers.catalog.access import has_role, product_scope, visible_products, visible_variants
from resolvers.catalog.facets import facets
from resolvers.catalog.imports import import_products
from resolvers.catalog.prices import compare_at_price, price, price_range
from resolvers.catalog.reading import (
    active_variants,
    alternatives,
    alternatives_of_many,
    categories,
    default_variant,
    level_variant,
    level_variants,
    product,
    products,
    staff_only,
    top_sellers,
    variant_product,
    variant_products,
)
from resolvers.catalog.roles import grant_commerce_role, revoke_commerce_role, viewer_roles
from resolvers.catalog.search import search_products, total_count, total_is_lower_bound
from resolvers.catalog.staff import set_product_status, set_variant_price, update_product
from resolvers.catalog.stock import adjust_inventory, inventory_levels

__all__ = [
    "active_variants",
    "adjust_inventory",
    "alternatives",
    "alternatives_of_many",
    "categories",
    "compare_at_price",
    "default_variant",
    "facets",
    "grant_commerce_role",
    "has_role",
    "import_products",
    "inventory_levels",
    "level_variant",
    "level_variants",
    "price",
    "price_range",
    "product",
    "product_scope",
    "products",
    "revoke_commerce_role",
    "search_products",
    "set_product_status",
    "set_variant_price",
    "staff_only",
    "top_sellers",
    "total_count",
    "total_is_lower_bound",
    "update_product",
    "variant_product",
    "variant_products",
    "viewer_roles",
    "visible_products",
    "visible_variants",
]
