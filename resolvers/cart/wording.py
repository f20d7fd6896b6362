"""Words for the issues of a cart, in the language of who reads them."""

from collections.abc import Mapping, Sequence
from typing import Any

from core import messages
from core.context import Context
from core.messages import gettext_noop
from core.values import money
from loaders.catalog import ProductById
from resolvers.catalog import alternatives as alternatives_of
from resolvers.catalog import shown_to_all
from stores.cart.kinds import CartIssueCode

Document = Mapping[str, Any]

WORDS = {
    CartIssueCode.PRICE_CHANGED: gettext_noop("The price changed from {old} to {new} {currency}."),
    CartIssueCode.INSUFFICIENT_STOCK: gettext_noop("Only {left} left."),
    CartIssueCode.OUT_OF_STOCK: gettext_noop("It is out of stock."),
    CartIssueCode.DISCONTINUED: gettext_noop("It is no longer sold."),
    CartIssueCode.QUANTITY_CAPPED: gettext_noop("The quantity was cut to what one order may have."),
    CartIssueCode.PROMOTION_EXPIRED: gettext_noop("The code {code} is over, or was used up."),
    CartIssueCode.PROMOTION_NOT_MET: gettext_noop(
        "The cart does not fulfill the conditions of the code {code}."
    ),
}
TOO_MANY = gettext_noop("At most {left} in one order.")


def message(ctx: Context, issue: Document) -> str:
    """The issue in a sentence."""
    code, currency = CartIssueCode(issue["code"]), issue["currency"]
    words = WORDS[code]
    if code is CartIssueCode.QUANTITY_CAPPED and issue["blocking"]:
        words = TOO_MANY
    values = {
        "old": money.decimal(issue["old_price"] or 0, currency),
        "new": money.decimal(issue["new_price"] or 0, currency),
        "currency": currency,
        "left": issue["available_quantity"] or 0,
        "code": issue["promotion_code"] or "",
    }
    return messages.text(words, values, ctx.language)


READ = ("code", "currency", "blocking", "old_price", "new_price", "available_quantity", "promotion_code")
"""Fields that the sentence is made of."""


async def alternatives(ctx: Context, issues: Sequence[Document]) -> list[list[Document]]:
    """Products that may be taken instead, where a line's product cannot be had."""
    wanted = {issue["product_id"] for issue in issues if _missing(issue)}
    loaded = await ctx.loader(ProductById).fetch(wanted)
    shown = [found for id in wanted if (found := shown_to_all(loaded[id]))]
    others = dict(zip((each["_id"] for each in shown), await alternatives_of(ctx, shown), strict=True))
    return [list(others.get(issue["product_id"], ())) if _missing(issue) else [] for issue in issues]


def _missing(issue: Document) -> bool:
    """True if the product of a line cannot be had."""
    return issue["code"] in (CartIssueCode.DISCONTINUED, CartIssueCode.OUT_OF_STOCK)
