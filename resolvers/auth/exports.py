"""Data exports: requested, linked by mail, deleted after a week."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from core import clock, ids
from core.context import Context, Services
from core.jobs import enqueue
from core.nodes import guard
from core.security.limits import Rate
from core.storage.loader import by_id
from ports.auth import AuthSettings
from resolvers.auth import people, security
from resolvers.auth.sessions import signed_in
from resolvers.auth.telling import account_changed
from stores import auth as store
from stores.auth import DataExport, DataExportStatus, SecurityEventKind

LIFE = timedelta(days=7)
EXPORT_RATE = Rate("export", 3, 86_400)


async def request_data_export(ctx: Context) -> dict[str, Any]:
    """Request an export of everything that is kept about the viewer."""
    _, user = await signed_in(ctx)
    return {"data_export": await begin_export(ctx, ctx.viewer_id), **account_changed(user)}


async def begin_export(
    ctx: Context, user_id: str, *, system: str | None = None, rate: Rate = EXPORT_RATE
) -> DataExport:
    """Begin an export of a person's data, or of one system's part; a running one is returned instead.

    The link is mailed to the person, whoever asked for it.
    """
    latest = await store.latest_export(ctx.db, user_id, system)
    if latest is not None and latest["status"] == DataExportStatus.BUILDING:
        return latest
    await ctx.limit(rate)
    export = await ctx.tx.insert(
        store.data_exports,
        {
            "_id": ids.new_id("export"),
            "user_id": user_id,
            "status": DataExportStatus.BUILDING,
            "origin": ctx.origin,
            "link_hash": None,
            "size_bytes": None,
            "created_at": clock.now(),
            "expires_at": clock.now() + LIFE,
            **({} if system is None else {"system": system}),
        },
    )
    await enqueue(ctx.tx, "auth.build_export", export_id=export["_id"])
    await security.record(ctx, user_id, SecurityEventKind.EXPORT)
    return export


async def of_account(ctx: Context, account: Mapping[str, Any]) -> DataExport | None:
    """The latest export its owner asked for; None for others, and once its link is no longer good."""
    if not people.is_own(ctx, account):
        return None
    latest = await store.latest_export(ctx.db, ctx.viewer_id)
    return latest if latest and _good(latest) else None


@guard("export")
async def own_exports(ctx: Context, wanted: Sequence[str]) -> list[DataExport | None]:
    """Access guard of data exports: the person's own, while their link is good."""
    found = await ctx.load_many(by_id(store.data_exports), wanted)
    own = ctx.viewer_id_or_none
    return [each if each and each["user_id"] == own and _good(each) else None for each in found]


def _good(export: DataExport) -> bool:
    return export["expires_at"] > clock.now()


def key_of(export_id: str) -> str:
    """Key of the archive in the object store."""
    return f"exports/{export_id}/data.zip"


def new_link(services: Services, export: DataExport) -> tuple[str, str]:
    """Link to mail, and the hash of its secret to store."""
    secret = secrets.token_urlsafe(32)
    return f"{_base(services, export)}/exports/{export['_id']}/{secret}", _hash(secret)


def _base(services: Services, export: DataExport) -> str:
    """Base URL from the settings, never from the request's Host: a forged one would leak the secret."""
    settings = services.settings
    if settings.public_url:
        return settings.public_url.rstrip("/")
    return f"https://{services.get(AuthSettings).rp_id}" if settings.production else export["origin"]


async def opened(services: Services, export_id: str, secret: str) -> str | None:
    """Key of the archive for the holder of the link; None if the link is wrong or expired."""
    export = await store.data_exports.by_id(services.db, export_id)
    if export is None or export["link_hash"] is None or export["expires_at"] <= clock.now():
        return None
    return key_of(export_id) if hmac.compare_digest(export["link_hash"], _hash(secret)) else None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
