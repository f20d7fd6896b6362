"""Mutations of the schema, and one that breaks each rule."""

import pytest

from tests.conventions import rules_mutations as rules
from tests.conventions.schemas import Rule, current, example


def mutation(name: str, input: str = "", payload: str = "", directives: str = "") -> str:
    """A mutation with the fields of its input and payload."""
    title = name[0].upper() + name[1:]
    return (
        f"input {title}Input {{ idempotencyKey: ID! {input} }}"
        f" type {title}Payload {{ idempotencyKey: ID! {payload} }}"
        f" extend type Mutation {{ {name}(input: {title}Input!): {title}Payload {directives} }}"
    )


SEA = (
    "type Mutation { signIn(input: SignInInput!): SignInPayload }"
    + mutation("signIn").partition(" extend")[0]
)
WHALE = f"{SEA} type Whale {{ id: ID! version: Int! }} type WhaleEdge {{ node: Whale }} "
STAFF = '@tag(name: "staff")'
BROKEN: dict[Rule, tuple[str, list[str]]] = {
    rules.verbs: (
        SEA + mutation("spotWhale") + mutation("followWhale"),
        ['Mutation.spotWhale begins with "spot": take a verb of the conventions, such as "update".'],
    ),
    rules.objects: (SEA + mutation("appeal"), ["Mutation.appeal has no noun: say what it is done to."]),
    rules.opposites: (
        SEA + mutation("unmuteUser") + mutation("unmuteChat"),
        ["Mutation.unmuteChat undoes another: take one `set` with the value, pairs are for people."],
    ),
    rules.minted_ids: (
        SEA + mutation("updateWhale", "id: ID!") + mutation("createWhale", "id: ID"),
        [
            "UpdateWhaleInput.id is required: call what exists by its type, as `postId`; "
            "what is new may be left out."
        ],
    ),
    rules.creates_without_id: (
        WHALE + mutation("createWhale", payload="whaleEdge: WhaleEdge") + mutation("createLink"),
        ["CreateWhaleInput has no `id: ID`: clients mint the id of what they create."],
    ),
    rules.updates_without_version: (
        WHALE
        + mutation("updateWhale", payload="whale: Whale")
        + mutation("updatePod", "expectedVersion: Int!", "whale: Whale")
        + mutation("updateSea", "expectedVersion: Int", "sea: String")
        + mutation("setWhaleStatus", payload="whale: Whale", directives=STAFF)
        + mutation("setReaction", payload="whale: Whale"),
        [
            "UpdateWhaleInput has no `expectedVersion: Int`: of two editors, one overwrites the other.",
            "UpdatePodInput.expectedVersion is Int!: write `expectedVersion: Int`.",
            "UpdateSeaPayload shows nothing with a version: CONFLICT must show what is there.",
            "SetWhaleStatusInput has no `expectedVersion: Int`: of two editors, one overwrites the other.",
        ],
    ),
    rules.changes_without_null: (
        SEA
        + 'input SeaInput { name: String "Depth. Left out: unchanged." depth: Int }'
        + mutation("updateWhale", 'name: String "Song. Left out: unchanged; null: cleared." song: String')
        + mutation("updatePod", 'sea: SeaInput! "Ids. Left out: unchanged; null: cleared." whaleIds: [ID!]')
        + mutation("adjustCrew", "size: Int")
        + mutation("setWhaleStatus", "until: String"),
        [
            "UpdateWhaleInput.name is silent on null: make it a key of the resolver's `**changes`.",
            "SeaInput.name is silent on null: make it a key of the resolver's `**changes`.",
            "UpdatePodInput.whaleIds is silent on null: make it a key of the resolver's `**changes`.",
            "AdjustCrewInput.size is silent on null: make it a key of the resolver's `**changes`.",
        ],
    ),
    rules.loose_alternatives: (
        "input ProofInput { password: String code: String }"
        " input HintInput @oneOf { email: String phone: String }",
        ["ProofInput takes one of code, password: make it a `@oneOf` input."],
    ),
    rules.bare_amounts: (
        "scalar Decimal input WhaleInput { price: Decimal priceMax: Int name: String }",
        [
            "WhaleInput.price is Decimal: take `MoneyInput`, which has the currency.",
            "WhaleInput.priceMax is Int: take `MoneyInput`, which has the currency.",
        ],
    ),
}


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_schema_keeps_the_rule(rule: Rule) -> None:
    assert rule(current()) == []


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_a_mutation_that_breaks_the_rule_is_found(rule: Rule) -> None:
    sdl, findings = BROKEN[rule]
    assert rule(example(sdl)) == findings
