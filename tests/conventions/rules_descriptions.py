"""Rules of descriptions: each element has one, in plain words that stand alone."""

import re
from collections.abc import Iterator

from graphql import GraphQLNonNull, GraphQLObjectType, GraphQLSchema, get_named_type

from tests.conventions.schemas import elements, types
from tests.conventions.vocabulary import FUNCTION_WORDS, MUTATION_VERBS, NO_NOUNS, POINTING, SPELLINGS

FEWEST_WORDS = 4
WORD = re.compile(r"[\w'`-]+")
FIRST_SENTENCE = re.compile(r"^.*?(?=[.;:!?](?:\s|$)|$)")
QUOTED = re.compile(r"`([\w.]+)`")
CAMEL_CASE = re.compile(r"[A-Za-z]*[a-z][A-Z]\w*")
FOREIGN = frozenset({"clientDataJSON"})
"""Names of other standards that descriptions quote."""
ARTICLE = re.compile(r"\b(?:[Aa] (?!eu|one\b|uni|use)[aeiou]|[Aa]n (?!hour|honest)[b-df-hj-np-tv-z])[a-z]*")

TRUTH = re.compile(r"True (?:if|to)\b")
DEMANDS = re.compile(r"\b[Nn]eeds? (?:(?:the |a )?(?:role )?`?[A-Z][A-Z_]{3,}|a sign-in)")


def undescribed(schema: GraphQLSchema) -> list[str]:
    """Every type, field, argument, input field and enum value has a description."""
    return [f"{each.path} has no description." for each in elements(schema) if not each.description]


def unfinished(schema: GraphQLSchema) -> list[str]:
    """A description begins with a capital letter, digit or backtick, and ends with a full stop."""
    return [
        f'{path} reads "{text}": begin with a capital letter and end with a full stop.'
        for path, _, text in _described(schema)
        if not re.match(r"[A-Z0-9`\"]|iPhone", text) or not re.search(r"[.!]`?$|\.\)$", text)
    ]


def not_begun_with_verb(schema: GraphQLSchema) -> list[str]:
    """A mutation's description begins with a verb: of the conventions, or of its own name."""
    return [
        f'{path} begins with "{_first_word(text)}": begin with the verb for what it does, such as '
        f'"{_verb(path)}".'
        for path, kind, text in _described(schema)
        if kind == "MUTATION" and _first_word(text) not in MUTATION_VERBS | {_verb(path)}
    ]


def too_short(schema: GraphQLSchema) -> list[str]:
    """A description says what it is in a sentence of four words or more."""
    return [
        f'{path} is described as "{text}": say what it is in {FEWEST_WORDS} words or more, such as '
        '"Id of the post to hide."'
        for path, kind, text in _described(schema)
        if kind != "TYPE" and len(WORD.findall(_first_sentence(text))) < FEWEST_WORDS
    ]


def no_noun_phrase(schema: GraphQLSchema) -> list[str]:
    """Fields, arguments and types are named by a noun first; booleans by "True if" or "Whether"."""
    return [
        f'{path} begins with "{_first_word(text)}": begin with the noun that names it, as '
        '"Number of comments below the post."'
        for path, kind, text in _described(schema)
        if kind in ("FIELD", "ARGUMENT", "INPUT", "TYPE") and not _begins_with_noun(text)
    ]


def riddles(schema: GraphQLSchema) -> list[str]:
    """No pronoun stands before the noun that it means."""
    return [
        f'{path} says "{found}" before any noun ("{text}"): name the thing.'
        for path, _, text in _described(schema)
        if (found := _unexplained(_first_sentence(text))) is not None
    ]


def british(schema: GraphQLSchema) -> list[str]:
    """Descriptions have American spelling."""
    return [
        f'{path} says "{found[0]}": write "{found.expand(american)}".'
        for path, _, text in _described(schema)
        for pattern, american in SPELLINGS
        if (found := pattern.search(text)) is not None
    ]


def unknown_names(schema: GraphQLSchema) -> list[str]:
    """Names in backticks are those of the schema."""
    known = FOREIGN | {name for each in elements(schema) for name in re.findall(r"\w+", each.path)}
    return [
        f'{path} says "`{name}`", which is not in the schema.'
        for path, _, text in _described(schema)
        for quoted in QUOTED.findall(text)
        for name in CAMEL_CASE.findall(quoted)
        if name not in known
    ]


def truths(schema: GraphQLSchema) -> list[str]:
    """Booleans are described by "True if" or "True to", and nothing else is."""
    return [
        f'{each.path} is {each.definition.type} and reads "{each.description}": begin with "True" for '
        "booleans alone."
        for each in elements(schema)
        if each.kind in ("FIELD", "ARGUMENT", "INPUT") and each.description
        if (get_named_type(each.definition.type).name == "Boolean") != bool(TRUTH.match(each.description))
    ]


def unexplained_nulls(schema: GraphQLSchema) -> list[str]:
    """Fields that may be null say when; entities of payloads are null when refused."""
    return [
        f'{owner.name}.{name} may be null: say when, as "null when there is none".'
        for owner in types(schema)
        if isinstance(owner, GraphQLObjectType) and owner is not schema.mutation_type
        if "Payload" not in {each.name for each in owner.interfaces}
        for name, field in owner.fields.items()
        if not isinstance(field.type, GraphQLNonNull)
        if "null" not in (field.description or "").lower()
    ]


def articles(schema: GraphQLSchema) -> list[str]:
    """Articles are as they are spoken: "a" before consonants, "an" before vowels."""
    return [
        f'{path} says "{found[0]}": take the other article.'
        for path, _, text in _described(schema)
        if (found := ARTICLE.search(text)) is not None
    ]


def demands(schema: GraphQLSchema) -> list[str]:
    """Demands on the caller are said by `@access` alone."""
    return [
        f'{path} says "{found[0]}": leave that to @access.'
        for path, _, text in _described(schema)
        if (found := DEMANDS.search(text)) is not None
    ]


RULES = (
    undescribed,
    unfinished,
    not_begun_with_verb,
    too_short,
    no_noun_phrase,
    riddles,
    british,
    unknown_names,
    truths,
    unexplained_nulls,
    articles,
    demands,
)


def _described(schema: GraphQLSchema) -> Iterator[tuple[str, str, str]]:
    for each in elements(schema):
        if each.description:
            yield each.path, each.kind, each.description


def _first_sentence(text: str) -> str:
    found = FIRST_SENTENCE.match(text)
    return found[0] if found else text


def _first_word(text: str) -> str:
    return text.split()[0].rstrip(".,;:!?")


def _verb(path: str) -> str:
    """Verb of a mutation's name, as a sentence begins with it: `Create` of `Mutation.createPost`."""
    name = path.partition(".")[2]
    return re.split(r"(?=[A-Z])", name)[0].capitalize()


def _begins_with_noun(text: str) -> bool:
    word = _first_word(text)
    return word not in NO_NOUNS and not word[0].isdigit()


def _unexplained(sentence: str) -> str | None:
    """The first pronoun, where only words that name nothing stand before it."""
    found = POINTING.search(sentence)
    if found is None:
        return None
    before = WORD.findall(sentence[: found.start()])
    return found[0] if all(word.lower() in FUNCTION_WORDS for word in before) else None
