"""More acts that change what synced nodes are made of: how people are told, and of what."""

from datetime import timedelta
from typing import Any

from core import clock
from core.context import Context
from jobs import notification as notification_jobs
from resolvers.auth import telling
from resolvers.notification import callbacks, inbox
from stores import notification as store
from stores.notification import Delivery, DeliveryFailureReason, DeliveryStatus, NotificationChannel
from stores.notification.roles import NOTIFY_ADMIN
from tests.engine.freshness_acts import act
from tests.engine.freshness_chats import ACTS as ACTS
from tests.engine.freshness_world import Cache, World, done
from tests.notification.steps import settle, tell, titles
from tests.phone import granted


async def _texted(w: World) -> Delivery:
    """Ada is told of something by a text message."""
    wanted = {"channels": [NotificationChannel.SMS], "priority": "HIGH", "requires_ack": True}
    key = await tell(w.services, w.ada, **wanted)
    told = {"source": "SYSTEM", "dedupe_key": key, "user_id": w.ada.user_id}
    [sent] = await inbox.deliveries_of(Context(w.services), **told)
    assert sent["status"] == DeliveryStatus.SENT
    # The sender of the tests gives messages no reference.
    named = {"_id": sent["_id"], "notification_id": sent["notification_id"]}
    update = {"q": named, "u": {"$set": {"provider_ref": sent["_id"]}}}
    await w.services.db.write({"update": "deliveries", "updates": [update]})
    await w.check("told")
    return sent


def _receipt_id(sent: Delivery) -> str:
    return store.receipt_id(sent["notification_id"], sent["user_id"])


async def _tells(w: World, sent: Delivery, status: DeliveryStatus, **more: Any) -> None:
    """The provider tells what became of the message."""
    await callbacks.apply_event(w.services, event=callbacks.event(sent["_id"], status=status, **more))
    await w.check(status)


@act("recipients")
async def ada_chooses_how_she_is_told(w: World) -> None:
    chosen = {
        "preferredChannels": ["PUSH", "EMAIL"],
        "mutedSources": ["AUDIT"],
        "quietHours": {"startsAt": "22:00", "endsAt": "07:30"},
        "slackId": "U012AB3CD",
        "teamsFlowUrl": "https://flows.example.com/secret",
        "doNotCall": True,
    }
    none = {
        "preferredChannels": [],
        "mutedSources": [],
        "quietHours": None,
        "slackId": None,
        "teamsFlowUrl": None,
        "doNotCall": False,
    }
    for what, choices in (("nothing", none), ("all", chosen), ("nothing again", none)):
        await done(w.ada, "updateNotificationPreferences", **choices)
        await w.check(f"chose {what}")


@act("recipients", "users")
async def ada_agrees_to_channels_and_opts_out(w: World) -> None:
    """Of a number of hers, and not of the next."""
    await _has_number(w, "+15550001815")
    await w.check("a number")
    for channel, status in (("EMAIL", "REVOKED"), ("EMAIL", "GRANTED"), ("SMS", "GRANTED")):
        await done(w.ada, "setChannelConsent", channel=channel, status=status, proof=f"{status} it")
        await w.check(f"{channel} {status}")
    await _has_number(w, "+15550001816")
    await w.check("another number")
    await done(w.ada, "setChannelConsent", channel="SMS", status="GRANTED", proof="Yes, anew")


async def _has_number(w: World, number: str) -> None:
    """As the writes that end a flow with a code keep it."""
    ctx, crypto = Context(w.services), w.services.crypto
    fields = {
        "phone": crypto.seal(number, place=f"users/{w.ada.user_id}/phone"),
        "phone_index": crypto.blind(number, place="users/phone"),
        "phone_masked": f"**{number[-2:]}",
    }
    await ctx.unit(lambda: telling.change(ctx, w.ada.user_id, set=fields))


@act("notification_receipts")
async def ada_is_told_and_sees_it(w: World) -> None:
    sent = await _texted(w)
    await done(w.ada, "markInboxSeen", receiptIds=[_receipt_id(sent)])


@act("notification_receipts")
async def a_message_arrives_and_ada_opens_and_acknowledges_it(w: World) -> None:
    sent = await _texted(w)
    for status in (DeliveryStatus.DELIVERED, DeliveryStatus.OPENED):
        await _tells(w, sent, status)
    given = {"response": "On my way", "location": {"latitude": 48.2, "longitude": 16.4}}
    await done(w.ada, "acknowledgeNotification", target={"receiptId": _receipt_id(sent)}, **given)


@act("notification_receipts", "recipients", "users")
async def the_number_of_ada_takes_no_texts(w: World) -> None:
    sent = await _texted(w)
    await _tells(w, sent, DeliveryStatus.FAILED, failure_reason=DeliveryFailureReason.LANDLINE)
    await _has_number(w, "+15550001817")


@act("notification_receipts")
async def what_ada_was_told_leaves_her_inbox(w: World) -> None:
    past = {"$set": {"sent_at": clock.now() - timedelta(days=91)}}
    update = {"q": {"user_id": w.ada.user_id}, "u": past, "multi": True}
    await w.services.db.write({"update": "notification_receipts", "updates": [update]})
    await notification_jobs.retain(w.services)
    assert await titles(w.ada) == []


@act("notification_templates")
async def an_administrator_writes_templates(w: World) -> None:
    ines = await w.new_phone("Ines", org="acme")
    await granted(w.services, ines, NOTIFY_ADMIN, scope_id="acme")
    w.caches.append(Cache(ines, w.caches[0].query))
    variable = {"name": "where", "kind": "STRING", "required": False}
    first = {
        "name": "First",
        "titleTemplate": "Leave",
        "messageTemplate": "",
        "scenario": "CUSTOM",
        "remarks": None,
        "defaultChannels": [],
        "defaultPriority": "LOW",
        "requiresAck": False,
        "variables": [],
    }
    then = {
        "name": "Then",
        "titleTemplate": "Leave {{ where }}",
        "messageTemplate": "Now",
        "scenario": "RANSOMWARE",
        "remarks": "For drills",
        "defaultChannels": ["SMS"],
        "defaultPriority": "HIGH",
        "requiresAck": True,
        "variables": [variable],
    }
    made = await done(ines, "createNotificationTemplate", "notificationTemplate { id }", **first)
    named = {"notificationTemplateId": made["notificationTemplate"]["id"]}
    await w.check("wrote one")
    others = {**variable, "name": "floor", "kind": "NUMBER", "required": True, "defaultValue": "1"}
    for changes in (then, {"titleTemplate": "Leave {{ floor }}", "variables": [others]}):
        await done(ines, "updateNotificationTemplate", **named, **changes)
        await w.check("changed it")
    await done(ines, "archiveNotificationTemplate", **named)
    await w.check("archived it")


@act("recipients", "notification_receipts")
async def ada_erases_what_was_kept_of_how_she_is_told(w: World) -> None:
    await tell(w.services, w.ada, channels=[NotificationChannel.EMAIL])
    await w.check("told")
    await done(w.ada, "setChannelConsent", channel="EMAIL", status="REVOKED")
    for opted_out in (True, False):
        await done(w.ada, "eraseRecipient", recipientId=store.recipient_id(w.ada.user_id))
        await settle(w.services)
        await w.check(f"erased, {'but for an opt-out' if opted_out else 'all of it'}")
        await done(w.ada, "setChannelConsent", channel="EMAIL", status="GRANTED")
