"""Inbox: what notify() brings into it, once, and how a person reads it."""

import asyncio
from datetime import timedelta
from functools import partial

import pytest

from core import clock, ids, jobs
from core.context import Context, Services
from core.erasure import ERASERS, EXPORTERS
from core.messages import gettext_noop
from core.security.limits import Rate
from jobs import notification as work
from resolvers.notification import acknowledging, code_template, deliveries_of, fanning_out, notify
from stores import notification as store
from stores.notification import NotificationChannel, PriorityLevel
from tests.conftest import Commands, NewPhone
from tests.notification.steps import (
    DELTA,
    INBOX,
    acknowledge,
    inbox,
    refusal,
    settle,
    stored,
    tell,
    titles,
    unseen,
)
from tests.phone import make_user

BLOCKED = code_template("tests.blocked", title=gettext_noop("Nobody has this {name}."), message="{count}")
LIVE = """subscription { notificationReceived { ... on NotificationReceived {
  notificationReceiptEdge { cursor node { id notification { title } } } viewer { inboxCount } } } }"""
RESUMED = """subscription($after: String) { notificationReceived(after: $after) {
  ... on NotificationReceived {
  eventId notificationReceiptEdge { node { notification { title } } } } } }"""


async def test_people_are_told_in_the_transaction_of_what_they_are_told_of(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    ctx = Context(services)

    async def act() -> None:
        await notify(ctx, source="SYSTEM", dedupe_key=ada.user_id, title="Lost", user_ids=[ada.user_id])
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await ctx.unit(act)
    await settle(services)
    assert await titles(ada) == []
    await tell(services, ada, title="Found", message="It is here", priority=PriorityLevel.HIGH)
    [item] = await inbox(ada)
    assert item["notification"] == {
        "id": item["notification"]["id"],
        "title": "Found",
        "message": "It is here",
        "priority": "HIGH",
        "source": "SYSTEM",
        "requiresAck": False,
    }
    assert (item["version"], item["seenAt"], item["acknowledgment"]) == (item["version"], None, None)


async def test_notify_is_one_insert_in_the_callers_transaction(
    new_phone: NewPhone, services: Services, commands: Commands
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    ctx = Context(services)
    told = {"source": "SYSTEM", "dedupe_key": ada.user_id, "title": "News"}
    commands.reset()
    await ctx.unit(partial(notify, ctx, user_ids=[ada.user_id, grace.user_id], **told))
    assert commands.counts == {"insert": 1, "commitTransaction": 1}
    await settle(services)
    assert await titles(grace) == ["News"]


async def test_failure_notify_or_send_replayed_first_result_nobody_gets_it_twice(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    name = await tell(services, ada, title="First")
    await tell(services, ada, ada, grace, title="Second", dedupe_key=name)
    await tell(services, ada, title="Third", dedupe_key=name)
    assert (await titles(ada), await titles(grace)) == (["First"], ["First"])
    assert await unseen(ada) == 1
    clock.shift(store.DEDUPED + timedelta(minutes=1))
    await tell(services, ada, title="Anew", dedupe_key=name)
    ada = await new_phone(user_id=ada.user_id)
    assert await titles(ada) == ["Anew", "First"]


async def test_failure_worker_dies_in_a_delivery_or_chunk_the_job_is_taken_again(
    new_phone: NewPhone, services: Services
) -> None:
    people = await asyncio.gather(*(make_user(services) for _ in range(51)))
    ada = await new_phone("Ada")
    await tell(services, *people, ada, run=False)
    [job] = await stored(services, jobs.queue, task="notification.fan_out")
    # It dies after the first chunk, and another begins anew.
    await fanning_out.fan_out(services, **{**job["arguments"], "user_ids": job["arguments"]["user_ids"][:50]})
    await settle(services)
    [item] = await inbox(ada)
    rows = await stored(services, store.receipts, notification_id=item["notification"]["id"])
    assert sorted(row["user_id"] for row in rows) == sorted([*people, ada.user_id])


async def test_two_that_begin_one_notification_make_one(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    name = await tell(services, ada, run=False)
    await tell(services, grace, dedupe_key=name, run=False)
    rows = await stored(services, jobs.queue, task="notification.fan_out")
    assert len(rows) == 2
    await asyncio.gather(*(fanning_out.fan_out(services, **row["arguments"]) for row in rows))
    await settle(services)
    [one], [other] = await inbox(ada), await inbox(grace)
    assert one["notification"]["id"] == other["notification"]["id"]


async def test_seen_items_are_not_counted(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await tell(services, ada, grace)
    await tell(services, ada, title="More")
    assert await unseen(ada) == 2
    [item, _] = await inbox(ada)
    [others] = await inbox(grace)
    wanted = [item["id"], item["id"], others["id"]]
    done = await ada.do(
        "markInboxSeen",
        "notificationReceipts { id status seenAt openedAt } viewer { inboxCount }",
        receiptIds=wanted,
    )
    [seen] = done["notificationReceipts"]
    assert (seen["id"], seen["status"], seen["openedAt"]) == (item["id"], "OPENED", seen["seenAt"])
    assert done["viewer"] == {"inboxCount": 1}
    assert (await inbox(grace))[0]["seenAt"] is None
    many = await ada.do("markInboxSeen", "viewer { id }", receiptIds=[item["id"]] * 101)
    assert [each["code"] for each in many["errors"]] == ["TOO_MANY"]


async def test_a_person_acknowledges_once_and_the_first_stands(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    await tell(services, ada, requires_ack=True, title="Drill")
    await tell(services, ada, title="No answer needed")
    [item] = await inbox(ada, unacknowledged=True)
    place = {"latitude": 52.5, "longitude": 13.4}
    done = await acknowledge(ada, item["id"], response="Safe", location=place)
    assert done["errors"] == []
    shown = done["notificationReceipt"]
    assert (shown["indicator"], shown["status"]) == ("GREEN", "OPENED")
    seconds = shown["acknowledgment"].pop("secondsToAcknowledge")
    assert 0 <= seconds < 60
    assert shown["acknowledgment"] == {
        "acknowledgedAt": shown["openedAt"],
        "method": "BUTTON_CLICK",
        "response": "Safe",
        "late": False,
        "location": place,
    }
    again = await acknowledge(ada, item["id"], response="Other")
    assert again["notificationReceipt"]["acknowledgment"].pop("secondsToAcknowledge") == seconds
    assert again["notificationReceipt"] == shown
    by_id = {"notificationId": item["notification"]["id"]}
    third = await ada.do("acknowledgeNotification", "notificationReceipt { id }", target=by_id)
    assert third["notificationReceipt"] == {"id": item["id"]}
    assert await inbox(ada, unacknowledged=True) == []
    [row] = await stored(services, store.receipts, _id=item["id"])
    assert "52.5" not in str(row)


async def test_failure_ack_for_another_person_forbidden(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await tell(services, ada, requires_ack=True)
    [item] = await inbox(ada)
    theirs = await acknowledge(grace, item["id"])
    assert theirs["errors"] == [
        refusal("FORBIDDEN", "Your account may not do this.", ["target", "receiptId"])
    ]
    unknown = {"notificationId": item["notification"]["id"]}
    unseen = await grace.do("acknowledgeNotification", "notificationReceipt { id }", target=unknown)
    assert [each["code"] for each in unseen["errors"]] == ["NOT_FOUND"]
    assert (await inbox(ada))[0]["acknowledgment"] is None


async def test_an_acknowledgment_from_offline_has_its_own_time_within_bounds(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    for title in ("early", "future", "late"):
        await tell(services, ada, title=title, requires_ack=True)
    by_title = {each["notification"]["title"]: each["id"] for each in await inbox(ada)}
    [row] = await stored(services, store.receipts, _id=by_title["early"])
    early = await acknowledge(ada, by_title["early"], acknowledgedAt="2020-01-01T00:00:00Z")
    assert early["notificationReceipt"]["acknowledgment"]["secondsToAcknowledge"] == 0
    ahead = (clock.now() + timedelta(hours=1)).isoformat()
    future = await acknowledge(ada, by_title["future"], acknowledgedAt=ahead)
    assert future["notificationReceipt"]["acknowledgment"]["secondsToAcknowledge"] < 60
    clock.shift(timedelta(hours=73))
    ada = await new_phone(user_id=ada.user_id)
    late = await acknowledge(ada, by_title["late"])
    assert late["notificationReceipt"]["acknowledgment"]["late"] is True
    assert row["acknowledged"] is False


async def test_what_cannot_be_an_acknowledgment_is_refused(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    await tell(services, ada, requires_ack=True)
    [item] = await inbox(ada)
    long = await acknowledge(ada, item["id"], response="x" * 501)
    assert [(each["code"], each["field"], each["limit"]) for each in long["errors"]] == [
        ("TOO_LONG", ["response"], 500)
    ]
    far = await acknowledge(ada, item["id"], location={"latitude": 91, "longitude": 0})
    assert [(each["code"], each["field"]) for each in far["errors"]] == [
        ("OUT_OF_RANGE", ["location", "latitude"])
    ]
    assert (await inbox(ada))[0]["acknowledgment"] is None


async def test_acknowledgments_have_a_rate(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acknowledging, "ACKNOWLEDGMENTS", Rate("few-acknowledgments", 2, 60))
    ada = await new_phone("Ada")
    await tell(services, ada)
    [item] = await inbox(ada)
    for _ in range(2):
        assert (await acknowledge(ada, item["id"]))["errors"] == []
    assert [each["code"] for each in (await acknowledge(ada, item["id"]))["errors"]] == ["RATE_LIMITED"]


async def test_other_devices_learn_of_items_by_delta_and_live(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    types = ["NOTIFICATION_RECEIPT"]
    token = (await ada.run(DELTA, types=types))["viewer"]["changes"]["token"]
    async with ada.watch(LIVE) as stream:
        await tell(services, ada)
        [item] = await inbox(ada)
        event = (await stream.next())["notificationReceived"]
        [edge] = (await ada.run(INBOX))["viewer"]["inbox"]["edges"]
        node = {"id": item["id"], "notification": {"title": "News"}}
        assert event == {
            "notificationReceiptEdge": {"cursor": edge["cursor"], "node": node},
            "viewer": {"inboxCount": 1},
        }
        await acknowledge(ada, item["id"])
        assert await stream.nothing()
    delta = (await ada.run(DELTA, types=types, since=token))["viewer"]["changes"]
    assert delta["nodes"] == [{"__typename": "NotificationReceipt", **node}]


async def test_a_stream_that_comes_late_is_told_of_what_was_sent_meanwhile(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    async with ada.watch(RESUMED) as stream:
        await tell(services, ada, title="First", channels=[NotificationChannel.EMAIL])
        first = (await stream.next())["notificationReceived"]
    for title in ("Second", "Third"):
        await tell(services, ada, title=title, channels=[NotificationChannel.EMAIL])
    [*_, last] = await inbox(ada)
    assert last["status"] == "SENT"
    async with ada.watch(RESUMED, after=first["eventId"]) as stream:
        told = [(await stream.next())["notificationReceived"] for _ in range(2)]
        assert await stream.nothing()
    shown = [each["notificationReceiptEdge"]["node"]["notification"]["title"] for each in told]
    assert shown == ["Second", "Third"]


async def test_texts_are_in_the_language_of_the_person(new_phone: NewPhone, services: Services) -> None:
    ada, grete = await new_phone("Ada"), await new_phone("Grete", locale="de-AT")
    told = {"title": None, "template_key": BLOCKED, "variables": {"name": "x" * 200, "count": 1_000}}
    await tell(services, ada, grete, **told)
    [english], [german] = await inbox(ada), await inbox(grete)
    assert english["notification"]["title"] == f"Nobody has this {'x' * 103}…"
    assert (english["notification"]["message"], german["notification"]["message"]) == ("1,000", "1.000")


async def test_without_an_inbox_and_for_silent_pushes_nothing_is_kept_to_read(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    await tell(services, ada, inbox=False)
    await tell(services, ada, push={"silent": True})
    assert await inbox(ada) == []
    assert await stored(services, store.receipts, user_id=ada.user_id) == []


async def test_others_see_nothing_of_it(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await tell(services, ada)
    [item] = await inbox(ada)
    read = "query($id: ID!) { node(id: $id) { id } }"
    for id in (item["id"], item["notification"]["id"]):
        assert await ada.run(read, id=id) == {"node": {"id": id}}
        assert await grace.run(read, id=id) == {"node": None}


async def test_items_leave_the_inbox_after_90_days(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    await tell(services, ada, title="Old")
    [item] = await inbox(ada)
    clock.shift(timedelta(days=89))
    await work.retain(services)
    ada = await new_phone(user_id=ada.user_id)
    assert await titles(ada) == ["Old"]
    types = ["NOTIFICATION_RECEIPT"]
    token = (await ada.run(DELTA, types=types))["viewer"]["changes"]["token"]
    clock.shift(timedelta(days=2))
    ada = await new_phone(user_id=ada.user_id)
    await work.retain(services)
    assert (await titles(ada), await unseen(ada)) == ([], 0)
    delta = (await ada.run(DELTA, types=types, since=token))["viewer"]["changes"]
    assert delta["deleted"] == [{"id": item["id"], "typename": "NotificationReceipt"}]
    assert len(await stored(services, store.receipts, _id=item["id"])) == 1
    clock.shift(store.SENDS_KEPT)
    await work.retain(services)
    assert await stored(services, store.receipts, _id=item["id"]) == []
    assert await stored(services, store.notifications, _id=item["notification"]["id"]) == []


async def test_the_export_has_it_and_erasure_leaves_a_pseudonym(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    await tell(services, ada, requires_ack=True, title="Secret title")
    [item] = await inbox(ada)
    place = {"latitude": 1.0, "longitude": 2.0}
    await acknowledge(ada, item["id"], response="Here", location=place)
    exported = {file: rows async for file, rows in EXPORTERS["notification"](services, ada.user_id)}
    [row] = exported["receipts"]
    assert (row["title"], row["acknowledgment"]["response"]) == ("Secret title", "Here")
    assert row["acknowledgment"]["location"] == place
    for _ in range(2):
        await ERASERS["notification"](services, ada.user_id)
    assert await inbox(ada) == []
    named = {"notification_id": item["notification"]["id"]}
    [left] = await stored(services, store.receipts, **named)
    assert ada.user_id not in str(left)
    assert "Secret" not in str(left)
    assert "Here" not in str(left)
    assert ids.prefix_of(left["user_id"]) == "recipient"
    assert left["acknowledged"] is True


async def test_systems_learn_what_became_of_a_persons_deliveries(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    name = await tell(services, ada, channels=["EMAIL"])
    told = {"source": "SYSTEM", "dedupe_key": name, "user_id": ada.user_id}
    [row] = await deliveries_of(Context(services), **told)
    assert (row["channel"], row["status"]) == ("EMAIL", "SENT")
    assert await deliveries_of(Context(services), **{**told, "dedupe_key": "another"}) == []


async def test_what_only_told_devices_goes_after_30_days(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    await tell(services, ada, inbox=False, channels=["EMAIL"])
    [row] = await stored(services, store.deliveries, user_id=ada.user_id)
    named = {"_id": row["notification_id"]}
    clock.shift(timedelta(days=29))
    await work.retain(services)
    assert len(await stored(services, store.notifications, **named)) == 1
    clock.shift(timedelta(days=2))
    await work.retain(services)
    assert await stored(services, store.notifications, **named) == []
