"""Avatar: an upload of the person's, shown as soon as it is ready."""

from collections.abc import Mapping
from typing import Any

from core import ids, uploads
from core.context import Context
from core.hooks import on
from core.uploads import finished
from resolvers.auth import telling
from stores import auth as store
from stores.auth import User

PURPOSE = "AVATAR"
FIELD = ("avatarUploadId",)


def checked(name: str, value: str | None) -> str | None:
    return None if value is None else ids.checked(value, "upload")


async def wanted(ctx: Context, user: User, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes for a new avatar: applied now if it is ready; until then the former one stays."""
    if "avatar_upload_id" not in changes:
        return {}
    upload_id = changes["avatar_upload_id"]
    if upload_id is None:
        await uploads.release(ctx, user["_id"])
        return {"avatar_id": None}
    [upload] = await uploads.use(ctx, [upload_id], purpose=PURPOSE, record_id=user["_id"], field=FIELD)
    return {} if upload["media_id"] is None else await _shown(ctx, user, upload["media_id"])


async def _shown(ctx: Context, user: User, media_id: str) -> dict[str, Any]:
    former = user["avatar_id"]
    if former is not None and former != media_id:
        await uploads.release(ctx, user["_id"], media_ids=[former])
    return {"avatar_id": media_id}


@on(finished(PURPOSE))
async def portrait_finished(ctx: Context, upload: Mapping[str, Any]) -> None:
    """Show the finished avatar, unless another was chosen meanwhile."""
    user = await store.users.by_id(ctx.db, upload["record_id"])
    if user is None or user.get("avatar_upload_id") != upload["_id"]:
        await uploads.release(ctx, upload["record_id"], upload_ids=[upload["_id"]])
        return
    ready = upload["status"] == "READY"
    change = await _shown(ctx, user, upload["media_id"]) if ready else {"avatar_upload_id": None}
    await telling.change(ctx, user["_id"], set=change)
