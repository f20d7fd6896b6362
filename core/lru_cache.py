"""Least-recently-used (LRU) cache, bounded by how many it holds and by their size together.

A count alone is no bound: a thousand documents may be a thousand short ones or a hundred million letters.
"""

from collections import OrderedDict
from typing import Generic, TypeVar

V = TypeVar("V")


class LruCache(Generic[V]):
    """LRU cache: values by text, of which the last used are kept."""

    def __init__(self, *, most: int, size: int) -> None:
        self._most = most
        self._left = size
        self._held: OrderedDict[str, tuple[V, int]] = OrderedDict()

    def __contains__(self, key: str) -> bool:
        return key in self._held

    def get(self, key: str) -> V | None:
        found = self._held.get(key)
        if found is None:
            return None
        self._held.move_to_end(key)
        return found[0]

    def drop(self, key: str) -> None:
        """Keep the value no longer, if there is one."""
        before = self._held.pop(key, None)
        if before is not None:
            self._left += before[1]

    def put(self, key: str, value: V, size: int) -> None:
        """Keep the value, and let go of those that were not used for longest."""
        self.drop(key)
        self._held[key] = (value, size)
        self._left -= size
        while self._held and (self._left < 0 or len(self._held) > self._most):
            self._left += self._held.popitem(last=False)[1][1]
