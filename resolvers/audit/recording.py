"""Recording: the keeper of acts writes each as an entry of the log, in the unit of work that does it."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import Any

from pymongo.errors import PyMongoError

from core import clock, ids
from core.audit import Act, Mode, recorded
from core.context import PERSONAL, Context
from core.hooks import on
from core.security.networks import masked_address
from loaders.auth import UserById
from ports.auth import GeoIp
from resolvers.audit.actor_names import ActorNames
from resolvers.audit.batching import EntryBatches, insert
from resolvers.audit.sequencing import chained_before
from resolvers.auth import full_name
from stores import audit as store
from stores.audit import AuditActorKind, AuditEntry, AuditEventKind, AuditResourceKind

SKEW = timedelta(minutes=5)
"""Lead of a device's clock above which its entry is flagged."""
SYNC_SECONDS = 2.0
"""Longest wait of an act for its place in the chain, before it fails."""
MEMBER, PROVIDER, SYSTEM = "MEMBER", "PROVIDER", "SYSTEM"
NOBODY = "ANONYMOUS"
META = "meta"
"""Source of acts that are reads of the log itself: a chain of each organization has them."""
CLIENT = "client"
"""Source of acts that apps tell of, which are kept in their words."""
LONGEST_USER_AGENT = 500


@on(recorded)
async def keep(ctx: Context, act: Act, mode: Mode) -> None:
    if mode is Mode.ASYNC:
        source = _source(act)
        entry = await entry_of(ctx, act, source)
        ctx.services.get(EntryBatches).put(_key(act, source, entry), entry)
        return
    appended = await append(ctx, act, id=act.entry_id)
    if mode is Mode.SYNC and appended is not None:
        ctx.tx.after_commit(partial(chained_before, ctx.services, appended["chain_id"], SYNC_SECONDS))


async def append(ctx: Context, act: Act, *, id: str | None = None) -> AuditEntry | None:
    """Append an act's entry with the unit of work, key and state beside it; None if its key is known.

    Its id is a new one unless a client has minted it.
    """
    source = _source(act)
    if act.entry_key is not None:
        known = await store.entry_keys.by_id(ctx.db, f"{source}:{act.entry_key}")
        if known is not None:
            return None
    entry = await entry_of(ctx, act, source, id)
    insert(ctx, _key(act, source, entry), entry)
    return entry


def _source(act: Act) -> str:
    return act.source or act.action.partition(".")[0]


def _key(act: Act, source: str, entry: AuditEntry) -> str:
    return f"{source}:{act.entry_key or entry['_id']}"


async def entry_of(ctx: Context, act: Act, source: str, id: str | None = None) -> AuditEntry:
    """Entry of an act: who did it, and from where, is what the request says of itself."""
    now, viewer = clock.now(), ctx.viewer
    details, told = _told(act, source)
    actor_id = viewer.user_id if viewer else act.actor_id
    org_id = act.org_id or (viewer.org if viewer else PERSONAL)
    chained = store.chain_of(org_id, actor_id, act.incident_id)
    entry = store.entry_document(
        _id=id or ids.new_id(store.PREFIX),
        timestamp=now,
        occurred_at=act.occurred_at,
        clock_skewed=act.occurred_at is not None and act.occurred_at > now + SKEW,
        org_id=org_id,
        chain_id=f"meta:{org_id}" if source == META else chained,
        event_type=AuditEventKind(act.event_type),
        action=act.action,
        actor_id=actor_id,
        actor_type=_actor_type(ctx),
        actor_role=_actor_role(ctx, actor_id),
        device_id=viewer.device_id if viewer else act.device_id,
        request_id=ctx.request_id or None,
        ip_masked=masked_address(ctx.address),
        incident_id=act.incident_id,
        resource_type=AuditResourceKind(act.resource_type),
        resource_id=act.resource_id,
        subject_id=act.subject_id,
        outcome=str(act.outcome),
        access_reason=act.reason,
        details=details,
        metadata={"source": source, **({"emergency": True} if act.emergency else {})},
    )
    about_actor = {
        "actor_name": await _name_of(ctx, actor_id),
        "user_agent": ctx.user_agent[:LONGEST_USER_AGENT] or None,
        "location": _location(ctx),
    }
    await _seal(ctx, entry, actor_id, about_actor)
    sensitive = json.dumps(store.plain_json(told), ensure_ascii=False) if told else None
    await _seal(ctx, entry, act.subject_id or actor_id, {"sensitive_details": sensitive})
    return entry


def _told(act: Act, source: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Details of an act, clear and sensitive: systems name fields as they store them, apps as they please."""
    if source == CLIENT:
        return act.details, act.sensitive
    return store.named_as_in_api(act.details), store.named_as_in_api(act.sensitive)


async def _name_of(ctx: Context, actor_id: str | None) -> str | None:
    """Name of the actor; None for nobody, and for an entry that is written apart from a unit of work."""
    if actor_id is None or ctx.db is ctx.services.db:
        return None
    if (name := await ctx.services.get(ActorNames).of(actor_id)) is not None:
        return name
    # Whoever signs up is there in this unit of work alone.
    actor = await ctx.load(UserById, actor_id)
    return full_name(actor) if actor is not None else None


def _location(ctx: Context) -> str | None:
    """Rough location of the caller's address, as JSON."""
    found = ctx.services.get(GeoIp).location(ctx.address) if ctx.address else None
    return json.dumps(asdict(found), ensure_ascii=False) if found is not None else None


async def _seal(
    ctx: Context, entry: AuditEntry, subject_id: str | None, values: Mapping[str, str | None]
) -> None:
    """Encrypt values with a person's key; of nobody known, and of who was erased, none are kept."""
    told = {field: value for field, value in values.items() if value is not None}
    if not told or subject_id is None:
        return
    try:
        cipher = await store.subject_keys.sealing(ctx.services, subject_id)
    except PyMongoError:
        # In the unit of work it fails; an entry for the spool goes without what nobody can encrypt now.
        if ctx.db is not ctx.services.db:
            raise
        return
    if cipher is not None:
        sealed: dict[str, Any] = {
            field: cipher.seal(value, place=store.place_of(entry, field)) for field, value in told.items()
        }
        entry.update(sealed)  # type: ignore[typeddict-item]


def _actor_type(ctx: Context) -> AuditActorKind:
    if ctx.viewer is None and not ctx.request_id:
        return AuditActorKind.SYSTEM
    provider = ctx.viewer is not None and PROVIDER in ctx.viewer.roles
    return AuditActorKind.PROVIDER if provider else AuditActorKind.USER


def _actor_role(ctx: Context, actor_id: str | None) -> str:
    """Roles beyond a member's."""
    if ctx.viewer is not None:
        return " ".join(sorted(ctx.viewer.roles - {MEMBER})) or MEMBER
    if not ctx.request_id:
        return SYSTEM
    return NOBODY if actor_id is None else MEMBER
