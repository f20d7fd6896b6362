"""Steps of the audit log's tests."""

from typing import Any

import orjson

from core.context import Services
from stores import audit as store
from stores.audit import AuditEntry


async def on_record(services: Services, **where: Any) -> list[AuditEntry]:
    """Entries with these values, in the order in which they were written."""
    return await store.entries.find(services.db, where, sort=[("_id", 1)])


async def sensitive(services: Services, entry: AuditEntry) -> dict[str, Any]:
    """Values that an entry keeps encrypted of its act."""
    return orjson.loads(await opened(services, entry, "sensitive_details") or b"{}")  # type: ignore[no-any-return]


async def opened(services: Services, entry: AuditEntry, field: str) -> str | None:
    """An encrypted field's text; None if it has none, or its key is gone."""
    about = entry["subject_id"] if field == "sensitive_details" else None
    person = about or entry["actor_id"]
    if person is None or entry[field] is None:  # type: ignore[literal-required]
        return None
    ciphers = await store.subject_keys.opening(services, [person])
    text: str = entry[field]  # type: ignore[literal-required]
    return ciphers[person].open(text, place=store.place_of(entry, field)) if person in ciphers else None
