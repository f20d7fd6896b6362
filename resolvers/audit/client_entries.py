"""Entries that apps write about what their users do: in batches, each entry a unit of its own."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import orjson

from core import ids, paging
from core.audit import Act
from core.context import Context
from core.errors import BadUserInput, UserError
from core.mutations import batches
from core.mutations.batches import Item
from core.mutations.idempotency import Mutation
from core.security.limits import Rate
from core.values.bounds import check_count, check_length
from resolvers.audit.incidents import LONGEST_ID, incident_exists
from resolvers.audit.reading import entries_listing
from resolvers.audit.recording import CLIENT, append
from stores import audit as store
from stores.audit import NEWEST, AuditEntry, AuditEventKind

WRITE_RATE = Rate("audit-entries", 600, 60)
FROM_CLIENTS = frozenset(
    {AuditEventKind.USER_ACTION, AuditEventKind.DECISION_MADE, AuditEventKind.COMMUNICATION_SENT}
)
"""Kinds of events that apps tell of; the service itself tells of the others."""
ACTION = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+")
LONGEST_ACTION = 100
MOST_ENTRIES = 100
MOST_ENTRY_BYTES = 64 * 1024
MOST_VALUES = 1_000
"""Values within the details of an entry: each is looked at whenever the entry is hashed, or shown."""
MOST_BATCH_BYTES = 1_000_000
"""As a request's whole body has by default, so that a batch fits in one."""

Row = Mapping[str, Any]


class Recorded(TypedDict):
    results: list[dict[str, Any]]


async def record_audit_entries(ctx: Context, *, entries: Sequence[Row]) -> Recorded:
    """Record entries about the viewer's acts, in their order; actor, address and time are the server's."""
    check_count(entries, least=1, most=MOST_ENTRIES, field="entries")
    if sum(_size(each) for each in entries) > MOST_BATCH_BYTES:
        raise _too_large("entries", MOST_BATCH_BYTES)
    for each in entries:
        if each.get("id") is None:
            raise UserError("REQUIRED", "Mint an id, which makes a retry safe.", field=["entries", "id"])
    items = [Item(each["id"], {"entry": each}) for each in entries]
    payloads = await batches.run(ctx, RECORD, items)
    return {"results": [_result(payload) for payload in payloads]}


def _result(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {"audit_entry": None, "audit_entry_edge": None, **payload, "item_id": payload["idempotency_key"]}


async def _record_entry(ctx: Context, *, entry: Row) -> dict[str, Any]:
    """Append one entry; the same id again finds the one that is there."""
    await ctx.limit(WRITE_RATE)
    _check(entry)
    incident_id = entry.get("incident_id")
    if incident_id is not None:
        await need_incident(ctx, incident_id)
    id = ids.minted(entry["id"], store.PREFIX)
    if await store.entries.by_id(ctx.db, id) is not None:
        raise UserError("ID_TAKEN", "This id is in use.", field=["id"])
    appended = await append(ctx, _act(entry), id=id)
    if appended is None:
        raise UserError("ID_TAKEN", "This id is in use.", field=["id"])
    return {"audit_entry": appended, "audit_entry_edge": own_edge(ctx, appended)}


async def need_incident(ctx: Context, incident_id: str) -> None:
    """INCIDENT_NOT_FOUND unless the incident exists and is of the viewer's organization."""
    if not any(await incident_exists(ctx, incident_id)):
        raise UserError("INCIDENT_NOT_FOUND", "There is no such incident.", field=["incidentId"])


RECORD = Mutation(
    "recordAuditEntry",
    _record_entry,
    refuses=frozenset({"ID_TAKEN", "INCIDENT_NOT_FOUND", "INVALID_FORMAT", "TOO_LARGE", "TOO_LONG"}),
)


def own_edge(ctx: Context, entry: AuditEntry) -> dict[str, Any]:
    """Edge of an entry in the list of all that the viewer may read."""
    return paging.edge_of(entries_listing(ctx.viewer_id, {}), NEWEST, entry)


def _act(entry: Row) -> Act:
    return Act(
        entry["action"],
        str(entry["event_kind"].value),
        str(entry["resource_kind"].value) if entry.get("resource_kind") else "OTHER",
        resource_id=entry.get("resource_id"),
        incident_id=entry.get("incident_id"),
        details=entry.get("details") or {},
        sensitive=entry.get("sensitive_details") or {},
        source=CLIENT,
        entry_key=entry["id"],
        occurred_at=entry.get("occurred_at"),
    )


def _check(entry: Row) -> None:
    if entry["event_kind"] not in FROM_CLIENTS:
        raise UserError("INVALID_INPUT", "Apps do not tell of such events.", field=["eventKind"])
    check_length(entry["action"], most=LONGEST_ACTION, field="action")
    if not ACTION.fullmatch(entry["action"]):
        raise UserError("INVALID_FORMAT", "Write it as in `note.pinned`.", field=["action"])
    for field in ("resource_id", "incident_id"):
        check_length(entry.get(field) or "", most=LONGEST_ID, field=field)
    for field in ("details", "sensitive_details"):
        _check_object(entry.get(field), field)
    if _size(entry) > MOST_ENTRY_BYTES:
        raise _too_large("details", MOST_ENTRY_BYTES)


def _check_object(value: Any, field: str) -> None:
    """INVALID_INPUT for what is no JSON object that every reader sees alike."""
    try:
        fit = value is None or isinstance(value, dict)
        store.plain_json(value)
    except BadUserInput:
        fit = False
    if not fit:
        raise UserError("INVALID_INPUT", "This is no JSON object that can be kept.", field=[field])
    if _has_many(value):
        raise UserError("TOO_LARGE", "At most {limit} values.", field=[field], limit=MOST_VALUES)


def _has_many(value: Any) -> bool:
    """True for JSON of more values than an entry may have, those within others included."""
    waiting, count = [value], 0
    while waiting and count <= MOST_VALUES:
        each = waiting.pop()
        within = each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
        count += len(within)
        waiting += within
    return count > MOST_VALUES


def _size(entry: Row) -> int:
    """Bytes of what an entry brings, as JSON."""
    try:
        return len(orjson.dumps(entry, default=str))
    except (TypeError, ValueError):
        # Integers beyond 64 bits, or half a surrogate pair: what becomes of them is said of the entry alone.
        return len(repr(entry))


def _too_large(field: str, most: int) -> UserError:
    return UserError("TOO_LARGE", "At most {limit} bytes.", field=[field], limit=most)
