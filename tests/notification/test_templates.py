"""Templates that an organization writes: who may, what is refused, and what devices are told."""

import asyncio
from typing import Any

import pytest

from core.context import Services
from resolvers.notification import template_fields, templates
from stores.notification import TemplateVariableKind
from stores.notification.roles import NOTIFY_ADMIN, NOTIFY_SENDER
from tests.conftest import NewPhone
from tests.phone import Phone, granted

SHOWN = """notificationTemplate { id version name remarks scenario titleTemplate messageTemplate
  defaultChannels defaultPriority requiresAck variables { name kind required defaultValue }
  createdBy { id } archivedAt }"""
LIST = """query($filter: NotificationTemplateFilterInput) { notificationTemplates(filter: $filter) {
  edges { cursor node { name } } } }"""
READ = "query($id: ID!) { notificationTemplate(id: $id) { name archivedAt } }"
DELTA = """query($since: SyncToken) { viewer { changes(since: $since, types: [NOTIFICATION_TEMPLATE]) {
  nodes { ... on NotificationTemplate { name } } deleted { id } token } } }"""
WHERE = {"name": "where", "kind": "STRING", "required": True}
FLOOR = {"name": "floor", "kind": "NUMBER", "required": False, "defaultValue": "3"}
TEXTS = {"titleTemplate": "Leave {{ where }}", "messageTemplate": "{% if floor > 2 %}Stairs!{% endif %}"}


async def of_organization(
    services: Services, new_phone: NewPhone, org: str, *roles: Any, name: str = "Boss"
) -> Phone:
    phone = await new_phone(name, org=org)
    await granted(services, phone, *roles, scope_id=org)
    return phone


@pytest.fixture
async def boss(services: Services, new_phone: NewPhone) -> Phone:
    """An administrator of an organization of the test's own."""
    person = await new_phone("Boss")
    org = f"org-{person.user_id[-12:]}"
    return await of_organization(services, new_phone, org, NOTIFY_ADMIN)


async def create(phone: Phone, **input: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"name": "Evacuation", "variables": [WHERE, FLOOR], **TEXTS, **input}
    return dict(
        await phone.do(
            "createNotificationTemplate",
            f"{SHOWN} notificationTemplateEdge {{ cursor node {{ name }} }}",
            **given,
        )
    )


def refused(done: dict[str, Any]) -> list[tuple[str, list[str]]]:
    assert done["notificationTemplate"] is None
    return [(each["code"], each["field"]) for each in done["errors"]]


async def names(phone: Phone, **filter: Any) -> list[str]:
    edges = (await phone.run(LIST, filter=filter or None))["notificationTemplates"]["edges"]
    return [each["node"]["name"] for each in edges]


async def test_one_is_created_listed_by_name_updated_and_archived(boss: Phone) -> None:
    done = await create(
        boss,
        name="  Evacuation  B ",
        scenario="BUILDING_EVACUATION",
        defaultChannels=["SMS", "PUSH", "SMS"],
        defaultPriority="CRITICAL",
        requiresAck=True,
    )
    made = done["notificationTemplate"]
    assert done["errors"] == []
    assert made == {
        "id": made["id"],
        "version": 1,
        "name": "Evacuation B",
        "remarks": None,
        "scenario": "BUILDING_EVACUATION",
        **TEXTS,
        "defaultChannels": ["SMS", "PUSH"],
        "defaultPriority": "CRITICAL",
        "requiresAck": True,
        "variables": [{**WHERE, "defaultValue": None}, FLOOR],
        "createdBy": {"id": boss.user_id},
        "archivedAt": None,
    }
    [edge] = (await boss.run(LIST))["notificationTemplates"]["edges"]
    assert done["notificationTemplateEdge"] == edge
    await create(boss, name="breach", scenario="DATA_BREACH")
    assert await names(boss) == ["breach", "Evacuation B"]
    assert await names(boss, scenarios=["DATA_BREACH"]) == ["breach"]
    named = {"notificationTemplateId": made["id"]}
    done = await boss.do("updateNotificationTemplate", SHOWN, **named, name="Alarm", expectedVersion=1)
    assert done["notificationTemplate"] == {**made, "name": "Alarm", "version": 2}
    late = await boss.do("updateNotificationTemplate", SHOWN, **named, name="Late", expectedVersion=1)
    assert [each["code"] for each in late["errors"]] == ["CONFLICT"]
    assert late["notificationTemplate"]["name"] == "Alarm"
    for _ in range(2):
        done = await boss.do("archiveNotificationTemplate", SHOWN, **named)
        assert (done["errors"], done["notificationTemplate"]["version"]) == ([], 3)
    assert await names(boss) == ["breach"]
    assert (await boss.run(READ, id=made["id"]))["notificationTemplate"]["archivedAt"]
    after = await boss.do("updateNotificationTemplate", SHOWN, **named, name="Again")
    assert refused(after) == [("WRONG_STATUS", ["notificationTemplateId"])]
    assert (await create(boss, name="ALARM"))["errors"] == []


async def test_a_name_is_taken_once_in_an_organization(
    boss: Phone, services: Services, new_phone: NewPhone
) -> None:
    made = (await create(boss))["notificationTemplate"]
    assert refused(await create(boss, name="EVACUATION")) == [("NAME_TAKEN", ["name"])]
    other = (await create(boss, name="Other"))["notificationTemplate"]
    named = {"notificationTemplateId": other["id"]}
    done = await boss.do("updateNotificationTemplate", SHOWN, **named, name="evacuation")
    assert refused(done) == [("NAME_TAKEN", ["name"])]
    done = await boss.do("updateNotificationTemplate", SHOWN, **named, name="OTHER")
    assert done["errors"] == []
    rival = await of_organization(services, new_phone, "rival-templates", NOTIFY_ADMIN)
    theirs = (await create(rival))["notificationTemplate"]
    assert (theirs["name"], theirs["id"] != made["id"]) == ("Evacuation", True)


async def test_of_two_who_take_a_name_at_once_one_is_refused(boss: Phone) -> None:
    made = await asyncio.gather(*(create(boss) for _ in range(3)))
    codes = sorted(error["code"] for each in made for error in each["errors"])
    assert (await names(boss), codes) == (["Evacuation"], ["NAME_TAKEN", "NAME_TAKEN"])
    ids = [(await create(boss, name=f"T{number}"))["notificationTemplate"]["id"] for number in range(3)]
    renamed = await asyncio.gather(
        *(boss.do("updateNotificationTemplate", SHOWN, notificationTemplateId=id, name="Same") for id in ids)
    )
    codes = sorted(error["code"] for each in renamed for error in each["errors"])
    assert codes == ["NAME_TAKEN", "NAME_TAKEN"]


async def test_templates_are_for_those_who_send_or_administer_in_the_organization(
    services: Services, new_phone: NewPhone
) -> None:
    boss = await of_organization(services, new_phone, "acme-templates", NOTIFY_ADMIN)
    sender = await of_organization(services, new_phone, "acme-templates", NOTIFY_SENDER)
    member = await new_phone("Member", org="acme-templates")
    rival = await of_organization(services, new_phone, "rival-templates-2", NOTIFY_ADMIN)
    nobody = await new_phone("Nobody")
    token = (await sender.run(DELTA))["viewer"]["changes"]["token"]
    made = (await create(boss))["notificationTemplate"]
    assert await names(sender) == ["Evacuation"]
    assert await names(rival) == []
    delta = (await sender.run(DELTA, since=token))["viewer"]["changes"]
    assert delta["nodes"] == [{"name": "Evacuation"}]
    for hidden in (member, rival, nobody):
        assert await hidden.run(READ, id=made["id"]) == {"notificationTemplate": None}
        assert (await hidden.run(DELTA, since=token))["viewer"]["changes"]["nodes"] == []
    for other, code in ((sender, "FORBIDDEN"), (member, "FORBIDDEN"), (nobody, "NO_ORGANIZATION")):
        assert [each[0] for each in refused(await create(other, name="Mine"))] == [code]
        done = await other.do("archiveNotificationTemplate", SHOWN, notificationTemplateId=made["id"])
        assert [each[0] for each in refused(done)] == [code]
    done = await rival.do("updateNotificationTemplate", SHOWN, notificationTemplateId=made["id"], name="X")
    assert refused(done) == [("NOT_FOUND", ["notificationTemplateId"])]
    for other in (member, nobody):
        assert (await other.ask(LIST)).code in ("FORBIDDEN", "NO_ORGANIZATION")
    assert await names(boss) == ["Evacuation"]


@pytest.mark.parametrize(
    ("input", "code", "field"),
    [
        ({"titleTemplate": "{{ who }}"}, "UNKNOWN_VARIABLE", ["titleTemplate"]),
        ({"messageTemplate": "{% if who %}x{% endif %}"}, "UNKNOWN_VARIABLE", ["messageTemplate"]),
        ({"titleTemplate": "{{ where"}, "INVALID_TEMPLATE", ["titleTemplate"]),
        ({"messageTemplate": "{% if where %}"}, "INVALID_TEMPLATE", ["messageTemplate"]),
        ({"messageTemplate": "{% include 'x' %}"}, "INVALID_TEMPLATE", ["messageTemplate"]),
        ({"messageTemplate": "{{ where | date: '%999999999d' }}"}, "INVALID_TEMPLATE", ["messageTemplate"]),
        ({"messageTemplate": "{{ 1 | divided_by: 0 }}"}, "INVALID_TEMPLATE", ["messageTemplate"]),
        (
            {"messageTemplate": "{{ 9 " + "| times: 999999999999999 " * 300 + "}}"},
            "INVALID_TEMPLATE",
            ["messageTemplate"],
        ),
        ({"messageTemplate": "{{ 'nan' | ceil }}"}, "INVALID_TEMPLATE", ["messageTemplate"]),
        ({"titleTemplate": ""}, "REQUIRED", ["titleTemplate"]),
        ({"titleTemplate": "x" * 501}, "TOO_LONG", ["titleTemplate"]),
        ({"messageTemplate": "x" * 8_001}, "TOO_LONG", ["messageTemplate"]),
        ({"name": "  "}, "REQUIRED", ["name"]),
        ({"name": "x" * 101}, "TOO_LONG", ["name"]),
        ({"variables": [WHERE, FLOOR, WHERE]}, "INVALID_INPUT", ["variables", "name"]),
        ({"variables": [{**WHERE, "name": "a b"}]}, "INVALID_FORMAT", ["variables", "name"]),
        (
            {"variables": [WHERE, {**FLOOR, "defaultValue": "three"}]},
            "INVALID_FORMAT",
            ["variables", "defaultValue"],
        ),
        ({"variables": [{**WHERE, "name": f"v{n}"} for n in range(21)]}, "TOO_MANY", ["variables"]),
        ({"defaultChannels": ["SMS"] * 7}, "TOO_MANY", ["defaultChannels"]),
    ],
)
async def test_what_cannot_be_sent_is_refused(
    boss: Phone, input: dict[str, Any], code: str, field: list[str]
) -> None:
    assert refused(await create(boss, **input)) == [(code, field)]
    assert await names(boss) == []


async def test_an_update_is_checked_as_a_whole(boss: Phone) -> None:
    made = (await create(boss))["notificationTemplate"]
    named = {"notificationTemplateId": made["id"]}
    done = await boss.do("updateNotificationTemplate", SHOWN, **named, variables=[FLOOR])
    assert refused(done) == [("UNKNOWN_VARIABLE", ["titleTemplate"])]
    done = await boss.do(
        "updateNotificationTemplate", SHOWN, **named, variables=[FLOOR], titleTemplate="Leave"
    )
    assert done["notificationTemplate"]["variables"] == [FLOOR]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (TemplateVariableKind.STRING, ["", "x", "12"], []),
        (
            TemplateVariableKind.NUMBER,
            ["12.5", "-3", "1e3"],
            ["", "x", "NaN", "Infinity", "1,5", "1e99", "0." + "1" * 40],
        ),
        (TemplateVariableKind.DATE, ["2026-01-31"], ["2026-02-30", "20260131", "31.1.2026", ""]),
    ],
)
def test_values_fit_their_kind(kind: TemplateVariableKind, good: list[str], bad: list[str]) -> None:
    assert [value for value in good if not template_fields.fits(kind, value)] == []
    assert [value for value in bad if template_fields.fits(kind, value)] == []


async def test_an_organization_has_so_many(boss: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "MOST_TEMPLATES", 1)
    await create(boss)
    done = await create(boss, name="Another")
    assert [(each["code"], each["limit"]) for each in done["errors"]] == [("LIMIT_REACHED", 1)]
