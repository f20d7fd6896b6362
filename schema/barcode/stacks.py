"""Stacks and their products, as clients see them."""

from core.graphql import Edge, Page, batched, connection, dated, mutation, node, one, told, type_, visible
from core.graphql.common import Entity
from core.ids import Id
from core.storage.loader import own_by_id
from resolvers.barcode import stacking
from schema.barcode.types import HIDDEN_PRODUCT
from schema.catalog import Dosage, Product, ProductVariant
from stores.barcode import StackItemSource, stacks
from stores.catalog import IntakeTimeslot

NAME = "Name of the stack, 1 to 60 characters, unlike those of your others."
DOSAGE = "Dosage of the product"
TIMES = "Times of intake, at most 13"


@node("stack_item")
class StackItem(Entity):
    """Product in a stack of yours, with how much of it you take, and when."""

    stack: "Stack | None" = one(own_by_id(stacks), key="stack_id")
    """Stack that the product is in; null when it is gone."""
    product: Product | None = dated(visible("product_id"), HIDDEN_PRODUCT)
    """Product that you take; null when it is hidden from you."""
    variant: ProductVariant | None = dated(visible("variant_id"), HIDDEN_PRODUCT)
    """Variant that you take; null when none was chosen, and when it is hidden from you."""
    dosage: Dosage
    """Dosage that you take: the one on the label until you change it."""
    timeslots: list[IntakeTimeslot]
    """Times of intake in a day: those on the label until you change them."""
    position: int
    """Position of the item: those of a stack are in ascending order of it, with gaps."""
    added_from: StackItemSource
    """Source from which the product came into the stack."""


@node("stack")
class Stack(Entity):
    """Stack of yours: products that you take together."""

    name: str
    """Name of the stack, 1 to 60 characters."""
    items: list[StackItem] = told(batched(stacking.items, reads=["_id"]), "stack_items")
    """Products of the stack in their order, at most 100."""
    item_count: int
    """Number of products in the stack."""


@type_
class StackMutations:
    """Stacks and their products."""

    create_stack = mutation(
        stacking.create_stack,
        refuses="LIMIT_REACHED NAME_TAKEN OUT_OF_RANGE REQUIRED TOO_LONG TOO_MANY",
        returns={
            "stack": Stack,
            "stack_edge": (Edge[Stack], "Edge of the stack at the end of your stacks; null when refused."),
        },
        name=NAME,
        items="Products of the new stack in their order, at most 100, each once.",
    )
    """Create a stack, with products if you like. You may have 20."""
    update_stack = mutation(
        stacking.update_stack, refuses="NAME_TAKEN REQUIRED TOO_LONG", returns={"stack": Stack}, name=NAME
    )
    """Update the name of a stack."""
    delete_stack = mutation(stacking.delete_stack, returns={"deleted_stack_id": Id})
    """Delete a stack for good, with the products in it."""
    add_stack_item = mutation(
        stacking.add_stack_item,
        refuses="LIMIT_REACHED NAME_TAKEN OUT_OF_RANGE REQUIRED TOO_LONG TOO_MANY",
        returns={
            "stack": Stack,
            "stack_item": StackItem,
            "already_existed": (
                bool,
                "True if the product was in the stack before, and stays as it was; null when refused.",
            ),
        },
        target="Stack to add to: one of yours, or a new one.",
        product_variant_id="Id of the variant to take, one of the product's; none when left out.",
        dosage=f"{DOSAGE}, where it differs from the one on its label.",
        timeslots=f"{TIMES}; those on the label when left out.",
        added_from="Source from which the product comes.",
        scan_record_id="Id of the scan that found the product, one of yours.",
    )
    """Add a product to a stack, or to a new one. A product is in a stack once."""
    update_stack_item = mutation(
        stacking.update_stack_item,
        refuses="OUT_OF_RANGE TOO_LONG TOO_MANY",
        returns={"stack_item": StackItem},
        product_variant_id="Id of the variant to take, one of the product's.",
        dosage=f"{DOSAGE} from now on.",
        timeslots=f"{TIMES}, from now on.",
    )
    """Update how much of a product you take, and when."""
    move_stack_item = mutation(
        stacking.move_stack_item,
        refuses="OUT_OF_RANGE",
        returns={"stack": Stack},
        index="Place in the stack to move the product to, 0 for the first.",
    )
    """Move a product to another place in its stack."""
    remove_stack_item = mutation(
        stacking.remove_stack_item,
        returns={"stack": Stack, "deleted_stack_item_id": Id},
    )
    """Remove a product from its stack."""


@type_
class StacksOfViewer:
    """Stacks of the viewer."""

    stacks: Page[Stack] = connection(stacking.viewer_stacks)
    """Your stacks, first made first."""
