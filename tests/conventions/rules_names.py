"""Rules of names: whole words in US spelling, with units, counts and kinds where they belong."""

import re
from collections.abc import Iterator

from graphql import (
    GraphQLEnumType,
    GraphQLScalarType,
    GraphQLSchema,
    get_named_type,
)

from tests.conventions.schemas import Element, elements, types
from tests.conventions.vocabulary import ABBREVIATIONS, COMMON_NOUNS, QUESTION_WORDS, SPELLINGS

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
MEASURES = frozenset({"duration", "length", "progress", "share", "size"})
"""Words for a quantity that has a unit."""
UNITS = frozenset({"bytes", "days", "hours", "minutes", "ms", "percent", "seconds"})
"""Words for a unit, which tell nothing without the quantity."""
MOMENT = re.compile(r"(?:At|From|To|Until)$|^(?:from|to)$")
UPPER_SNAKE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
RENAMED = {"mode": "kind", "state": "status", "type": "kind"}
SORTS = frozenset({"SyncType"})
"""Enums that are named as the protocol they belong to names them."""
RELAY = frozenset({"hasMore", "hasNextPage", "hasPreviousPage"})
"""Booleans that are named as Relay names them."""


def spelled_out(schema: GraphQLSchema) -> list[str]:
    """Names have whole words, in US spelling."""
    return [
        f'{each.path} has "{word}": write "{better}".'
        for each in _named(schema)
        for word, better in _misspelled(_name(each))
    ]


def initialisms(schema: GraphQLSchema) -> list[str]:
    """Initialisms are written as words, but for the scalars that are one."""
    return [
        f'{each.path} has "{found[0]}": write initialisms as words, such as "hlsUrl".'
        for each in _named(schema)
        if each.kind != "VALUE" and not isinstance(each.definition, GraphQLScalarType)
        if (found := re.search(r"[A-Z]{2,}", _name(each))) is not None
    ]


def nouns(schema: GraphQLSchema) -> list[str]:
    """Types are nouns, and none takes a word from the systems to come."""
    return [
        f"{each.name} is no noun: name the thing."
        for each in types(schema)
        if WORD.findall(each.name)[0] in QUESTION_WORDS
    ] + [
        f'{each.name} is a word that others may want: put its system in front, as "ChatSettings" does.'
        for each in types(schema)
        if each.name in COMMON_NOUNS and each is not schema.query_type
    ]


def units(schema: GraphQLSchema) -> list[str]:
    """Numbers say their unit at the end, after what is measured."""
    return [
        f'{each.path} is a number without {lacking}: name it as "sizeBytes" is named.'
        for each in _values(schema, "Int", "Float")
        if (lacking := _lacking(_name(each))) is not None
    ]


def counts(schema: GraphQLSchema) -> list[str]:
    """Counts end in `Count`; `totalCount` is of pages."""
    return [
        f'{each.path} is a count: end it in "Count", as "memberCount"; `totalCount` is of pages.'
        for each in _values(schema, "Int", "Float")
        if _is_misnamed_count(each.path, _name(each))
    ]


def moments(schema: GraphQLSchema) -> list[str]:
    """Moments end in `At` or `Until`, days in `On`; a filter's bounds are `from` and `to`."""
    return [
        f'{each.path} is a moment: end it in "At" or "Until", as "createdAt".'
        for each in _values(schema, "DateTime")
        if not MOMENT.search(_name(each))
    ] + [
        f'{each.path} is a day: end it in "On", as "dueOn".'
        for each in _values(schema, "Date")
        if not _name(each).endswith("On")
    ]


def kinds(schema: GraphQLSchema) -> list[str]:
    """`status` is where a thing is in its life, `kind` which sort it is, and their enums end so."""
    wrong = [
        f"{each.path} is called {name}: call it {RENAMED[name]}."
        for each in _members(schema)
        if (name := _name(each)) in RENAMED
    ]
    wrong += [
        f"{each.name} is an enum of a {last.lower()}: end it in {RENAMED[last.lower()].title()}."
        for each in types(schema)
        if isinstance(each, GraphQLEnumType) and each.name not in SORTS
        if (last := WORD.findall(each.name)[-1]).lower() in RENAMED
    ]
    return wrong + [
        f"{each.path} is of {enum.name}: end its name in {name.title()}."
        for each in _members(schema)
        if (name := _name(each)) in ("kind", "status")
        if isinstance(enum := get_named_type(each.definition.type), GraphQLEnumType)
        and not enum.name.endswith(name.title())
    ]


def booleans(schema: GraphQLSchema) -> list[str]:
    """Booleans are bare: `pinned`, not `isPinned`."""
    return [
        f'{each.path} begins with "{found[0]}": name it bare, as "pinned".'
        for each in _values(schema, "Boolean")
        if (found := re.match(r"(?:is|has)(?=[A-Z])", _name(each))) and _name(each) not in RELAY
    ]


def values(schema: GraphQLSchema) -> list[str]:
    """Enum values are UPPER_SNAKE, and do not repeat the enum's name."""
    return [
        f"{each.name}.{value} is no UPPER_SNAKE: write it in capitals, with underscores."
        for each in types(schema)
        if isinstance(each, GraphQLEnumType)
        for value in each.values
        if not UPPER_SNAKE.fullmatch(value)
    ] + [
        f"{each.name}.{value} repeats the enum's name: leave {stem} out."
        for each in types(schema)
        if isinstance(each, GraphQLEnumType)
        for value in each.values
        if (stem := _repeated(each.name, value)) is not None
    ]


RULES = (spelled_out, initialisms, nouns, units, counts, moments, kinds, booleans, values)


def _named(schema: GraphQLSchema) -> Iterator[Element]:
    """Elements that stay: those that are deprecated go with their names."""
    for each in elements(schema):
        if getattr(each.definition, "deprecation_reason", None) is None:
            yield each


def _members(schema: GraphQLSchema) -> Iterator[Element]:
    """Fields, arguments and input fields."""
    return (each for each in _named(schema) if each.kind not in ("TYPE", "VALUE", "MUTATION"))


def _values(schema: GraphQLSchema, *scalars: str) -> Iterator[Element]:
    """Members whose type is one of these scalars, or a list of it."""
    return (each for each in _members(schema) if get_named_type(each.definition.type).name in scalars)


def _name(element: Element) -> str:
    """The name itself: `first` of `Post.comments(first:)`."""
    return re.split(r"[.(]", element.path.rstrip(":)"))[-1]


def _misspelled(name: str) -> Iterator[tuple[str, str]]:
    if name in ABBREVIATIONS:
        yield name, ABBREVIATIONS[name]
        return
    for word in map(str.lower, WORD.findall(name)):
        if word != "mime" and word in ABBREVIATIONS:
            yield word, ABBREVIATIONS[word]
        for pattern, american in SPELLINGS:
            if found := pattern.fullmatch(word):
                yield word, found.expand(american)


def _lacking(name: str) -> str | None:
    if WORD.findall(name)[-1].lower() in MEASURES:
        return "its unit"
    return "what is measured" if name in UNITS else None


def _is_misnamed_count(path: str, name: str) -> bool:
    if name == "totalCount":
        return not path.partition(".")[0].endswith("Connection")
    words = [each.lower() for each in WORD.findall(name)]
    begins = words[0] in ("num", "number", "total") and name != "number"
    return begins or words[-1] in ("left", "total")


def _repeated(name: str, value: str) -> str | None:
    """Words of `MediaKind` that a value repeats: MEDIA in front, KIND at the end."""
    *words, last = [each.upper() for each in WORD.findall(name)]
    stem = "_".join(words)
    if stem and value.startswith(f"{stem}_"):
        return stem
    return last if value.endswith(f"_{last}") else None
