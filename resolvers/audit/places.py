"""Places of entries in their chains, as clients verify them: hashes, signatures, the text that was hashed."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from core.context import Context
from loaders.audit import LinkByEntry, StateByEntry
from resolvers.audit.findings import intact
from stores import audit as store
from stores.audit import (
    AuditEntry,
    AuditEntryState,
    AuditEntryStatus,
    AuditIntegrity,
    AuditLink,
    AuditTier,
)

Entries = Sequence[Mapping[str, Any]]


def of_link(field: str) -> Callable[[Context, Entries], Awaitable[list[Any]]]:
    """Resolver of a field of an entry's link; null until the entry is chained."""

    async def shown(ctx: Context, entries: Entries) -> list[Any]:
        return [link and link[field] for link in await links_of(ctx, entries)]  # type: ignore[literal-required]

    return shown


async def links_of(ctx: Context, entries: Entries) -> list[AuditLink | None]:
    return await ctx.load_level(LinkByEntry, _keys(entries))


async def states_of(ctx: Context, entries: Entries) -> list[AuditEntryState | None]:
    """States of entries; None of those that were put into the database past the service."""
    return await ctx.load_level(StateByEntry, _keys(entries))


async def statuses(ctx: Context, entries: Entries) -> list[AuditEntryStatus]:
    found = await states_of(ctx, entries)
    return [state["status"] if state else AuditEntryStatus.ACCEPTED for state in found]


async def tiers(ctx: Context, entries: Entries) -> list[AuditTier]:
    found = await states_of(ctx, entries)
    return [state["tier"] if state else AuditTier.HOT for state in found]


async def hash_inputs(ctx: Context, entries: Sequence[AuditEntry]) -> list[str | None]:
    """Texts that were hashed, each as `hash_input` says."""
    links = await links_of(ctx, entries)
    return [hash_input(*each) for each in zip(entries, links, strict=True)]


async def integrities(ctx: Context, entries: Sequence[AuditEntry]) -> list[AuditIntegrity]:
    """Integrity of entries: as the last check found, and as their hashes say now."""
    # States first: an entry that was chained by then has its link.
    states = await states_of(ctx, entries)
    links = await links_of(ctx, entries)
    return [_integrity(*each) for each in zip(entries, states, links, strict=True)]


def _integrity(entry: AuditEntry, state: AuditEntryState | None, link: AuditLink | None) -> AuditIntegrity:
    if state is None or state["integrity"] == AuditIntegrity.BROKEN:
        return AuditIntegrity.BROKEN
    if link is not None:
        return AuditIntegrity.VERIFIED if intact(entry, link) else AuditIntegrity.BROKEN
    waits = state["status"] == AuditEntryStatus.ACCEPTED
    return AuditIntegrity.PENDING if waits else AuditIntegrity.BROKEN


def hash_input(entry: AuditEntry, link: AuditLink | None) -> str | None:
    """Text that was hashed; None until the entry is chained."""
    if link is None:
        return None
    try:
        return store.hash_input(entry, link)
    except ValueError:
        # Changed past the service into what no text can have been.
        return None


def _keys(entries: Entries) -> list[tuple[str, str]]:
    return [(each["chain_id"], each["_id"]) for each in entries]
