"""Consent, export and erasure of a person's profile, by themselves and by administrators for them."""

import io
import json
import zipfile
from typing import Any

import pytest

from core.context import Services
from resolvers.auth import exports
from stores import auth as accounts
from stores import notification as store
from stores.notification.roles import NOTIFY_ADMIN
from tests.conftest import NewPhone
from tests.notification.steps import DELTA, deliveries, inbox, profile, settle, stored, tell
from tests.phone import Phone, deleted_ids, granted, refusal

GONE = "It does not exist, or you may not see it."
ERASED = "deletedRecipientId recipient { id version doNotCall preferredChannels consents { channel status } }"
READ = "query($id: ID!) { recipient(id: $id) { id slackId teamsFlowUrl } }"


@pytest.fixture
async def admin(new_phone: NewPhone, services: Services) -> Phone:
    phone = await new_phone("Admin", org="acme")
    await granted(services, phone, NOTIFY_ADMIN, scope_id="acme")
    return phone


async def consent(phone: Phone, **input: Any) -> dict[str, Any]:
    selection = "recipient { id consents { channel status source proof } }"
    return dict(await phone.do("setChannelConsent", selection, **input))


async def exported(services: Services, user_id: str) -> dict[str, list[dict[str, Any]]]:
    """Files of the latest export of a person's notifications."""
    latest = await accounts.latest_export(services.db, user_id, "notification")
    assert latest is not None
    assert latest["status"] == "READY"
    key = exports.key_of(latest["_id"])
    body = b"".join([piece async for piece in services.objects.read(key)])
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {
            name: [json.loads(line) for line in archive.read(name).splitlines()]
            for name in archive.namelist()
        }


async def test_an_administrator_sets_the_consent_of_a_member_with_proof(
    admin: Phone, new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada", org="acme")
    own = (await profile(ada))["id"]
    given = {"recipientId": own, "channel": "SMS", "status": "GRANTED"}
    unproven = await consent(admin, **given)
    assert [(each["code"], each["field"]) for each in unproven["errors"]] == [("REQUIRED", ["proof"])]
    unproven = await consent(admin, **{**given, "status": "REVOKED"})
    assert [each["code"] for each in unproven["errors"]] == ["REQUIRED"]
    done = await consent(admin, **given, proof="Form 17, signed on paper")
    shown = {"channel": "SMS", "status": "GRANTED", "source": "ADMIN", "proof": "Form 17, signed on paper"}
    assert (done["errors"], done["recipient"]["consents"][0]) == ([], shown)
    assert (await profile(ada))["consents"][0] == shown
    [kept] = await stored(services, store.consents, user_id=ada.user_id)
    assert (kept["actor_id"], kept["source"]) == (admin.user_id, "ADMIN")


async def test_profiles_of_others_are_hidden_from_all_but_the_administrators_of_their_organization(
    admin: Phone, new_phone: NewPhone, services: Services
) -> None:
    colleague, outsider = await new_phone("Grace", org="acme"), await new_phone("Alan", org="rival")
    rival = await new_phone("Rival", org="rival")
    await granted(services, rival, NOTIFY_ADMIN, scope_id="rival")
    nobody = await new_phone("Nobody")
    ada = await new_phone("Ada", org="acme")
    url = "https://flows.example.com/secret"
    chosen = {"slackId": "U012AB3CD", "teamsFlowUrl": url}
    await ada.do("updateNotificationPreferences", "recipient { id }", **chosen)
    own = (await profile(ada))["id"]
    refused = [refusal("NOT_FOUND", GONE, ["recipientId"])]
    for other in (colleague, outsider, rival, nobody):
        assert await other.run(READ, id=own) == {"recipient": None}
        given = {"recipientId": own, "channel": "EMAIL", "status": "REVOKED", "proof": "Asked for by phone"}
        assert (await consent(other, **given))["errors"] == refused
        done = await other.do("eraseRecipient", ERASED, recipientId=own)
        assert (done["errors"], done["recipient"], done["deletedRecipientId"]) == (refused, None, None)
        done = await other.do("requestRecipientExport", "dataExport { id }", recipientId=own)
        assert (done["errors"], done["dataExport"]) == (refused, None)
    assert await admin.run(READ, id=own) == {
        "recipient": {"id": own, "slackId": "U012AB3CD", "teamsFlowUrl": None}
    }
    assert (await ada.run(READ, id=own))["recipient"]["teamsFlowUrl"] == url
    assert (await profile(ada))["version"] == 1


async def test_an_export_of_notifications_is_mailed_to_the_person_whoever_asks(
    admin: Phone, new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada", org="acme")
    await tell(services, ada, title="Ship sails")
    await consent(ada, channel="EMAIL", status="GRANTED")
    asked = await admin.do(
        "requestRecipientExport", "dataExport { id }", recipientId=(await profile(ada))["id"]
    )
    assert (asked["errors"], asked["dataExport"]) == ([], None)
    running = await ada.do("requestRecipientExport", "dataExport { id status }")
    assert (running["errors"], running["dataExport"]["status"]) == ([], "BUILDING")
    await settle(services)
    files = await exported(services, ada.user_id)
    assert set(files) == {
        "notification/recipients.jsonl",
        "notification/consents.jsonl",
        "notification/receipts.jsonl",
        "notification/deliveries.jsonl",
    }
    assert [each["title"] for each in files["notification/receipts.jsonl"]] == ["Ship sails"]
    assert len(await accounts.exports_of(services.db, ada.user_id)) == 1
    letters = await services.mailer.letters()  # type: ignore[attr-defined]
    mailed = [each["to"] for each in letters if "/exports/" in each["text"]]
    assert mailed[0] == f"{ada.user_id}@example.com"
    everything = "{ viewer { account { dataExport { id } } } }"
    assert (await ada.run(everything))["viewer"]["account"]["dataExport"] is None


async def test_an_erasure_empties_the_inbox_and_leaves_counts_under_a_pseudonym(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    await ada.do("updateNotificationPreferences", "recipient { id }", slackId="U012AB3CD")
    await consent(ada, channel="EMAIL", status="GRANTED")
    await tell(services, ada, title="Ship sails", created_by=None)
    [item] = await inbox(ada)
    token = (await ada.run(DELTA))["viewer"]["changes"]["token"]
    own = (await profile(ada))["id"]
    done = await ada.do("eraseRecipient", ERASED, recipientId=own)
    assert (done["errors"], done["deletedRecipientId"], done["recipient"]) == ([], own, None)
    await settle(services)
    assert await inbox(ada) == []
    changes = (await ada.run(DELTA, since=token))["viewer"]["changes"]
    assert set(deleted_ids(changes)) == {own, item["id"]}
    shown = await profile(ada)
    assert (shown["version"], shown["slackId"]) == (0, None)
    assert {each["status"] for each in shown["consents"]} == {"UNKNOWN"}
    for kept in (store.receipts, store.deliveries, store.consents, store.recipients):
        assert await stored(services, kept, user_id=ada.user_id) == []
    notification = item["notification"]["id"]
    [receipt] = await stored(services, store.receipts, notification_id=notification)
    assert (receipt["title"], receipt["user_id"]) == ("", receipt["recipient_id"])
    await tell(services, ada, title="Back again")
    assert [each["notification"]["title"] for each in await inbox(ada)] == ["Back again"]


async def test_opt_outs_outlive_an_erasure(admin: Phone, new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada", org="acme")
    chosen = {"doNotCall": True, "preferredChannels": ["EMAIL"]}
    await ada.do("updateNotificationPreferences", "recipient { id }", **chosen)
    await consent(ada, channel="EMAIL", status="REVOKED", proof="No more")
    await consent(ada, channel="PUSH", status="GRANTED")
    own = (await profile(ada))["id"]
    done = await admin.do("eraseRecipient", ERASED, recipientId=own)
    assert (done["errors"], done["deletedRecipientId"]) == ([], None)
    left = done["recipient"]
    assert (left["doNotCall"], left["preferredChannels"], left["version"]) == (True, [], 4)
    said = {each["channel"]: each["status"] for each in left["consents"]}
    assert (said["EMAIL"], said["PUSH"]) == ("REVOKED", "UNKNOWN")
    await settle(services)
    await tell(services, ada, channels=["EMAIL"])
    assert await deliveries(services, ada) == [("EMAIL", "SUPPRESSED", "OPTED_OUT")]
