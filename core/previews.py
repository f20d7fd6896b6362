"""The port to whatever looks at web pages for link previews."""

from typing import NamedTuple, Protocol


class Preview(NamedTuple):
    """What a page says of itself."""

    title: str | None
    description: str | None
    site_name: str | None
    image_url: str | None = None
    """Where its picture is."""


class Picture(NamedTuple):
    """A picture as it was fetched: nothing of it was looked at."""

    body: bytes
    mime: str


class Unfetchable(Exception):
    """The page cannot, or must not, be looked at; the text says why and names no address."""


class Previewer(Protocol):
    async def preview(self, url: str) -> Preview:
        """What the page at this address says of itself, or Unfetchable."""
        ...

    async def picture(self, url: str) -> Picture:
        """The picture at this address, under the same rules; or Unfetchable."""
        ...
