"""Personal values of entries: decrypted for those who may read them, null for everybody else."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import orjson

from core.context import Context
from core.security.crypto import Cipher, Unreadable
from resolvers.audit.access import Reach, person_of, reach_of
from stores import audit as store
from stores.audit import AuditEntry


def personal_value(field: str) -> Callable[[Context, Sequence[AuditEntry]], Awaitable[list[str | None]]]:
    """Resolver of an encrypted field: null where it is empty or not shown, or its key was destroyed."""

    async def opened(ctx: Context, entries: Sequence[AuditEntry]) -> list[str | None]:
        if ctx.viewer is None:
            return [None for _ in entries]
        reach = await reach_of(ctx)
        wanted = {id for each in entries if (id := _person(reach, each, field)) is not None}
        ciphers = await store.subject_keys.opening(ctx.services, wanted) if wanted else {}
        return [_opened(each, field, ciphers.get(_person(reach, each, field) or "")) for each in entries]

    return opened


def personal_object(
    field: str,
) -> Callable[[Context, Sequence[AuditEntry]], Awaitable[list[dict[str, Any] | None]]]:
    """Resolver of an encrypted field that is a JSON object."""
    opened = personal_value(field)

    async def parsed(ctx: Context, entries: Sequence[AuditEntry]) -> list[dict[str, Any] | None]:
        return [orjson.loads(text) if text is not None else None for text in await opened(ctx, entries)]

    return parsed


def _person(reach: Reach, entry: AuditEntry, field: str) -> str | None:
    """Person with whose key a field is to be read; None for one that is empty, or not shown."""
    value: str | None = entry[field]  # type: ignore[literal-required]
    return person_of(entry, field) if value is not None and reach.shows(entry, field) else None


def _opened(entry: AuditEntry, field: str, cipher: Cipher | None) -> str | None:
    try:
        return store.opened(entry, field, cipher)
    except Unreadable:
        # Changed by somebody: what it was cannot be told any more.
        return None
