"""Stores of the cart: carts with their lines, promotions, rates, and quotes."""

from stores.cart import carts, promotions, quotes

__all__ = ["carts", "promotions", "quotes"]
