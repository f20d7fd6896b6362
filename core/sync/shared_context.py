"""Viewerless context: work done once for many viewers, which raises as soon as it depends on one of them."""

from collections.abc import Callable
from typing import Any

from core.bearer_tokens import Bearers
from core.context import Context, Services, Viewer


class ViewerDependent(Exception):
    """Viewer-dependent read: the data asked for depends on the caller."""


class AnonymousContext(Context):
    """Viewerless context: what it makes may be given to all viewers, unless it raised ViewerDependent."""

    def __init__(self, services: Services, *, origin: str = "") -> None:
        self.personal = False
        """True once the viewer was read, even if the error raised then was caught."""
        super().__init__(services, origin=origin)

    @property
    def viewer(self) -> Viewer | None:
        raise self._personal()

    @viewer.setter
    def viewer(self, value: Any) -> None:
        pass

    @property
    def bearers(self) -> Bearers:
        raise self._personal()

    @bearers.setter
    def bearers(self, value: Any) -> None:
        pass

    @property
    def address(self) -> str:
        raise self._personal()

    @address.setter
    def address(self, value: Any) -> None:
        pass

    def _asker(self) -> Callable[[], str | None]:
        return lambda: self.viewer_id_or_none

    def _personal(self) -> ViewerDependent:
        self.personal = True
        return ViewerDependent()
