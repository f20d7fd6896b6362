"""Preferences and consent, as a person sets them."""

import pytest

from core.context import Services
from core.erasure import ERASERS, EXPORTERS
from stores import notification as store
from tests.conftest import NewPhone
from tests.notification.steps import DELTA, PROFILE, deliveries, inbox, profile, stored, tell
from tests.phone import Phone

CHANNELS = ["SMS", "VOICE", "EMAIL", "PUSH", "SLACK", "TEAMS"]


async def update(phone: Phone, **input: object) -> dict[str, object]:
    return dict(await phone.do("updateNotificationPreferences", f"recipient {{ {PROFILE} }}", **input))


async def consent(phone: Phone, channel: str, status: str = "GRANTED", **input: object) -> dict[str, object]:
    selection = f"recipient {{ {PROFILE} }}"
    return dict(await phone.do("setChannelConsent", selection, channel=channel, status=status, **input))


async def test_a_person_has_defaults_until_they_choose(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    shown = await profile(ada)
    assert shown == {
        "id": shown["id"],
        "version": 0,
        "preferredChannels": [],
        "mutedSources": [],
        "quietHours": None,
        "slackId": None,
        "teamsFlowUrl": None,
        "doNotCall": False,
        "landline": False,
        "consents": [
            {"channel": each, "status": "UNKNOWN", "source": None, "proof": None} for each in CHANNELS
        ],
    }
    read = "query($id: ID!) { recipient(id: $id) { id } node(id: $id) { id } }"
    own = {"id": shown["id"]}
    assert await ada.run(read, id=shown["id"]) == {"recipient": own, "node": own}
    assert await grace.run(read, id=shown["id"]) == {"recipient": None, "node": None}


async def test_choices_are_kept_and_other_devices_learn_of_them(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    token = (await ada.run(DELTA, types=["RECIPIENT"]))["viewer"]["changes"]["token"]
    chosen = {
        "preferredChannels": ["PUSH", "EMAIL"],
        "mutedSources": ["AUDIT"],
        "quietHours": {"startsAt": "22:00", "endsAt": "07:30"},
        "slackId": "U012AB3CD",
        "teamsFlowUrl": "https://flows.example.com/secret",
        "doNotCall": True,
    }
    done = await update(ada, **{**chosen, "preferredChannels": ["PUSH", "EMAIL", "PUSH"]})
    assert done["errors"] == []
    shown = await profile(ada)
    assert {name: shown[name] for name in chosen} == chosen
    assert done["recipient"] == shown
    delta = (await ada.run(DELTA, types=["RECIPIENT"], since=token))["viewer"]["changes"]
    assert delta["nodes"] == [{"__typename": "Recipient", "id": shown["id"]}]
    [row] = await stored(services, store.recipients, _id=shown["id"])
    assert "secret" not in str(row)
    cleared = await update(ada, quietHours=None, teamsFlowUrl=None, expectedVersion=1)
    assert (cleared["recipient"]["quietHours"], cleared["recipient"]["teamsFlowUrl"]) == (None, None)  # type: ignore[index]
    late = await update(ada, doNotCall=False, expectedVersion=1)
    assert [each["code"] for each in late["errors"]] == ["CONFLICT"]  # type: ignore[attr-defined]
    assert late["recipient"] == cleared["recipient"]


@pytest.mark.parametrize(
    ("input", "code", "field"),
    [
        (
            {"quietHours": {"startsAt": "08:00", "endsAt": "08:00"}},
            "INVALID_INPUT",
            ["quietHours", "endsAt"],
        ),
        ({"slackId": "ada"}, "INVALID_FORMAT", ["slackId"]),
        ({"teamsFlowUrl": "http://flows.example.com"}, "INVALID_FORMAT", ["teamsFlowUrl"]),
        ({"teamsFlowUrl": "https://ada@flows.example.com"}, "INVALID_FORMAT", ["teamsFlowUrl"]),
        ({"teamsFlowUrl": "https://[flows.example.com"}, "INVALID_FORMAT", ["teamsFlowUrl"]),
        ({"teamsFlowUrl": "https://flows.example.com:99999/"}, "INVALID_FORMAT", ["teamsFlowUrl"]),
        ({"teamsFlowUrl": f"https://flows.example.com/{'x' * 2_000}"}, "TOO_LONG", ["teamsFlowUrl"]),
        ({"mutedSources": ["AUDIT"] * 51}, "TOO_MANY", ["mutedSources"]),
        ({"preferredChannels": ["PUSH"] * 7}, "TOO_MANY", ["preferredChannels"]),
    ],
)
async def test_choices_that_cannot_be_are_refused(
    new_phone: NewPhone, services: Services, input: dict[str, object], code: str, field: list[str]
) -> None:
    ada = await new_phone("Ada")
    done = await update(ada, **input)
    assert [(each["code"], each["field"]) for each in done["errors"]] == [(code, field)]  # type: ignore[attr-defined]
    assert await stored(services, store.recipients, user_id=ada.user_id) == []


@pytest.mark.parametrize("written", ["8:00", "24:00", "08:60", "08:00:00", "", "\uff10\uff18:00"])
async def test_a_time_of_day_has_hours_and_minutes(new_phone: NewPhone, written: str) -> None:
    ada = await new_phone("Ada")
    hours = {"idempotencyKey": "1", "quietHours": {"startsAt": written, "endsAt": "07:00"}}
    change = """mutation($input: UpdateNotificationPreferencesInput!) {
      updateNotificationPreferences(input: $input) { errors { code } } }"""
    assert (await ada.ask(change, input=hours)).errors != []


async def test_consent_is_kept_with_its_proof_and_holds_at_once(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    proof = "Yes, text me about my orders."
    done = await consent(ada, "SMS", proof=proof)
    shown = done["recipient"]["consents"][0]  # type: ignore[index]
    assert shown == {"channel": "SMS", "status": "GRANTED", "source": "APP", "proof": proof}
    await consent(ada, "EMAIL", "REVOKED")
    out = await consent(ada, "SMS", "REVOKED")
    by_channel = {each["channel"]: each["status"] for each in out["recipient"]["consents"]}  # type: ignore[index]
    assert (by_channel["SMS"], by_channel["EMAIL"], by_channel["PUSH"]) == ("REVOKED", "REVOKED", "UNKNOWN")
    rows = await stored(services, store.consents, user_id=ada.user_id)
    rows.sort(key=lambda row: row["at"])
    assert [(row["channel"], row["status"], row["proof"], row["actor_id"]) for row in rows] == [
        ("SMS", "GRANTED", proof, ada.user_id),
        ("EMAIL", "REVOKED", None, ada.user_id),
        ("SMS", "REVOKED", None, ada.user_id),
    ]
    await tell(services, ada, priority="HIGH")
    assert [each[:2] for each in await deliveries(services, ada) if each[2] == "OPTED_OUT"] == [
        ("EMAIL", "SUPPRESSED"),
        ("SMS", "SUPPRESSED"),
    ]


async def test_texts_and_calls_are_agreed_to_with_proof(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    for channel in ("SMS", "VOICE"):
        done = await consent(ada, channel)
        assert [(each["code"], each["field"]) for each in done["errors"]] == [("REQUIRED", ["proof"])]  # type: ignore[attr-defined]
    long = await consent(ada, "SMS", proof="x" * 1_001)
    assert [each["code"] for each in long["errors"]] == ["TOO_LONG"]  # type: ignore[attr-defined]
    neither = await consent(ada, "PUSH", "UNKNOWN")
    assert [each["code"] for each in neither["errors"]] == ["INVALID_INPUT"]  # type: ignore[attr-defined]
    assert await stored(services, store.consents, user_id=ada.user_id) == []


async def test_failure_no_channel_reachable_receipt_suppressed_sender_told(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace = await new_phone("Ada", email_verified=False), await new_phone("Grace")
    await tell(services, ada, title="To nobody", created_by=grace.user_id)
    assert await deliveries(services, ada) == [
        ("EMAIL", "SUPPRESSED", "NO_ADDRESS"),
        ("PUSH", "SUPPRESSED", "NO_ADDRESS"),
    ]
    [item] = await inbox(ada)
    assert (item["status"], item["indicator"]) == ("SUPPRESSED", "GRAY")
    [told] = await inbox(grace)
    assert told["notification"]["title"] == "Somebody could not be reached"
    assert "To nobody" in told["notification"]["message"]


async def test_choices_are_in_the_export_and_go_with_the_account(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    await update(ada, slackId="U012AB3CD", teamsFlowUrl="https://flows.example.com/secret")
    await consent(ada, "SMS", proof="Yes")
    exported = {file: rows async for file, rows in EXPORTERS["notification"](services, ada.user_id)}
    [row], [agreed] = exported["recipients"], exported["consents"]
    assert (row["slack_id"], row["teams_flow_url"]) == ("U012AB3CD", "https://flows.example.com/secret")
    assert (agreed["channel"], agreed["proof"]) == ("SMS", "Yes")
    await ERASERS["notification"](services, ada.user_id)
    assert (await profile(ada))["version"] == 0
    assert await stored(services, store.consents, user_id=ada.user_id) == []
