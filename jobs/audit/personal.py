"""A person's part of the audit log: exported whole, erased by destroying their key.

Entries stay, with their hashes: what was personal in them can be read by nobody any more. Evidence of people
who belong to no organization is theirs alone, and goes with them; that of an organization is the
organization's.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any

import orjson

from core.context import PERSONAL, Context, Services
from core.erasure import erase_owned, on_user_deleted, on_user_export, pages
from core.security.crypto import Cipher
from core.storage.batches import each_in_unit
from ports.audit import LockedStorage
from resolvers.audit import holding
from stores import audit as store
from stores import auth as accounts
from stores.audit import AuditEntry, AuditExport, Evidence


class Held(Exception):
    """The person's data are under a legal hold, which came when the erasure had begun."""


OBJECTS = ("sensitive_details", "location")
"""Encrypted fields that are JSON objects."""


@on_user_deleted
async def erase(services: Services, user_id: str) -> None:
    """Destroy the person's key; while a legal hold is on their data it fails, and is tried again."""
    ctx = Context(services)
    await ctx.unit(partial(_destroy_key, ctx, user_id))
    await erase_owned([store.saved_queries], services, user_id)
    await each_in_unit(services, store.evidence, store.evidence_query(PERSONAL, user_id), _erase_evidence)
    await each_in_unit(services, store.audit_exports, {"requested_by": user_id}, _erase_export)


async def _destroy_key(ctx: Context, user_id: str) -> None:
    if await holding.keeps(ctx, user_id):
        raise Held
    await store.subject_keys.destroy(ctx.db, user_id)


async def _erase_export(ctx: Context, row: AuditExport) -> None:
    if row["file_key"] is not None:
        await ctx.services.objects.delete([row["file_key"]])
    await ctx.tx.delete(store.audit_exports, row)


async def _erase_evidence(ctx: Context, row: Evidence) -> None:
    """Erase evidence with its chain of custody, and its file first: who is interrupted begins again."""
    if row["file_key"] is not None:
        await ctx.services.get(LockedStorage).objects.delete([row["file_key"]])
    for record in await store.custody.find(ctx.db, {"evidence_id": row["_id"]}, limit=store.MOST_CUSTODY):
        await ctx.tx.delete(store.custody, record)
    await ctx.tx.delete(store.evidence, row)


@on_user_export
async def export(services: Services, user_id: str) -> AsyncIterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Entries of what the person did, and of what was done about them; of others no more than ids."""
    user = await accounts.users.by_id(services.db, user_id)
    organizations = [PERSONAL, *([user["org"]] if user and "org" in user else [])]
    own = {"org_id": {"$in": organizations}, "actor_id": user_id}
    ciphers = await store.subject_keys.opening(services, [user_id])
    async for rows in store.entries.batches(services.db, {"$or": [{"subject_id": user_id}, own]}):
        yield "audit_entries", [_shown(row, user_id, ciphers.get(user_id)) for row in rows]
    async for rows_shown in pages(
        services, store.audit_exports, {"requested_by": user_id}, without=("file_key",)
    ):
        yield "audit_exports", rows_shown
    async for queries in pages(services, store.saved_queries, {"owner_id": user_id}):
        yield "audit_saved_queries", queries
    async for found in pages(
        services, store.evidence, store.evidence_query(PERSONAL, user_id), without=("file_key",)
    ):
        yield "audit_evidence", found
        of_these = {"evidence_id": {"$in": [each["id"] for each in found]}}
        async for records in pages(services, store.custody, of_these):
            yield "audit_custody", records


def _shown(entry: AuditEntry, user_id: str, cipher: Cipher | None) -> dict[str, Any]:
    """Entry with those encrypted values that are encrypted with the person's own key."""
    by, about = entry["actor_id"], entry["subject_id"] or entry["actor_id"]
    shown = {name.lstrip("_"): value for name, value in entry.items() if name not in store.SEALED}
    if by != user_id:
        # Where somebody else was, and with what, is theirs.
        shown |= {"ip_masked": None, "device_id": None, "request_id": None}
    owners = {**dict.fromkeys(store.SEALED, by), "sensitive_details": about}
    for field, owner in owners.items():
        text = store.opened(entry, field, cipher if owner == user_id else None)
        shown[field] = orjson.loads(text) if text and field in OBJECTS else text
    return shown
