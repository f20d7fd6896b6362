"""Profile: a person's own data, and the push settings of their devices."""

import re
from collections.abc import Mapping
from typing import Any, TypedDict, Unpack

from core import zones
from core.context import Context
from core.errors import ErrorKind, NotFound, UserError, check_version, error_codes
from core.ids import Id
from core.security.limits import Rate
from core.values.text import Line
from resolvers.auth import avatar, telling
from stores import auth as store
from stores.auth import User

error_codes(ErrorKind.INVALID, HANDLE_TAKEN="Somebody else has this handle: choose another.")

PROFILE_RATE = Rate("profile", 30, 3600)
LONGEST = {"first_name": 100, "last_name": 100, "bio": 500}
HANDLE = re.compile(r"[a-z0-9](?:[a-z0-9_.]{1,28})[a-z0-9]")
SHORTEST_HANDLE, LONGEST_HANDLE = 3, 30
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}")
RESERVED = frozenset({"admin", "administrator", "landfall", "moderator", "root", "support", "system"})
"""Handles that could pass for the service's own."""


class ProfileChanges(TypedDict, total=False):
    first_name: Line | None
    last_name: Line | None
    handle: str | None
    bio: str | None
    avatar_upload_id: Id | None


class AccountChanges(TypedDict, total=False):
    locale: str
    time_zone: str


async def update_profile(
    ctx: Context, *, expected_version: int | None = None, **fields: Unpack[ProfileChanges]
) -> telling.UserChanged:
    """Update the profile."""
    await ctx.limit(PROFILE_RATE)
    user = await store.users.by_id(ctx.db, ctx.viewer_id)
    if user is None:
        raise NotFound("This account is gone.")
    changes = {name: _checked(name, value) for name, value in fields.items()}
    check_version(expected_version, user["version"], user=user)
    changes = {name: value for name, value in changes.items() if user.get(name) != value}
    changes |= await avatar.wanted(ctx, user, changes)
    if not changes:
        return {"user": user}
    if "handle" in changes:
        await _take_handle(ctx, user, changes["handle"])
    updated = await telling.change(ctx, user["_id"], set=changes)
    assert updated is not None
    return {"user": updated}


async def update_account(
    ctx: Context, *, expected_version: int | None = None, **fields: Unpack[AccountChanges]
) -> telling.AccountChanged:
    """Update the account's own settings."""
    await ctx.limit(PROFILE_RATE)
    user = await store.users.by_id(ctx.db, ctx.viewer_id)
    if user is None:
        raise NotFound("This account is gone.")
    changes = {name: _checked(name, value) for name, value in fields.items()}
    account = store.account_of(user)
    check_version(expected_version, account["version"], account=account)
    changes = {name: value for name, value in changes.items() if user.get(name) != value}
    return await telling.change_account(ctx, user["_id"], changes) if changes else {"account": account}


async def _take_handle(ctx: Context, user: User, handle: str | None) -> None:
    """Claim a handle by a unique key, and free the former one."""
    if handle is not None:
        taken = UserError("HANDLE_TAKEN", "This handle is taken.", field=["handle"])
        if handle in RESERVED:
            raise taken
        key = {"_id": store.handle_key(handle), "user_id": user["_id"]}
        await ctx.tx.insert(store.user_keys, key, taken=lambda _: taken)
    if user["handle"] is not None:
        await ctx.tx.delete(store.user_keys, store.handle_key(user["handle"]), where={"user_id": user["_id"]})


def _checked(name: str, value: Any) -> Any:
    """Value in its stored form; INVALID_INPUT otherwise."""
    checks: Mapping[str, Any] = {
        "handle": _handle,
        "locale": _locale,
        "time_zone": _time_zone,
        "avatar_upload_id": avatar.checked,
    }
    return checks.get(name, _text)(name, value)


def _text(name: str, value: str | None) -> str | None:
    text = value or ""
    if len(text) > LONGEST[name]:
        raise UserError("TOO_LONG", "At most {limit} characters.", field=[name], limit=LONGEST[name])
    return text or None


def _handle(name: str, value: str | None) -> str | None:
    if value is None:
        return None
    handle = value.removeprefix("@").lower()
    if not HANDLE.fullmatch(handle):
        raise UserError(
            "INVALID_FORMAT",
            "A handle has {least} to {limit} letters, digits, dots or underscores.",
            field=[name],
            limit=LONGEST_HANDLE,
            values={"least": SHORTEST_HANDLE},
        )
    return handle


def _locale(name: str, value: str) -> str:
    if not LANGUAGE.fullmatch(value):
        raise UserError("INVALID_FORMAT", "This is no language tag (BCP 47).", field=[name])
    return value


def _time_zone(name: str, value: str) -> str:
    if value not in zones.names():
        raise UserError("INVALID_INPUT", "There is no such time zone.", field=[name])
    return value
