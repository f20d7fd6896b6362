"""Descriptions of the schema, and one that breaks each rule."""

import pytest

from tests.conventions import rules_descriptions as rules
from tests.conventions.schemas import Rule, current, example

MUTATION = 'type Mutation {{ "{}" hidePost("Id of the post to hide." postId: ID!): ID }}'
BROKEN: dict[Rule, tuple[str, str]] = {
    rules.undescribed: (
        '"Whale seen at sea." type Whale { name: String }',
        "Whale.name has no description.",
    ),
    rules.unfinished: (
        '"Whale seen at sea." type Whale { "name of the whale" name: String }',
        'Whale.name reads "name of the whale": begin with a capital letter and end with a full stop.',
    ),
    rules.not_begun_with_verb: (
        MUTATION.format("Takes the post away from others."),
        'Mutation.hidePost begins with "Takes": begin with the verb for what it does, such as "Hide".',
    ),
    rules.too_short: (
        '"Sea where whales live." enum Sea { "Deep; cold all year." ARCTIC }',
        'Sea.ARCTIC is described as "Deep; cold all year.": say what it is in 4 words or more, such as '
        '"Id of the post to hide."',
    ),
    rules.no_noun_phrase: (
        '"Sighting of whales." input SightingInput { "1 to 500 characters, no more." note: String }',
        'SightingInput.note begins with "1": begin with the noun that names it, as '
        '"Number of comments below the post."',
    ),
    rules.riddles: (
        '"Whale seen at sea." type Whale { "Whether it is still there." present: Boolean! }',
        'Whale.present says "it" before any noun ("Whether it is still there."): name the thing.',
    ),
    rules.british: (
        '"Whale seen at sea." type Whale { "Color of the whale, or colours." color: String }',
        'Whale.color says "colours": write "colors".',
    ),
    rules.unknown_names: (
        '"Whale seen at sea." type Whale { "Name as `callName` and `callSign` have it." callName: String }',
        'Whale.callName says "`callSign`", which is not in the schema.',
    ),
    rules.truths: (
        '"Whale seen at sea." type Whale { "True if the whale is there." count: Int! }',
        'Whale.count is Int! and reads "True if the whale is there.": begin with "True" for booleans alone.',
    ),
    rules.unexplained_nulls: (
        '"Whale seen at sea." type Whale { "Name that the whale has." name: String }',
        'Whale.name may be null: say when, as "null when there is none".',
    ),
    rules.articles: (
        '"A whale, an hour and a unit." type Whale { "Name of an whale of the sea." name: String! }',
        'Whale.name says "an whale": take the other article.',
    ),
    rules.demands: (
        MUTATION.format("Hide a post from others. Needs MODERATOR."),
        'Mutation.hidePost says "Needs MODERATOR": leave that to @access.',
    ),
}


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_schema_keeps_the_rule(rule: Rule) -> None:
    assert rule(current()) == []


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_a_description_that_breaks_the_rule_is_found(rule: Rule) -> None:
    sdl, finding = BROKEN[rule]
    assert rule(example(sdl)) == [finding]


GOOD = """
"Whale seen at sea."
type Whale {
  "True if the whale was there yesterday."
  present: Boolean!
  "Time of the sighting; null when it is not known."
  seenAt: Int
  "ISO 3166 code of the country, such as `NO`; null at sea."
  country: String
}

"Root of all writes."
type Mutation {
  "Record where a whale was seen."
  reportWhale("Name that the whale has." name: String): ID
}

extend type Query {
  "Whale with the given name; null when there is none."
  whale("Name that the whale has." name: String): Whale
}
"""


def test_what_reads_well_is_not_found() -> None:
    schema = example(GOOD)
    assert [finding for rule in rules.RULES for finding in rule(schema)] == []
