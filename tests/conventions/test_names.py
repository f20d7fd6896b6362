"""Names of the schema, and one that breaks each rule."""

import pytest

from tests.conventions import rules_names as rules
from tests.conventions.schemas import Rule, current, example

BROKEN: dict[Rule, tuple[str, list[str]]] = {
    rules.spelled_out: (
        "type Whale { estAge: Int favouriteSea: String mime: String } enum Enrolment { OPEN }",
        [
            'Enrolment has "enrolment": write "enrollment".',
            'Whale.estAge has "est": write "estimated".',
            'Whale.favouriteSea has "favourite": write "favorite".',
            'Whale.mime has "mime": write "mimeType".',
        ],
    ),
    rules.initialisms: (
        "type Whale { songURL: String } scalar URL",
        ['Whale.songURL has "URL": write initialisms as words, such as "hlsUrl".'],
    ),
    rules.nouns: (
        "enum WhoCanWatch { ALL } type Entry { text: String }",
        [
            "WhoCanWatch is no noun: name the thing.",
            'Entry is a word that others may want: put its system in front, as "ChatSettings" does.',
        ],
    ),
    rules.units: (
        "type Whale { size: Float songDuration: Int minutes: Int songMinutes: Int }",
        [
            'Whale.size is a number without its unit: name it as "sizeBytes" is named.',
            'Whale.songDuration is a number without its unit: name it as "sizeBytes" is named.',
            'Whale.minutes is a number without what is measured: name it as "sizeBytes" is named.',
        ],
    ),
    rules.counts: (
        "type Whale { songsLeft: Int totalCount: Int } type WhaleConnection { totalCount: Int }",
        [
            'Whale.songsLeft is a count: end it in "Count", as "memberCount"; `totalCount` is of pages.',
            'Whale.totalCount is a count: end it in "Count", as "memberCount"; `totalCount` is of pages.',
        ],
    ),
    rules.moments: (
        "scalar Date scalar DateTime type Whale { seen: DateTime mutedUntil: DateTime bornAt: Date }"
        ' type Seal { at: DateTime @deprecated(reason: "Use `seenAt`. Until 2027-06-30.") }',
        [
            'Whale.seen is a moment: end it in "At" or "Until", as "createdAt".',
            'Whale.bornAt is a day: end it in "On", as "dueOn".',
        ],
    ),
    rules.kinds: (
        "enum SeaState { CALM } enum Sort { BLUE } type Whale { type: String status: SeaState kind: Sort }",
        [
            "Whale.type is called type: call it kind.",
            "SeaState is an enum of a state: end it in Status.",
            "Whale.status is of SeaState: end its name in Status.",
            "Whale.kind is of Sort: end its name in Kind.",
        ],
    ),
    rules.booleans: (
        "type Whale { isBlue: Boolean issued: Boolean hasMore: Boolean hasCalf: Boolean }",
        [
            'Whale.isBlue begins with "is": name it bare, as "pinned".',
            'Whale.hasCalf begins with "has": name it bare, as "pinned".',
        ],
    ),
    rules.values: (
        "enum WhaleKind { WHALE_BLUE GRAY_KIND HUMPBACK Minke }",
        [
            "WhaleKind.Minke is no UPPER_SNAKE: write it in capitals, with underscores.",
            "WhaleKind.WHALE_BLUE repeats the enum's name: leave WHALE out.",
            "WhaleKind.GRAY_KIND repeats the enum's name: leave KIND out.",
        ],
    ),
}


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_schema_keeps_the_rule(rule: Rule) -> None:
    assert rule(current()) == []


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_a_name_that_breaks_the_rule_is_found(rule: Rule) -> None:
    sdl, findings = BROKEN[rule]
    assert rule(example(sdl)) == findings
