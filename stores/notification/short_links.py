"""Short links at the end of text messages, to the whole text."""

from datetime import datetime, timedelta
from typing import TypedDict

from core.storage.store import collection, index

LINKS_KEPT = timedelta(days=30)


class ShortLink(TypedDict):
    """`_id` is the code in the URL, which cannot be guessed."""

    _id: str
    receipt_id: str
    user_id: str
    expires_at: datetime


short_links = collection(
    "short_links",
    ShortLink,
    owner="user_id",
    indexes=[index("expires_at", expireAfterSeconds=0), index("user_id")],
)
