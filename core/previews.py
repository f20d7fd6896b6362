"""The port to whatever looks at web pages for link previews."""

from typing import NamedTuple, Protocol


class Preview(NamedTuple):
    """What a page says of itself."""

    title: str | None
    description: str | None
    site_name: str | None


class Unfetchable(Exception):
    """The page cannot, or must not, be looked at; the text says why and names no address."""


class Previewer(Protocol):
    async def preview(self, url: str) -> Preview:
        """What the page at this address says of itself, or Unfetchable."""
        ...
