"""Changes of a cart: its lines as they become, written at once with what devices are told."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core import ids, jobs
from core.context import Context
from resolvers.catalog import release_stock, stock_holder
from stores.cart import carts as store
from stores.cart.carts import ANONYMOUS, KNOWN, MOST_ALIASES, MOST_KNOWN, Alias, Cart, Gone, Line, Option
from stores.catalog import HolderType, Product, Variant

HOLD_TASK = "cart.end_hold"


class Draft:
    """Draft of a cart: it is changed line by line, and then saved."""

    def __init__(self, ctx: Context, cart: Cart) -> None:
        self._ctx = ctx
        self.cart = cart
        self.lines: list[Line] = list(cart["lines"])
        self.currency = cart["currency"]
        self._gone: list[Gone] = list(cart["gone"])
        self._before = {line["_id"]: line for line in cart["lines"]}
        self._changes: dict[str, Any] = {}

    @property
    def now(self) -> datetime:
        return self._ctx.tx.now

    def line(self, line_id: str) -> Line | None:
        """The line that is known by this id."""
        return store.find_line(self.lines, line_id)

    def tombstone(self, line_id: str) -> Gone | None:
        """The tombstone of a line that was removed, or ordered."""
        return next((each for each in self._gone if each["id"] == line_id), None)

    def equal_line(self, variant_id: str, options: list[Option], *, but: str | None = None) -> Line | None:
        """The line of the same variant with equal options."""
        for line in self.lines:
            if line["variant_id"] == variant_id and line["options"] == options and line["_id"] != but:
                return line
        return None

    def add(
        self,
        line_id: str | None,
        product: Product,
        variant: Variant,
        options: list[Option],
        quantity: int,
        unit_price: int,
        *,
        capped: bool = False,
    ) -> Line:
        """Add a line at the end."""
        line: Line = {
            "_id": line_id or ids.new_id("cart_line"),
            "version": 1,
            "created_at": self.now,
            "updated_at": self.now,
            **_snapshot(product, variant),  # type: ignore[typeddict-item]
            "options": options,
            "quantity": quantity,
            "unit_price": unit_price,
            "capped": capped,
            "aliases": [],
            "since": self.cart["version"] + 1,
        }
        self.lines.append(line)
        return line

    def change(self, line: Line, **changes: Any) -> Line:
        """Change a line; its version grows once, however often it is changed."""
        if all(line.get(name) == value for name, value in changes.items()):
            return line
        before = self._before.get(line["_id"])
        version = before["version"] + 1 if before else 1
        changed: Line = {**line, **changes, "version": version, "updated_at": self.now}  # type: ignore[typeddict-item]
        self.lines = [changed if each["_id"] == line["_id"] else each for each in self.lines]
        return changed

    def swap(self, line: Line, product: Product, variant: Variant) -> Line:
        """Put another variant in a line's place, at its price."""
        changes = {**_snapshot(product, variant), "unit_price": variant["price"], "capped": False}
        return self.change(line, **changes)

    def alias(self, line: Line, *ids_: str) -> Line:
        """Let a line be known by further ids."""
        known = store.ids_of(line)
        new: list[Alias] = [{"id": id, "at": self.now} for id in dict.fromkeys(ids_) if id not in known]
        return self.change(line, aliases=[*line["aliases"], *new][-MOST_ALIASES:])

    def remove(self, line: Line, *, ordered: bool = False) -> None:
        """Remove a line, whose ids are known as gone from then on."""
        self.lines = [each for each in self.lines if each["_id"] != line["_id"]]
        for id in store.ids_of(line):
            self.bury(id, ordered=ordered)

    def bury(self, line_id: str, *, ordered: bool = False) -> None:
        self._gone.append({"id": line_id, "at": self.now, "ordered": ordered})

    def join(self, line: Line, other: Line, quantity: int) -> Line:
        """Make one line of two: the first gets the other's ids as aliases, and a quantity."""
        self.lines = [each for each in self.lines if each["_id"] != other["_id"]]
        joined = self.alias(line, *store.ids_of(other))
        return self.change(joined, quantity=quantity, capped=False)

    def set(self, **changes: Any) -> None:
        """Change fields of the cart itself."""
        self._changes |= {name: value for name, value in changes.items() if self.cart.get(name) != value}

    @property
    def changed_lines(self) -> list[Line]:
        return [line for line in self.lines if self._before.get(line["_id"]) != line]

    @property
    def removed_lines(self) -> list[Line]:
        kept = {line["_id"] for line in self.lines}
        return [line for id, line in self._before.items() if id not in kept]

    async def save(self) -> Cart:
        """Write what was changed, release the hold, and tell the owner's devices; nothing for no change."""
        ctx, changed, removed = self._ctx, self.changed_lines, self.removed_lines
        if not (self._changes or changed or removed or len(self._gone) > len(self.cart["gone"])):
            return self.cart
        if self.currency != self.cart["currency"]:
            self._changes["currency"] = self.currency
        await release_hold(ctx, self.cart)
        written = await write(ctx, self.cart, {**self._changes, **self._kept(), "hold": None})
        tell_lines(ctx, written, changed, removed, known=self._before)
        return written

    def _kept(self) -> dict[str, Any]:
        """Lines and tombstones, without ids that nobody sends any more."""
        oldest = self.now - KNOWN
        gone = [each for each in self._gone if each["at"] >= oldest][-MOST_KNOWN:]
        return {"lines": [_pruned(line, oldest) for line in self.lines], "gone": gone}


def _pruned(line: Line, oldest: datetime) -> Line:
    if all(alias["at"] >= oldest for alias in line["aliases"]):
        return line
    return {**line, "aliases": [each for each in line["aliases"] if each["at"] >= oldest]}


def _snapshot(product: Product, variant: Variant) -> dict[str, Any]:
    """Snapshot of its product that a line keeps, for when that is gone."""
    return {
        "variant_id": variant["_id"],
        "product_id": product["_id"],
        "sku": variant["sku"],
        "title": title_of(product, variant),
        "image_id": product["image_ids"][0] if product["image_ids"] else None,
    }


STANDARD = "Standard"
"""Title of a variant that is the only one of its product."""


def title_of(product: Product, variant: Variant) -> str:
    """Title of the product and the variant, for people."""
    title = variant["title"]
    return product["name"] if title == STANDARD else f"{product['name']}, {title}"


async def write(ctx: Context, cart: Cart, changes: Mapping[str, Any]) -> Cart:
    """Write a change of the cart, by the device that asks; the life of a device's cart begins anew."""
    device_id = ctx.viewer.device_id if ctx.viewer else None
    lasting = {} if cart["owner_id"] else {"expires_at": ctx.tx.now + ANONYMOUS}
    return await ctx.tx.edit(store.carts, cart, {"device_id": device_id, **lasting, **changes})


def tell_lines(
    ctx: Context, cart: Cart, changed: list[Line], removed: list[Line], *, known: Mapping[str, Any]
) -> None:
    """Log lines for the owner's devices; those of a device's cart are told with the cart alone."""
    if cart["owner_id"] is None:
        return
    scopes = list(store.scopes_of(cart))
    for line in changed:
        ctx.tx.changed(line, scopes=scopes, created=line["_id"] not in known, audience_never_shrinks=True)
    for line in removed:
        ctx.tx.removed(line)


async def release_hold(ctx: Context, cart: Cart) -> None:
    """Give back the stock that is held for the cart."""
    if cart["hold"] is not None:
        await release_stock(ctx, stock_holder(HolderType.CART, cart["_id"]))
        await jobs.cancel(ctx.tx, HOLD_TASK, key=hold_key(cart))


def hold_key(cart: Cart) -> str:
    return f"hold:{cart['_id']}"
