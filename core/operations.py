"""Trusted documents: the operations that an app's build registered."""

from datetime import datetime
from typing import TypedDict

from core.storage.store import collection, index


class TrustedOperation(TypedDict):
    _id: str
    """Id that clients send in place of the document: its SHA-256 in hexadecimal, or the manifest's own id."""
    name: str
    body: str
    added_at: datetime


operations = collection("operations", TrustedOperation, indexes=[index("added_at")], shard_key="_id")
