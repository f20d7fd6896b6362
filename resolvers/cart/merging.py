"""Merging: lines of a device's cart, and lines that an app kept, go into the account's cart, each once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NotRequired, TypedDict

from core import bearer_tokens, ids
from core.audit import Act, record
from core.context import Context
from core.errors import BadUserInput, below
from core.ids import Id
from core.values import money
from core.values.bounds import check_count
from core.values.money import Money
from core.values.text import Opaque
from resolvers.cart import drafts, metrics, owners
from resolvers.cart.adding import MOST_LINES, Sold, fits_currency, ordered_before, sold_variant
from resolvers.cart.drafts import Draft
from resolvers.cart.options import CartLineOption, checked
from resolvers.cart.owners import Owner
from resolvers.cart.promoting import fitting_codes
from resolvers.cart.views import MOST_PER_LINE, most_of
from stores.cart import carts as store
from stores.cart.carts import KNOWN, Cart, Line, MergeReport, Option
from stores.cart.kinds import CartSkipReason, CartStatus, CartTokenOutcome

TOKEN = "cartToken"


class LocalCartLine(TypedDict):
    """Line that an app kept while nobody was signed in."""

    cart_line_id: Id
    """Id of the line, as the app minted it."""
    product_variant_id: Id
    """Id of the variant."""
    quantity: int
    """Number of units, 1 to 99."""
    options: NotRequired[list[CartLineOption] | None]
    """Options of the line, at most 20; none when left out."""
    seen_unit_price: NotRequired[Money | None]
    """Price that the customer saw, to be told when it has changed; never charged."""


class Incoming(NamedTuple):
    """Line that comes into the account's cart, with all ids that it is known by."""

    ids: list[str]
    variant_id: str
    quantity: int
    options: list[Option]
    seen: int | None
    seen_currency: str | None
    """Currency of the price that was seen."""


class Merged(TypedDict):
    cart: Cart
    report: MergeReport


@dataclass(slots=True)
class MergeCounts:
    """Counts of what became of the lines so far."""

    added: int = 0
    summed: int = 0
    capped: int = 0
    skipped: list[Any] = field(default_factory=list)

    def skip(self, line: Incoming, reason: CartSkipReason) -> None:
        self.skipped.append({"line_id": line.ids[0], "variant_id": line.variant_id, "reason": reason})

    def report(self, token: CartTokenOutcome | None) -> MergeReport:
        return {
            "added": self.added,
            "summed": self.summed,
            "capped": self.capped,
            "skipped": self.skipped,
            "token": token,
        }


async def merge_cart(
    ctx: Context, *, cart_token: Opaque | None = None, lines: Sequence[LocalCartLine] = ()
) -> Merged:
    """Merge a device's cart, lines that an app kept, or both, into the viewer's cart."""
    check_count(lines, most=MOST_LINES, field="lines")
    with below("lines"):
        local = [_checked(each) for each in lines]
    owner = owners.customer(ctx.viewer_id)
    await owners.limit(ctx, owner)
    token, theirs = await _of_token(ctx, owner, cart_token)
    draft = Draft(ctx, await owners.cart_to_change(ctx, owner))
    counts = MergeCounts()
    buried = {each["id"] for each in theirs["gone"]} if theirs else set()
    coming = _once(
        [_of_line(theirs, line) for line in theirs["lines"]] if theirs else [], local, counts, buried
    )
    known = await ordered_before(ctx, draft.cart, [id for line in coming for id in line.ids])
    for line in coming:
        await _take(ctx, draft, line, known, counts)
    if theirs is not None:
        for id in buried:
            draft.bury(id)
        draft.set(codes=await fitting_codes(ctx, [*draft.cart["codes"], *theirs["codes"]]))
        _take_words(draft, theirs)
    return await _merged(ctx, draft, theirs, counts.report(token))


async def _of_token(
    ctx: Context, owner: Owner, token: str | None
) -> tuple[CartTokenOutcome | None, Cart | None]:
    """Outcome that the token has, and the cart that is to be merged."""
    if token is None:
        return None, None
    device = Owner(bearer_tokens.hashed(token, TOKEN), None)
    cart = await owners.cart_of(ctx, device)
    if cart is not None:
        return CartTokenOutcome.MERGED, cart
    ended = await store.closed_cart(ctx.db, device.key)
    is_known = ended is not None and ended["merged_into"] == owner.user_id
    return (CartTokenOutcome.KNOWN if is_known else CartTokenOutcome.INVALID), None


def _checked(line: LocalCartLine) -> Incoming:
    if not 1 <= line["quantity"] <= MOST_PER_LINE:
        raise BadUserInput(f"A quantity is 1 to {MOST_PER_LINE}.")
    seen = line.get("seen_unit_price")
    minor = money.minor_units(seen["amount"], seen["currency_code"]) if seen else None
    return Incoming(
        [ids.minted(line["cart_line_id"], "cart_line")],
        ids.checked(line["product_variant_id"], "variant"),
        line["quantity"],
        checked(line.get("options")),
        minor if minor is not None and 0 <= minor <= money.MOST_MINOR_UNITS else None,
        seen["currency_code"] if seen else None,
    )


def _of_line(cart: Cart, line: Line) -> Incoming:
    return Incoming(
        store.ids_of(line),
        line["variant_id"],
        line["quantity"],
        line["options"],
        line["unit_price"],
        cart["currency"],
    )


def _once(
    theirs: list[Incoming], local: list[Incoming], counts: MergeCounts, buried: set[str]
) -> list[Incoming]:
    """The lines of both, each once; those that the device's cart had and lost are known."""
    seen = {id for line in theirs for id in line.ids}
    found = list(theirs)
    for line in local:
        [id] = line.ids
        if id in buried:
            counts.skip(line, CartSkipReason.KNOWN_LINE)
        elif id not in seen:
            found.append(line)
        seen.add(id)
    return found


async def _take(ctx: Context, draft: Draft, line: Incoming, ordered: set[str], counts: MergeCounts) -> None:
    """Take one line in, by the rules in their order."""
    if any(id in ordered or draft.line(id) or draft.tombstone(id) for id in line.ids):
        counts.skip(line, CartSkipReason.KNOWN_LINE)
        return
    wanted = await sold_variant(ctx, line.variant_id)
    if wanted is None or not fits_currency(draft, wanted.variant):
        counts.skip(line, CartSkipReason.PRODUCT_UNAVAILABLE)
        return
    equal = draft.equal_line(line.variant_id, line.options)
    if equal is None and len(draft.lines) >= MOST_LINES:
        counts.skip(line, CartSkipReason.CART_FULL)
        return
    whole = line.quantity + (equal["quantity"] if equal else 0)
    quantity = min(whole, most_of(wanted.variant))
    if equal is None:
        counts.added += 1
        draft.currency = wanted.variant["currency"]
        _add(draft, line, wanted, quantity)
    else:
        counts.summed += 1
        # Never less than what the account had.
        quantity = max(quantity, equal["quantity"])
        draft.change(draft.alias(equal, *line.ids), quantity=quantity, capped=quantity < whole)
    counts.capped += quantity < whole


def _add(draft: Draft, line: Incoming, wanted: Sold, quantity: int) -> None:
    is_told = line.seen is not None and line.seen_currency == wanted.variant["currency"]
    price = line.seen if is_told and line.seen is not None else wanted.variant["price"]
    own, *others = line.ids
    capped = quantity < line.quantity
    made = draft.add(own, wanted.product, wanted.variant, line.options, quantity, price, capped=capped)
    if others:
        draft.alias(made, *others)


def _take_words(draft: Draft, theirs: Cart) -> None:
    """The note and the gift message come along where the account's cart has none."""
    if draft.cart["note"] is None:
        draft.set(note=theirs["note"])
    if draft.cart["gift_message"] is None:
        draft.set(gift_message=theirs["gift_message"])


async def _merged(ctx: Context, draft: Draft, theirs: Cart | None, report: MergeReport) -> Merged:
    cart = await draft.save()
    if theirs is not None:
        await _end(ctx, theirs, cart, report)
    if theirs is not None or cart is not draft.cart:
        _log_merge(ctx, cart, report)
        await record(ctx, Act("cart.merged", "DATA_MODIFIED", "CART", cart["_id"], details=_told(report)))
    metrics.MERGES.labels(report["token"] or "NONE").inc()
    return {"cart": cart, "report": report}


def _told(report: MergeReport) -> dict[str, Any]:
    return {**report, "skipped": len(report["skipped"])}


def _log_merge(ctx: Context, cart: Cart, report: MergeReport) -> None:
    """Log of a cart that it was merged, for those who watch it."""
    ctx.tx.changed(
        cart,
        aspect="merged",
        scopes=store.scopes_of(cart),
        audience_never_shrinks=True,
        detail={"report": report},
        brief=True,
    )


async def _end(ctx: Context, theirs: Cart, into: Cart, report: MergeReport) -> None:
    """The device's cart has ended: its token is good for nothing any more."""
    await drafts.release_hold(ctx, theirs)
    ended: dict[str, Any] = {
        "status": CartStatus.MERGED,
        "lines": [],
        "gone": [],
        "codes": [],
        "note": None,
        "gift_message": None,
        "hold": None,
        "merged_into": into["owner_id"],
        "expires_at": ctx.tx.now + KNOWN,
    }
    _log_merge(ctx, await ctx.tx.edit(store.carts, theirs, ended), report)
