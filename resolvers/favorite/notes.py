"""Notes in the change log, of what happened to a favorite or a list: `favorite_note:<what>:<id>`."""

from collections.abc import Mapping
from typing import Any

from core.context import Context
from core.sync.changes import NOTE, Entry, user_scope

PREFIX = "favorite_note"
REORDERED = "REORDERED"


def log(ctx: Context, what: str, subject: Mapping[str, Any]) -> None:
    """Log that something happened to a person's favorite, or to a list, for their open streams."""
    ctx.tx.notice(f"{PREFIX}:{what}:{subject['_id']}", scopes=[user_scope(subject["user_id"])])


def told(entry: Entry) -> tuple[str, str] | None:
    """Name of the event, and id of the favorite or list that it is about; None for other entries."""
    if entry["type"] != NOTE or not entry["_id"].startswith(f"{PREFIX}:"):
        return None
    _, what, id = entry["_id"].split(":")
    return what, id
