"""Stores of the cart: carts with their lines, promotions, rates, and quotes."""

from stores.cart import carts, promotions, quotes
from stores.cart.carts import Cart, ids_of
from stores.cart.kinds import CartStatus
from stores.cart.quotes import Address, Quote, QuoteLine

__all__ = ["Address", "Cart", "CartStatus", "Quote", "QuoteLine", "carts", "ids_of", "promotions", "quotes"]
