"""Directives of the schema, and a use that breaks each rule."""

from collections.abc import Sequence

import pytest
from graphql import GraphQLNamedType, GraphQLSchema, build_schema, get_named_type, is_interface_type

from core.mutations.declared_codes import ALWAYS
from tests.conventions import rules_directives as rules
from tests.conventions.schemas import Rule, current, declared, directive, example

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
    assert directive(fields["setVariantPrice"], "access") == [{"grants": ["CATALOG_ADMIN"]}]
    assert directive(fields["requestEmailChange"], "access") == [{"stepUp": True}]
    assert directive(fields["createPost"], "access") == []
    assert directive(fields["createPost"], "area") == [{"name": "feed"}]
    assert directive(fields["requestEmailChange"], "area") == [{"name": "accounts"}]


def test_a_type_is_for_staff_when_nothing_else_leads_to_it() -> None:
    schema = current()
    staff = [name for name, each in schema.type_map.items() if {"name": "staff"} in directive(each, "tag")]
    assert {"InventoryLevel", "SuspendUserInput", "SuspendUserPayload"} <= set(staff)
    assert {"User", "Review", "MessageReport", "Follow", "Role", "GrantRole"}.isdisjoint(staff)


def test_apps_are_told_nothing_that_is_for_staff() -> None:
    """No role, no type that only fields for staff lead to, no value that only the staff meet."""
    apps = build_schema(declared().for_apps())
    roots = [each for each in (apps.query_type, apps.mutation_type, apps.subscription_type) if each]
    assert set(apps.type_map) - reached(apps, roots) <= {each for each in apps.type_map if each[:2] == "__"}
    access = apps.get_directive("access")
    assert access is not None
    assert set(access.args) == {"stepUp"}
    needs = [
        given
        for each in apps.type_map.values()
        for field in getattr(each, "fields", {}).values()
        for given in directive(field, "access")
    ]
    assert needs
    assert [given for given in needs if given != {"stepUp": True}] == []
    shown = {name: set(getattr(each, "values", ())) for name, each in apps.type_map.items()}
    assert shown["ProductStatus"] == {"ACTIVE", "DISCONTINUED"}
    assert "PRODUCT_IMAGE" not in shown["UploadPurpose"]
    refused = {
        code
        for field in (apps.mutation_type.fields.values() if apps.mutation_type else ())
        for given in directive(field, "refuses")
        for code in given["codes"]
    }
    assert shown["ErrorCode"] == refused | ALWAYS


def reached(schema: GraphQLSchema, start: Sequence[GraphQLNamedType]) -> set[str]:
    """Names of all types that these lead to; an interface leads to what implements it."""
    waiting, found = list(start), {"Boolean", "Float", "ID", "Int", "String"}
    waiting += [get_named_type(each.type) for known in schema.directives for each in known.args.values()]
    while waiting:
        each = waiting.pop()
        if each.name in found:
            continue
        found.add(each.name)
        for field in getattr(each, "fields", {}).values():
            given = getattr(field, "args", {}).values()
            waiting += [get_named_type(one.type) for one in (field, *given)]
        waiting += [*getattr(each, "types", ()), *getattr(each, "interfaces", ())]
        if is_interface_type(each):
            waiting += schema.get_possible_types(each)
    return found
