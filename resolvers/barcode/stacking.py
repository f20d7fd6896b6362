"""Stacks: products that a person takes together, each once in a stack, in an order of their own."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypedDict, Unpack

from pymongo.errors import PyMongoError

from core import ids
from core.context import Context
from core.errors import UserError, below, check_version
from core.hooks import Hook
from core.ids import Id
from core.nodes import for_update
from core.one_of import one_of
from core.paging import PageArgs
from core.security.limits import Rate
from core.values.bounds import check_count, check_length
from core.values.text import Line
from core.values.words import key
from loaders.barcode import ItemsByStack
from resolvers.barcode import warmup
from resolvers.barcode.dosing import Dosage, checked_timeslots, with_changes
from resolvers.catalog import visible_products
from stores import barcode as store
from stores.barcode import Stack, StackItem, StackItemSource
from stores.catalog import IntakeTimeslot, Product

STACK_RATE = Rate("stacks", 300, 3600)
LONGEST_NAME = 60

stack_deleted = Hook[[Context, str], None]("barcode.stack_deleted")
"""Called with the id of each stack that is deleted, in the unit of work."""
item_removed = Hook[[Context, str], None]("barcode.item_removed")
"""Called with the id of each item that leaves its stack, in the unit of work."""

Document = Mapping[str, Any]


class NewStack(TypedDict):
    """Stack to make for the product."""

    id: Id | None
    """Id of the new stack, minted by the app; minted by the server when left out."""
    name: Line
    """Name of the new stack, 1 to 60 characters, unlike those of your others."""


@one_of
class StackTarget(TypedDict, total=False):
    """Stack to add a product to: one that is there, or a new one."""

    stack_id: Id | None
    """Id of the stack, if it is there."""
    new_stack: NewStack | None
    """Stack to be made, if it is not there yet."""


class NewStackItem(TypedDict):
    """Product of a new stack."""

    id: Id | None
    """Id of the item, minted by the app; minted by the server when left out."""
    product_id: Id
    """Id of the product to take."""
    product_variant_id: Id | None
    """Id of the variant to take, one of the product's."""
    dosage: Dosage | None
    """Dosage of the product, where it differs from the one on its label."""
    timeslots: list[IntakeTimeslot] | None
    """Times of intake, at most 13; those on the label when left out."""
    added_from: StackItemSource
    """Source from which the product comes."""


class ItemChanges(TypedDict, total=False):
    product_variant_id: Id | None
    dosage: Dosage
    timeslots: list[IntakeTimeslot]


class Changed(TypedDict):
    stack: Stack


class Created(Changed):
    stack_edge: dict[str, Any]


class Deleted(TypedDict):
    deleted_stack_id: Id


class ItemAdded(Changed):
    stack_item: StackItem
    already_existed: bool


class ItemChanged(TypedDict):
    stack_item: StackItem


class ItemRemoved(Changed):
    deleted_stack_item_id: Id


async def viewer_stacks(ctx: Context, viewer: Document, *, args: PageArgs) -> dict[str, Any]:
    """The viewer's stacks, first made first."""
    return await store.stacks.page(ctx.db, {"user_id": ctx.viewer_id}, store.FIRST_MADE, args)


async def items(ctx: Context, stacks: Sequence[Document]) -> list[list[StackItem]]:
    return await ctx.load_level(ItemsByStack, [each["_id"] for each in stacks])


async def create_stack(
    ctx: Context, *, id: Id | None = None, name: Line, items: Sequence[NewStackItem] = ()
) -> Created:
    """Make a stack, with products if there are any."""
    await ctx.limit(STACK_RATE)
    check_count(items, most=store.MOST_ITEMS, field="items")
    stack = await _made(ctx, id, name)
    with below("items"):
        await _fill(ctx, stack, items)
    if items:
        stack = await _counted(ctx, stack, len(items))
    edge = store.stacks.edge({"user_id": ctx.viewer_id}, store.FIRST_MADE, stack)
    return {"stack": stack, "stack_edge": edge}


async def _fill(ctx: Context, stack: Stack, items: Sequence[NewStackItem]) -> None:
    products = await _products(ctx, [each["product_id"] for each in items])
    if len(products) < len(items):
        raise UserError("INVALID_INPUT", "A product is in a stack once.", field=["productId"])
    for place, each in enumerate(items, start=1):
        made = _fields(ctx, stack, products[each["product_id"]], each)
        await _inserted(ctx, each.get("id"), made, place * store.STEP)


async def _made(ctx: Context, id: str | None, name: str, *within: str) -> Stack:
    """A new stack, of an input or of an object within one."""
    field = [*within, "name"]
    with below(*within):
        check_length(name, least=1, most=LONGEST_NAME, field="name")
    others = await store.stacks.find(
        ctx.db, {"user_id": ctx.viewer_id}, limit=store.MOST_STACKS, fields=("name_key",)
    )
    if len(others) >= store.MOST_STACKS:
        raise UserError("LIMIT_REACHED", "At most {limit} stacks.", field=field, limit=store.MOST_STACKS)
    named = {"name": name, "name_key": key(name), "item_count": 0}
    made = {"_id": ids.minted(id, "stack"), "user_id": ctx.viewer_id, **named}
    return await ctx.tx.insert(store.stacks, made, taken=partial(_name_taken, field))


def _name_taken(field: Sequence[str], _: PyMongoError | None = None) -> UserError:
    return UserError("NAME_TAKEN", "This name is taken.", field=field)


async def update_stack(
    ctx: Context, *, stack_id: Id, name: Line, expected_version: int | None = None
) -> Changed:
    """Rename a stack."""
    await ctx.limit(STACK_RATE)
    stack = await for_update(ctx, store.stacks, stack_id)
    check_version(expected_version, stack["version"], stack=stack)
    check_length(name, least=1, most=LONGEST_NAME, field="name")
    same = {"user_id": ctx.viewer_id, "name_key": key(name)}
    other = await store.stacks.first(ctx.db, same)
    if other is not None and other["_id"] != stack_id:
        raise _name_taken(["name"])
    return {"stack": await ctx.tx.edit(store.stacks, stack, {"name": name, "name_key": key(name)})}


async def delete_stack(ctx: Context, *, stack_id: Id) -> Deleted:
    """Delete a stack with its products."""
    await ctx.limit(STACK_RATE)
    stack = await for_update(ctx, store.stacks, stack_id)
    await stack_deleted(ctx, stack_id)
    for item in await store.items_of(ctx.db, ctx.viewer_id, [stack_id]):
        await _removed(ctx, item)
    await ctx.tx.delete(store.stacks, stack)
    await warmup.plan(ctx, ctx.viewer_id)
    return {"deleted_stack_id": stack_id}


async def add_stack_item(
    ctx: Context,
    *,
    id: Id | None = None,
    target: StackTarget,
    product_id: Id,
    product_variant_id: Id | None = None,
    dosage: Dosage | None = None,
    timeslots: list[IntakeTimeslot] | None = None,
    added_from: StackItemSource,
    scan_record_id: Id | None = None,
) -> ItemAdded:
    """Add a product to a stack, or to a new one; one that is in it already stays as it is."""
    await ctx.limit(STACK_RATE)
    if scan_record_id is not None:
        await for_update(ctx, store.scans, scan_record_id)
    product = (await _products(ctx, [product_id]))[product_id]
    stack = await _target(ctx, target)
    # Of two devices that add one product at once, the later finds the earlier one's.
    await ctx.tx.lock_document(store.stacks, stack)
    there = await store.items_of(ctx.db, ctx.viewer_id, [stack["_id"]])
    wanted = {"dosage": dosage, "timeslots": timeslots, "product_variant_id": product_variant_id}
    made = _fields(ctx, stack, product, {**wanted, "added_from": added_from})
    known = next((each for each in there if each["product_id"] == product_id), None)
    if known is not None:
        return {"stack": stack, "stack_item": known, "already_existed": True}
    if len(there) >= store.MOST_ITEMS:
        raise UserError(
            "LIMIT_REACHED", "At most {limit} products.", field=["target"], limit=store.MOST_ITEMS
        )
    last = there[-1]["position"] if there else 0
    item = await _inserted(ctx, id, made, last + store.STEP)
    return {"stack": await _counted(ctx, stack, 1), "stack_item": item, "already_existed": False}


async def _target(ctx: Context, target: StackTarget) -> Stack:
    new = target.get("new_stack")
    if new is not None:
        return await _made(ctx, new.get("id"), new["name"], "target", "new_stack")
    return await for_update(ctx, store.stacks, str(target["stack_id"]), field="target")


async def _products(ctx: Context, product_ids: Sequence[str]) -> dict[str, Product]:
    """Products to take; NOT_FOUND for one that is hidden or gone."""
    wanted = [ids.checked(each, "product") for each in dict.fromkeys(product_ids)]
    found = await visible_products(ctx, wanted)
    if None in found:
        raise UserError("NOT_FOUND", "There is no such product.", field=["productId"])
    return {each["_id"]: each for each in found if each is not None}


def _fields(ctx: Context, stack: Stack, product: Product, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a new item, with the label's dosage and times where none are given."""
    variant_id = _checked_variant(product, wanted.get("product_variant_id"))
    dosage, timeslots = wanted.get("dosage"), wanted.get("timeslots")
    label = product["schedule"]["timeslots"]
    return {
        "user_id": ctx.viewer_id,
        "stack_id": stack["_id"],
        "product_id": product["_id"],
        "variant_id": variant_id,
        "dosage": with_changes(product["dosage"], dosage or {}),
        "timeslots": label if timeslots is None else checked_timeslots(timeslots),
        "added_from": wanted["added_from"],
    }


def _checked_variant(product: Product, variant_id: str | None) -> str | None:
    if variant_id is not None and all(each["_id"] != variant_id for each in product["variants"]):
        raise UserError("NOT_FOUND", "The product has no such variant.", field=["productVariantId"])
    return variant_id


async def _inserted(ctx: Context, id: str | None, fields: Document, position: int) -> StackItem:
    made = {"_id": ids.minted(id, "stack_item"), **fields, "position": position}
    return await ctx.tx.insert(store.items, made)


async def _counted(ctx: Context, stack: Stack, by: int) -> Stack:
    await warmup.plan(ctx, ctx.viewer_id)
    return await _told(ctx, stack, count=by)


async def update_stack_item(
    ctx: Context,
    *,
    stack_item_id: Id,
    expected_version: int | None = None,
    **changes: Unpack[ItemChanges],
) -> ItemChanged:
    """Change how much of a product is taken, and when."""
    await ctx.limit(STACK_RATE)
    item = await for_update(ctx, store.items, stack_item_id)
    check_version(expected_version, item["version"], stack_item=item)
    change: dict[str, Any] = {}
    if "product_variant_id" in changes:
        product = (await _products(ctx, [item["product_id"]]))[item["product_id"]]
        change["variant_id"] = _checked_variant(product, changes["product_variant_id"])
    if "dosage" in changes:
        change["dosage"] = with_changes(item["dosage"], changes["dosage"])
    if "timeslots" in changes:
        change["timeslots"] = checked_timeslots(changes["timeslots"])
    return {"stack_item": await ctx.tx.edit(store.items, item, change)}


async def move_stack_item(ctx: Context, *, stack_item_id: Id, index: int) -> Changed:
    """Move a product to a place in its stack; the others keep their order."""
    await ctx.limit(STACK_RATE)
    item = await for_update(ctx, store.items, stack_item_id)
    stack = await for_update(ctx, store.stacks, item["stack_id"])
    await ctx.tx.lock_document(store.stacks, stack)
    others = [
        each
        for each in await store.items_of(ctx.db, ctx.viewer_id, [stack["_id"]])
        if each["_id"] != item["_id"]
    ]
    if not 0 <= index <= len(others):
        raise UserError("OUT_OF_RANGE", "0 to {limit}.", field=["index"], limit=len(others))
    position = _between(others, index)
    if position is not None:
        await _placed(ctx, item, position)
    else:
        # No room is left between the two: all get new places.
        for place, each in enumerate([*others[:index], item, *others[index:]], start=1):
            await _placed(ctx, each, place * store.STEP)
    return {"stack": await _told(ctx, stack)}


async def _told(ctx: Context, stack: Stack, *, count: int = 0) -> Stack:
    """Tell devices that a stack has other products than before, or another order of them."""
    changed = await ctx.tx.update(store.stacks, stack, inc={"item_count": count}, version=False)
    assert changed is not None
    return changed


async def _placed(ctx: Context, item: StackItem, position: int) -> None:
    if item["position"] != position:
        await ctx.tx.edit(store.items, item, {"position": position})


def _between(others: Sequence[StackItem], index: int) -> int | None:
    """A position between two neighbors; None where there is none left."""
    before = others[index - 1]["position"] if index > 0 else 0
    if index == len(others):
        return before + store.STEP
    middle = (before + others[index]["position"]) // 2
    return middle if before < middle < others[index]["position"] else None


async def remove_stack_item(ctx: Context, *, stack_item_id: Id) -> ItemRemoved:
    """Take a product out of its stack."""
    await ctx.limit(STACK_RATE)
    item = await for_update(ctx, store.items, stack_item_id)
    stack = await for_update(ctx, store.stacks, item["stack_id"])
    await _removed(ctx, item)
    return {"stack": await _counted(ctx, stack, -1), "deleted_stack_item_id": stack_item_id}


async def _removed(ctx: Context, item: StackItem) -> None:
    await item_removed(ctx, item["_id"])
    await ctx.tx.delete(store.items, item)
