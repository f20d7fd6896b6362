"""A person's part of the audit log: exported whole, erased by destroying their key.

Entries stay, with their hashes: what was personal in them can be read by nobody any more.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import orjson

from core.context import PERSONAL, Services
from core.erasure import on_user_deleted, on_user_export
from core.security.crypto import Cipher
from stores import audit as store
from stores import auth as accounts
from stores.audit import AuditEntry


@on_user_deleted
async def erase(services: Services, user_id: str) -> None:
    await store.subject_keys.destroy(services, user_id)


@on_user_export
async def export(services: Services, user_id: str) -> AsyncIterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Entries of what the person did, and of what was done about them; of others no more than ids."""
    user = await accounts.users.by_id(services.db, user_id)
    organizations = [PERSONAL, *([user["org"]] if user and "org" in user else [])]
    own = {"org_id": {"$in": organizations}, "actor_id": user_id}
    ciphers = await store.subject_keys.opening(services, [user_id])
    async for rows in store.entries.batches(services.db, {"$or": [{"subject_id": user_id}, own]}):
        yield "audit_entries", [_shown(row, user_id, ciphers.get(user_id)) for row in rows]


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
        shown[field] = orjson.loads(text) if text and field == "sensitive_details" else text
    return shown
