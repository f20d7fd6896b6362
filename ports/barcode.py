"""Ports of the barcode scanner: codes in pictures, and names of articles from elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import Field

from core.settings import SystemSettings


class BarcodeSettings(SystemSettings):
    """Settings of the barcode scanner."""

    names_url: str = Field(
        "",
        description="Open Food Facts, or a server that speaks its protocol, for names of unknown articles, "
        "`https://world.openfoodfacts.org`; empty: none is asked.",
    )


@dataclass(frozen=True, slots=True)
class ArticleName:
    """Name of an article, by a source outside of the shop."""

    name: str
    brand: str
    attribution: str


class ArticleNames(Protocol):
    """Source of names of articles, by their numbers alone."""

    async def name(self, gtin: str) -> ArticleName | None:
        """The name of an article, None where nobody knows it; `Retryable` where nobody can be asked."""
        ...


class CodeReader(Protocol):
    """Reads the codes in a picture."""

    async def codes(self, picture: bytes) -> Sequence[str]:
        """Texts of the codes that are seen, GS1 separators included; none of what is no picture."""
        ...
