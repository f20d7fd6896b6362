"""Carts; for the systems that place orders: quotes, the checkout of a cart, uses of promotions, addresses."""

from resolvers.cart.addresses import PostalAddress, opened, sealed
from resolvers.cart.addresses import checked as checked_address
from resolvers.cart.checkout import add_lines, begin, convert, customer, line_id_of, reopen
from resolvers.cart.drafts import title_of
from resolvers.cart.owners import Owner
from resolvers.cart.promoting import count_uses, give_back_uses
from resolvers.cart.quoting import Delivery, quote_of_cart, quote_of_lines
from resolvers.cart.tokens import QuoteFault, quote_named
from resolvers.cart.tokens import fault_of as quote_fault
from resolvers.cart.tokens import token_of as quote_token
from stores.cart.quotes import place_of as quote_place

__all__ = [
    "Delivery",
    "Owner",
    "PostalAddress",
    "QuoteFault",
    "add_lines",
    "begin",
    "checked_address",
    "convert",
    "count_uses",
    "customer",
    "give_back_uses",
    "line_id_of",
    "opened",
    "quote_fault",
    "quote_named",
    "quote_of_cart",
    "quote_of_lines",
    "quote_place",
    "quote_token",
    "reopen",
    "sealed",
    "title_of",
]
