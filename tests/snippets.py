"""Snippets of the documentation, as a Markdown renderer (CommonMark) shows them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[1]
PAGES = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "clients" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
)


@dataclass(frozen=True)
class Snippet:
    page: Path
    line: int
    language: str
    code: str
    before: str
    """The HTML comment above it, which names where it is from; else empty."""
    closed: bool

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def snippets() -> Iterator[Snippet]:
    for page in PAGES:
        text = page.read_text()
        lines, before = text.splitlines(), ""
        for token in MarkdownIt("commonmark").parse(text):
            if token.type == "fence" and token.map is not None:
                start, end = token.map
                closed = lines[end - 1].strip() == token.markup and "```" not in token.content
                yield Snippet(page, start + 1, token.info.strip(), token.content, before, closed)
            before = (
                token.content.strip().removeprefix("<!--").removesuffix("-->").strip()
                if token.type == "html_block"
                else ""
            )


SNIPPETS = tuple(snippets())
