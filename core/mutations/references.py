"""References: what a receipt keeps of a payload in place of its entities.

A replay shows them as they are now, through the same access guards as every read, and no private data is
stored in receipts.
"""

from collections.abc import Collection, Mapping
from typing import Any

from core import nodes
from core.context import Context
from core.ids import prefix_of

REFERENCE = "$ref"

Payload = dict[str, Any]


def stored(payload: Payload, secrets: Collection[str]) -> Payload:
    """The payload as its receipt keeps it, without its secrets."""
    return {name: _referenced(value) for name, value in payload.items() if name not in secrets}


def referenced_id(value: Any) -> str | None:
    """The id a stored payload field refers to."""
    return value.get(REFERENCE) if isinstance(value, dict) else None


def ids_in(value: Any) -> list[str]:
    """All ids that a stored value refers to."""
    if isinstance(value, dict):
        if REFERENCE in value:
            return [value[REFERENCE]]
        return [id for inner in value.values() for id in ids_in(inner)]
    if isinstance(value, list):
        return [id for item in value for id in ids_in(item)]
    return []


async def restored(ctx: Context, payload: Payload) -> Payload:
    """A stored payload with its entities, as the caller may see them now."""
    entities = ctx.flush.entities
    if entities is None:
        ctx.refresh()
        entities = await nodes.visible(ctx, ids_in(payload))
    whole: Payload = _resolved(payload, entities)
    return whole


def _referenced(value: Any) -> Any:
    """The value with entities replaced by references to them."""
    if isinstance(value, Mapping):
        id = value.get("_id")
        if isinstance(id, str) and prefix_of(id) in nodes.GUARDS:
            return {REFERENCE: id}
        return {name: _referenced(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_referenced(item) for item in value]
    return value


def _resolved(value: Any, entities: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        if REFERENCE in value:
            return entities.get(value[REFERENCE])
        whole = {name: _resolved(inner, entities) for name, inner in value.items()}
        # An edge without its node is no edge.
        return None if "node" in whole and whole["node"] is None else whole
    if isinstance(value, list):
        return [_resolved(item, entities) for item in value]
    return value
