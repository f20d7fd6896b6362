"""Demo people: names from many places, one handle and one email each."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from random import Random

from devstack.demo.words import FOLDER, Words, gaps

# Letters that Unicode does not take apart into a base letter and a mark.
PLAIN = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ß": "ss", "\u0131": "i", "æ": "ae", "Ł": "L", "Ø": "O", "Đ": "D"}
)
OLDEST = 1400


@dataclass(frozen=True, slots=True)
class Person:
    """One demo account; `handle` and `email` are unique, `time_zone` is an IANA name."""

    first_name: str
    last_name: str
    handle: str
    email: str
    bio: str
    locale: str
    time_zone: str
    joined_days_ago: int


@dataclass(frozen=True, slots=True)
class Culture:
    """Names that go together; each name as it is written and in Latin letters."""

    locale: str
    time_zones: tuple[str, ...]
    first_names: tuple[tuple[str, str], ...]
    last_names: tuple[tuple[str, str], ...]


# The accounts that `dev` prints as sign-ins.
FAMOUS = (
    Person(
        *("Ada", "Lovelace", "ada", "ada@example.com"),
        *("Notes on engines, and on walks.", "en-GB", "Europe/London", OLDEST),
    ),
    Person(
        *("Grace", "Hopper", "grace", "grace@example.com"),
        *("I keep a clock that runs backwards.", "en-US", "America/New_York", OLDEST - 1),
    ),
    Person(
        *("Alan", "Turing", "alan", "alan@example.com"),
        *("Runs long distances. Asks odd questions.", "en-GB", "Europe/London", OLDEST - 2),
    ),
)


def people(n: int, rng: Random) -> Iterator[Person]:
    """The first n people; the three famous ones come first, the order of joining is not the order here."""
    yield from FAMOUS[:n]
    taken = {person.handle for person in FAMOUS}
    for _ in range(n - len(FAMOUS)):
        yield _person(rng, taken)


def plain(name: str) -> str:
    """The name in ASCII letters; empty where it has none."""
    apart = unicodedata.normalize("NFKD", name.translate(PLAIN))
    return re.sub(r"[^A-Za-z0-9]", "", apart)


def _person(rng: Random, taken: set[str]) -> Person:
    culture = rng.choice(_cultures())
    first, first_latin = rng.choice(culture.first_names)
    last, last_latin = rng.choice(culture.last_names)
    handle = _handle(plain(first_latin).lower(), plain(last_latin).lower(), taken, rng)
    # Most joined lately: the community grows.
    joined = int(OLDEST * rng.random() ** 2)
    zone = rng.choice(culture.time_zones)
    return Person(first, last, handle, f"{handle}@example.com", _bio(rng), culture.locale, zone, joined)


def _handle(first: str, last: str, taken: set[str], rng: Random) -> str:
    wishes = [
        f"{first}_{last}",
        f"{first}{last}",
        f"{first[0]}{last}",
        f"{first}_{last[0]}",
        f"{last}{first[0]}",
    ]
    rng.shuffle(wishes)
    free = next((wish for wish in wishes if wish not in taken), "")
    while not free or free in taken:
        free = f"{wishes[0]}{rng.randint(2, 9999)}"
    taken.add(free)
    return free


def _bio(rng: Random) -> str:
    if rng.random() < 0.1:
        return ""
    words = _bio_words()
    text = ", ".join(rng.sample(words["interests"], rng.randint(1, 3)))
    if rng.random() < 0.3:
        return f"Mostly {text}."
    return f"{rng.choice(words['work'])}. {text[:1].upper()}{text[1:]}."


@cache
def _bio_words() -> dict[str, Words]:
    return gaps((FOLDER / "people" / "bio.txt").read_text(encoding="utf-8"))


@cache
def _cultures() -> tuple[Culture, ...]:
    lines = (FOLDER / "people" / "names.tsv").read_text(encoding="utf-8").splitlines()
    return tuple(_culture(line) for line in islice(lines, 1, None))


def _culture(line: str) -> Culture:
    locale, zones, first_names, last_names = line.split("\t")
    return Culture(locale, tuple(zones.split()), _names(first_names), _names(last_names))


def _names(text: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (written, latin or written) for written, _, latin in (n.partition("/") for n in text.split())
    )
