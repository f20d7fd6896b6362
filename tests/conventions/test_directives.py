"""Directives of the schema, and a use that breaks each rule."""

import pytest

from tests.conventions import rules_directives as rules
from tests.conventions.schemas import Rule, current, directive, example

BROKEN = {
    rules.without_area: (
        'type Whale @area(name: "sea") { name: String } extend type Query { whale: Whale }',
        "Query.whale has no @area: declare it in a system.",
    ),
    rules.roles_without_tag: (
        'type Whale @area(name: "sea") { name: String @access(roles: ["ADMIN"]) }',
        'Whale.name needs a role and is for staff: @tag(name: "staff").',
    ),
    rules.leading_to_staff: (
        'type Net @area(name: "sea") @tag(name: "staff") { name: String }'
        ' type Whale @area(name: "sea") { net: Net }',
        'Whale.net is for everybody, and Net is tagged "staff": tag both or neither.',
    ),
    rules.roles_of_nothing: (
        'type Whale @area(name: "sea") { name: String }',
        'Role.ADMIN opens no field, and reads "Administers the accounts of all people."',
    ),
}


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_schema_keeps_the_rule(rule: Rule) -> None:
    assert rule(current()) == []


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_a_use_that_breaks_the_rule_is_found(rule: Rule) -> None:
    sdl, finding = BROKEN[rule]
    assert rule(example(sdl)) == [finding]


def test_what_code_declares_is_in_the_sdl() -> None:
    """One of each: roles of a token and of the shop, a fresh proof, nothing."""
    schema = current()
    assert schema.mutation_type is not None
    fields = schema.mutation_type.fields
    assert directive(fields["suspendUser"], "access") == [{"roles": ["ADMIN"], "stepUp": True}]
    assert directive(fields["setVariantPrice"], "access") == [{"commerceRoles": ["CATALOG_ADMIN"]}]
    assert directive(fields["requestEmailChange"], "access") == [{"stepUp": True}]
    assert directive(fields["createPost"], "access") == []
    assert directive(fields["createPost"], "area") == [{"name": "feed"}]
    assert directive(fields["requestEmailChange"], "area") == [{"name": "accounts"}]


def test_a_type_is_for_staff_when_nothing_else_leads_to_it() -> None:
    schema = current()
    staff = [name for name, each in schema.type_map.items() if {"name": "staff"} in directive(each, "tag")]
    assert {"InventoryLevel", "SuspendUserInput", "SuspendUserPayload"} <= set(staff)
    assert {"User", "Review", "MessageReport", "Follow", "Role", "CommerceRole"}.isdisjoint(staff)
