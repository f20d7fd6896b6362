"""Products, stock, reviews, settings and the roles of those who work in the shop."""

from stores.catalog import entries, people, products, stock

__all__ = ["entries", "people", "products", "stock"]
