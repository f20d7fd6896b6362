"""Actor names: a person's name as it goes on record, remembered for a minute."""

from collections.abc import AsyncIterator

from core import clock
from core.context import Services
from core.lru_cache import LruCache
from core.services import service
from core.storage.mongo import Database
from resolvers.auth import full_name
from stores.auth import users

REMEMBERED_SECONDS = 60.0
MOST = 10_000


class ActorNames:
    """Names of those who act, at most a minute old.

    They are read apart from the transaction that records the act, which has nothing more to wait for but once
    a minute for each person.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: LruCache[tuple[str, float]] = LruCache(most=MOST, size=MOST)

    async def of(self, user_id: str) -> str | None:
        """Name of a person; None for one who is gone, or is not committed yet."""
        known = self._known.get(user_id)
        if known is not None and known[1] > clock.timestamp():
            return known[0]
        user = await users.by_id(self._db, user_id)
        if user is None:
            return None
        name = full_name(user)
        self._known.put(user_id, (name, clock.timestamp() + REMEMBERED_SECONDS), 1)
        return name


@service
async def actor_names(services: Services) -> AsyncIterator[ActorNames]:
    yield ActorNames(services.db)
