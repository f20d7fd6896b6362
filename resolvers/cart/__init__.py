"""Carts; for the systems that place orders: quotes, the checkout of a cart, uses of promotions, addresses."""

from resolvers.cart.addresses import PostalAddress, opened
from resolvers.cart.addresses import checked as checked_address
from resolvers.cart.checkout import add_lines, begin, convert, line_id_of, reopen
from resolvers.cart.drafts import title_of
from resolvers.cart.editing import checked_words
from resolvers.cart.options import CartLineOption
from resolvers.cart.options import checked as checked_options
from resolvers.cart.owners import Owner, cart_of, customer
from resolvers.cart.promoting import count_uses, give_back_uses
from resolvers.cart.quoting import Delivery, quote_of_cart, quote_of_lines, wanted_lines
from resolvers.cart.tokens import QuoteFault, quote_named
from resolvers.cart.tokens import fault_of as quote_fault
from resolvers.cart.tokens import token_of as quote_token
from resolvers.cart.views import MOST_PER_LINE, most_of, sold
from stores.cart.quotes import place_of as quote_place

__all__ = [
    "MOST_PER_LINE",
    "CartLineOption",
    "Delivery",
    "Owner",
    "PostalAddress",
    "QuoteFault",
    "add_lines",
    "begin",
    "cart_of",
    "checked_address",
    "checked_options",
    "checked_words",
    "convert",
    "count_uses",
    "customer",
    "give_back_uses",
    "line_id_of",
    "most_of",
    "opened",
    "quote_fault",
    "quote_named",
    "quote_of_cart",
    "quote_of_lines",
    "quote_place",
    "quote_token",
    "reopen",
    "sold",
    "title_of",
    "wanted_lines",
]
