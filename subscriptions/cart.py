"""Subscription to a cart: its changes by all devices, and prices and stock of what it has."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from core.context import Context
from core.ids import prefix_of
from core.sync.changes import Entry, aspect_of
from core.sync.topics import follow
from resolvers.cart import owners, reading
from resolvers.cart.owners import Owner
from resolvers.cart.views import view_of
from stores.cart import carts as store
from stores.cart.carts import Cart
from stores.cart.kinds import CartStatus
from stores.catalog import product_scope

Event = dict[str, Any]


async def cart_events(ctx: Context, *, after: str | None = None) -> AsyncGenerator[Event, None]:
    """Events of the signed-in person's cart, else of the cart of a device."""
    owner = owners.owner_of(ctx)
    screen = Screen(ctx, owner)
    own = list(store.scopes_of({"owner_id": owner.user_id, "owner_key": owner.key}))
    begin = screen.look if after is None else None
    events = follow(ctx, own, after, screen.events_of, authorize=begin, further=screen.product_scopes)
    async with aclosing(events) as told:
        async for event in told:
            yield event
            if screen.over:
                return


class Screen:
    """Screen of one cart: what was shown last, so that each event says what is new."""

    def __init__(self, ctx: Context, owner: Owner) -> None:
        self._ctx = ctx
        self._owner = owner
        self._cart: Cart | None = None
        self._versions: dict[str, int] = {}
        self._issues: dict[str, Any] = {}
        self.over = False

    def product_scopes(self) -> set[str]:
        """Scopes of the products in the cart that is shown."""
        return {product_scope(line["product_id"]) for line in self._cart["lines"]} if self._cart else set()

    async def look(self) -> None:
        """Take the cart as it is for what is known: a new stream begins with what comes then."""
        cart = await owners.cart_of(self._ctx, self._owner)
        if cart is not None:
            await self._note(cart)

    async def events_of(self, entry: Entry) -> Event | None:
        """Event of an entry of the log; None for what does not concern the cart."""
        kind = prefix_of(entry["node"])
        if kind == "cart":
            return await self._of_cart(entry)
        if kind == "variant" and aspect_of(entry) in ("price", "availability"):
            return await self._of_line(entry["node"])
        if kind == "product":
            return await self._of_product(entry["node"])
        return None

    async def _of_cart(self, entry: Entry) -> Event | None:
        aspect, detail = aspect_of(entry), entry.get("detail") or {}
        current = await owners.cart_of(self._ctx, self._owner)
        if aspect == "merged":
            return await self._merged(entry, detail)
        if current is None:
            return None
        if aspect == "converted":
            await self._note(current)
            is_gone = detail["new_cart_id"] != entry["node"]
            deleted = entry["node"] if is_gone else None
            return {"_type": "CartConverted", "cart": current, "deleted_cart_id": deleted}
        if aspect == "hold":
            return {"_type": "CartHoldExpired", "cart": current}
        if aspect or entry["node"] != current["_id"] or _place(current) == _place(self._cart):
            # Another's, or told already with an earlier entry.
            return None
        return await self._changed(current)

    async def _merged(self, entry: Entry, detail: Event) -> Event | None:
        [cart] = await reading.own_carts(self._ctx, [entry["node"]])
        if cart is None:
            return None
        self.over = cart["status"] == CartStatus.MERGED
        return {"_type": "CartMerged", "cart": cart, "report": detail["report"]}

    async def _changed(self, cart: Cart) -> Event:
        before = self._versions
        changed = [line for line in cart["lines"] if before.get(line["_id"]) != line["version"]]
        kept = {line["_id"] for line in cart["lines"]}
        await self._note(cart)
        return {
            "_type": "CartChanged",
            "cart": cart,
            "changed_lines": [reading.shown_line(cart, line) for line in changed],
            "deleted_lines": [{"line_id": id} for id in before if id not in kept],
            "origin": {"device_id": cart["device_id"]},
        }

    async def _of_line(self, variant_id: str) -> Event | None:
        return await self._reissued(lambda line: line["variant_id"] == variant_id)

    async def _of_product(self, product_id: str) -> Event | None:
        return await self._reissued(lambda line: line["product_id"] == product_id)

    async def _reissued(self, concerns: Any) -> Event | None:
        """Event of the first line concerned whose issues are others than those that were shown."""
        cart = await owners.cart_of(self._ctx, self._owner)
        if cart is None:
            return None
        before = self._issues
        # Changes of the cart itself are told by its own entry, which is yet to come.
        self._issues = await self._issues_of(cart)
        for line in cart["lines"]:
            if concerns(line) and before.get(line["_id"]) != self._issues.get(line["_id"]):
                return {
                    "_type": "CartLineChanged",
                    "cart_line": reading.shown_line(cart, line),
                    "cart": cart,
                }
        return None

    async def _note(self, cart: Cart) -> None:
        """Remember what is shown of the cart now."""
        self._cart = cart
        self._versions = {line["_id"]: line["version"] for line in cart["lines"]}
        self._issues = await self._issues_of(cart)

    async def _issues_of(self, cart: Cart) -> dict[str, Any]:
        view = await view_of(self._ctx, cart)
        return {id: _shown(each.issues) for id, each in view.lines.items()}


def _place(cart: Cart | None) -> tuple[str, int] | None:
    return (cart["_id"], cart["version"]) if cart else None


def _shown(issues: Sequence[Any]) -> list[tuple[Any, ...]]:
    return [(each["code"], each["new_price"], each["available_quantity"]) for each in issues]
