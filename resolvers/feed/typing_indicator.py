"""Typing indicator: who is typing in one place, as last sent to one stream."""

import asyncio
from collections.abc import Mapping
from typing import Any

TYPING_SECONDS = 6.0
"""Seconds without a signal after which a person counts as no longer typing."""


class TypingIndicator:
    """People typing, each until they say otherwise or time out."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    @property
    def count(self) -> int:
        return len(self._until)

    def told(self, user_id: str, is_typing: bool) -> bool:
        """Record a signal; true if it changes who is typing."""
        changed = is_typing != (user_id in self._until)
        if is_typing:
            self._until[user_id] = asyncio.get_running_loop().time() + TYPING_SECONDS
        else:
            self._until.pop(user_id, None)
        return changed

    def wait(self) -> float | None:
        """Seconds until the next timeout of one of them."""
        if not self._until:
            return None
        return max(0.0, min(self._until.values()) - asyncio.get_running_loop().time())

    def still_typing(self, signal: Mapping[str, Any] | None, *, but: str | None) -> list[tuple[str, bool]]:
        """Changes of who is typing, by a signal or by silence, without the viewer's own."""
        told = [(signal["typing"], bool(signal["on"]))] if signal and "typing" in signal else []
        told += [(user_id, False) for user_id in self.silent()]
        return [(user_id, on) for user_id, on in told if user_id != but and self.told(user_id, on)]

    def silent(self) -> list[str]:
        """People whose last signal has timed out."""
        now = asyncio.get_running_loop().time()
        return [user_id for user_id, until in self._until.items() if until <= now]
