"""Replay of what an app did offline: each operation once and in order, then a validation."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

from core.context import Context
from core.errors import BadUserInput, UserError, below
from core.ids import Id
from core.mutations import batches
from core.mutations.batches import Item
from core.mutations.idempotency import Mutation
from core.mutations.references import Payload
from core.one_of import one_of
from core.values.bounds import check_count
from core.values.money import Money
from resolvers.cart import adding, editing, metrics, owners, quoting
from resolvers.cart.adding import CartItem
from resolvers.cart.options import CartLineOption
from resolvers.cart.quoting import Delivery
from stores.cart.carts import Cart
from stores.cart.kinds import CartOperationStatus
from stores.cart.quotes import Quote

MOST_OPERATIONS = 50
LONGEST_ID = 128


class CartLineAddition(TypedDict):
    """Addition of a line, as `addCartLine` takes it."""

    id: NotRequired[Id | None]
    """Id of the line, minted by the app so that later operations can name it; minted by the server when left
    out."""
    item: CartItem
    """Item to put into the cart: a variant, or a product for its default variant."""
    quantity: NotRequired[int | None]
    """Number of units to add, 1 to 99; 1 when left out."""
    options: NotRequired[list[CartLineOption] | None]
    """Options of the line, at most 20; none when left out."""
    seen_unit_price: NotRequired[Money | None]
    """Price that the customer saw, to be told when it has changed; never charged."""


class CartLineUpdate(TypedDict):
    """Update of a line, as `updateCartLine` takes it."""

    cart_line_id: Id
    """Id of the line."""
    quantity: NotRequired[int | None]
    """Quantity of the line from now on, 0 to remove it; unchanged when left out."""
    options: NotRequired[list[CartLineOption] | None]
    """Options of the line from now on, at most 20; unchanged when left out."""
    expected_version: NotRequired[int | None]
    """Version of the line that was edited: CONFLICT if there is a newer one. The last writer wins when left
    out."""


class CartLineRemoval(TypedDict):
    """Removal of a line, as `removeCartLine` takes it."""

    cart_line_id: Id
    """Id of the line."""


class CartClearing(TypedDict):
    """Removal of all lines, as `clearCart` takes it."""

    expected_version: NotRequired[int | None]
    """Version of the cart that the app has seen: lines that came later stay. All go when left out."""


@one_of
class CartAct(TypedDict, total=False):
    """Act on a cart: one of several."""

    add: CartLineAddition | None
    """Add a line to the cart."""
    update: CartLineUpdate | None
    """Update a line of the cart."""
    remove: CartLineRemoval | None
    """Remove a line from the cart."""
    clear: CartClearing | None
    """Remove all lines that the app has seen."""


class CartOperation(TypedDict):
    """Operation on a cart that an app queued."""

    operation_id: Id
    """Idempotency key of the operation, made when the customer acted and kept across retries; at most 128
    characters."""
    act: CartAct
    """Act that the operation does."""


class Synced(TypedDict):
    results: list[dict[str, Any]]
    cart: Cart | None
    checkout_quote: Quote | None


async def sync_cart(ctx: Context, *, operations: Sequence[CartOperation], validate: bool = True) -> Synced:
    """Replay operations in their order, each a unit of its own; a refused one stops no other."""
    check_count(operations, least=1, most=MOST_OPERATIONS, field="operations")
    if any(not 0 < len(each["operation_id"]) <= LONGEST_ID for each in operations):
        raise BadUserInput(f"operationId must have 1 to {LONGEST_ID} characters.")
    owner = owners.owner_of(ctx)
    items = [Item(each["operation_id"], {"act": each["act"]}) for each in operations]
    payloads = await batches.run(ctx, OPERATION, items)
    results = [_result(payload) for payload in payloads]
    for each in results:
        metrics.OPERATIONS.labels(str(each["status"])).inc()
    is_done = not any(each["status"] == CartOperationStatus.DEFERRED for each in results)
    cart = await owners.cart_of(ctx, owner)
    quote = await _validated(ctx, owner) if validate and is_done and cart and cart["lines"] else None
    return {"results": results, "cart": cart, "checkout_quote": quote}


async def _validated(ctx: Context, owner: owners.Owner) -> Quote | None:
    """A first look at what the cart costs, without an address; None while it is being paid."""

    async def validate() -> Quote:
        cart = await owners.cart_to_change(ctx, owner)
        quote, _ = await quoting.quote_of_cart(ctx, owner, cart, Delivery())
        return quote

    try:
        return await ctx.unit(validate)
    except UserError:
        return None


async def _operate(ctx: Context, *, act: Mapping[str, Any]) -> dict[str, Any]:
    """Do one act, by the rules of its own mutation."""
    [(name, given)] = [(name, given) for name, given in act.items() if given is not None]
    arguments = {key: value for key, value in given.items() if value is not None}
    before = await owners.cart_of(ctx, owners.owner_of(ctx))
    with below("act", name):
        done = await _ACTS[name](ctx, **arguments)
    changed = before is None or done["cart"]["version"] != before["version"]
    return {"cart_line": done.get("cart_line"), "changed": changed}


_ACTS: Mapping[str, Any] = {
    "add": adding.add_cart_line,
    "update": editing.update_cart_line,
    "remove": editing.remove_cart_line,
    "clear": editing.clear_cart,
}

OPERATION = Mutation(
    "applyCartOperation",
    _operate,
    owner=owners.key_of_owner,
    refuses=frozenset(
        {
            "CART_CLOSED",
            "CHECKOUT_IN_PROGRESS",
            "CONFLICT",
            "CURRENCY_MISMATCH",
            "ID_TAKEN",
            "LIMIT_REACHED",
            "LINE_REMOVED",
            "OUT_OF_RANGE",
            "PRODUCT_DISCONTINUED",
            "REQUIRED",
            "TOO_LONG",
            "TOO_MANY",
        }
    ),
)


def _result(payload: Payload) -> dict[str, Any]:
    kept = {name: payload.get(name) for name in ("cart_line", "alternatives")}
    errors = payload["errors"]
    kept["alternatives"] = kept["alternatives"] or []
    return {**kept, "errors": errors, "item_id": payload["idempotency_key"], "status": _status(payload)}


def _status(payload: Payload) -> CartOperationStatus:
    codes = {error["code"] for error in payload["errors"]}
    if not codes:
        is_new = payload["changed"] and not payload["replayed"]
        return CartOperationStatus.APPLIED if is_new else CartOperationStatus.DUPLICATE
    if "CONFLICT" in codes:
        return CartOperationStatus.CONFLICT
    if any(error["retryable"] for error in payload["errors"]):
        # It comes again as it is: what it waits for is not its own fault.
        return CartOperationStatus.DEFERRED
    return CartOperationStatus.REJECTED
