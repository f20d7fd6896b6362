"""Reads the word files: topics with their sentences, and the words that fill their gaps.

A file holds lines `@gap: word | word` and sections `== name` with one sentence a line, gaps in braces.
The gaps of `common.txt` serve every topic.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("words")
SUBJECT = "{subject}"
SECTIONS = ("first", "more", "last", "replies")

Words = tuple[str, ...]
Sentence = tuple[str | Words, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """Sentences of one interest; `elsewhere`: in a language of its own, not mixed with English."""

    name: str
    first: tuple[Sentence, ...]
    more: tuple[Sentence, ...]
    last: tuple[Sentence, ...]
    replies: tuple[Sentence, ...]
    subjects: Words
    elsewhere: bool


@cache
def common() -> Topic:
    return _read(FOLDER / "common.txt", {})


@cache
def topics() -> tuple[Topic, ...]:
    """Every topic, the common one first; those in other languages last."""
    shared = gaps((FOLDER / "common.txt").read_text(encoding="utf-8"))
    files = sorted(path for path in FOLDER.glob("*.txt") if path.stem != "common")
    return common(), *(_read(path, shared) for path in files + sorted((FOLDER / "elsewhere").glob("*.txt")))


def _read(path: Path, shared: Mapping[str, Words]) -> Topic:
    text = path.read_text(encoding="utf-8")
    words = {**shared, **gaps(text)}
    said = {section: tuple(_sentence(line, words) for line in _lines(text, section)) for section in SECTIONS}
    elsewhere = path.parent != FOLDER
    return Topic(path.stem, **said, subjects=words.get("subjects", ()), elsewhere=elsewhere)


def gaps(text: str) -> dict[str, Words]:
    """The words for each gap that the text defines."""
    found = re.findall(r"^@(\w+): (.+)$", text, re.MULTILINE)
    return {name: tuple(words.split(" | ")) for name, words in found}


def _lines(text: str, section: str) -> Iterator[str]:
    current = ""
    for line in text.splitlines():
        if line.startswith("== "):
            current = line[3:]
        elif line and not line.startswith("@") and current == section:
            yield line


def _sentence(line: str, words: Mapping[str, Words]) -> Sentence:
    """The line as its fixed parts and, between them, the words to choose from."""
    parts: list[str | Words] = []
    for part in re.split(r"(\{\w+\})", line):
        if part.startswith("{") and part != SUBJECT:
            options = words[part[1:-1]]
            parts.append(tuple(map(_capital, options)) if _starts_sentence(parts) else options)
        elif part:
            parts.append(part)
    return tuple(parts)


def _starts_sentence(before: list[str | Words]) -> bool:
    last = before[-1] if before else ". "
    return isinstance(last, str) and last.endswith((". ", "! ", "? "))


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]
