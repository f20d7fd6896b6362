"""Sessions port: resolves access tokens to viewers; a system implements it."""

from collections.abc import Callable
from typing import Protocol

from core.context import Viewer


class Sessions(Protocol):
    """Judges access tokens, in this process, without asking anybody."""

    def viewer(self, token: str) -> Viewer:
        """Return the viewer of the token while their session lives; UNAUTHENTICATED otherwise."""
        ...

    def expires_at(self, token: str) -> float:
        """When a token that was judged expires, in seconds since the epoch."""
        ...

    def watch(self, session_id: str, ended: Callable[[], None]) -> None:
        """Call `ended` when the session is over: sockets and streams outlive the request's check."""
        ...

    def forget(self, session_id: str, ended: Callable[[], None]) -> None:
        """Watch no longer."""
        ...
