"""Media by id."""

from collections.abc import Sequence

from core.loader import Loader, in_order
from stores import media as store
from stores.media import Media


class MediaById(Loader[str, Media | None]):
    async def batch(self, keys: list[str]) -> Sequence[Media | None]:
        return in_order(keys, await store.media.by_ids(self.db, keys, fields=self.fields))
