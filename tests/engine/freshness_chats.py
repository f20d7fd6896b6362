"""More acts that change what synced nodes are made of: in chats and in the shop."""

from datetime import timedelta

from core import clock
from jobs import chat as chat_jobs
from tests.chat.steps import mark_delivered, mark_read, open_chat, say
from tests.engine.freshness_acts import ACTS as ACTS
from tests.engine.freshness_acts import act
from tests.engine.freshness_world import World, done
from tests.media.steps import complete, created, picture, send

# Chats.


@act("messages", "chat_members")
async def grace_says_more_and_edits_it(w: World) -> None:
    said = await say(w.grace, w.ids["chat"], "More", replyToId=w.ids["hello"])
    await w.check("said")
    await done(w.grace, "updateMessage", messageId=said["id"], text="More words")


@act("messages", "chat_members")
async def messages_are_received_and_read(w: World) -> None:
    await mark_delivered(w.ada, w.ids["chat"], 3)
    await w.check("received")
    await mark_read(w.ada, w.ids["chat"], 3)
    await mark_read(w.grace, w.ids["chat"], 3)


@act("chat_settings")
async def ada_turns_read_receipts_off_and_on(w: World) -> None:
    for on in (False, True):
        await done(w.ada, "updateChatSettings", readReceipts=on, showPresence=on, hideTextInPush=not on)
        await w.check(f"receipts {on}")
    await done(w.ada, "updateChatSettings", allowedSenders="FOLLOWED")


@act("messages", "chat_members")
async def ada_hides_what_was_answered(w: World) -> None:
    await done(w.ada, "removeMessage", messageId=w.ids["hello"])


@act("messages", "chat_members")
async def the_last_message_is_deleted_for_both_and_forgotten(w: World) -> None:
    said = await say(w.grace, w.ids["chat"], "Never mind")
    answer = await say(w.grace, w.ids["chat"], "Or do", replyToId=said["id"])
    await w.check("said")
    for id in (answer["id"], said["id"]):
        await done(w.grace, "deleteMessage", messageId=id)
        await w.check("deleted")
    past = {"$set": {"deleted_at": clock.now() - timedelta(days=91)}}
    update = {"q": {"_id": {"$in": [said["id"], answer["id"]]}}, "u": past, "multi": True}
    await w.services.db.write({"update": "messages", "updates": [update]})
    await chat_jobs.purge_tombstones(w.services)


@act("message_reports", "messages", "chat_members")
async def a_report_of_a_message_is_upheld(w: World) -> None:
    await done(w.rosa, "decideMessageReport", messageReportId=w.ids["message report"], decision="UPHOLD")


@act("chat_members")
async def ada_archives_and_mutes_the_chat(w: World) -> None:
    await done(w.ada, "updateChat", chatId=w.ids["chat"], archived=True, mutedUntil="2090-01-01T00:00:00Z")


@act("uploads", "media", "messages")
async def an_attachment_becomes_ready(w: World) -> None:
    body = picture(seed=14)
    upload = await created(w.grace, body, purpose="CHAT_ATTACHMENT")
    await say(w.grace, w.ids["chat"], "Look", attachments=[{"uploadId": upload["id"]}])
    await w.check("sent")
    await complete(w.grace, upload, await send(w.grace.http, upload, body))


@act("uploads", "messages")
async def an_attachment_is_refused(w: World) -> None:
    body = b"\xff\xd8\xff\xe0" + b"no picture at all" * 50
    upload = await created(w.grace, body, purpose="CHAT_ATTACHMENT")
    await say(w.grace, w.ids["chat"], "Look", attachments=[{"uploadId": upload["id"]}])
    await w.check("sent")
    await complete(w.grace, upload, await send(w.grace.http, upload, body))


@act("chat_members", "users")
async def hedy_writes_to_grace(w: World) -> None:
    chat = await open_chat(w.hedy, w.grace)
    await w.check("opened")
    await say(w.hedy, chat, "Hello")


# The shop.


@act("product_settings")
async def ada_sets_up_a_product(w: World) -> None:
    given = {"productId": w.ids["product"]}
    await done(w.ada, "updateProductSettings", **given, autoRefill=True)
    await w.check("set up")
    notices = {"push": False, "email": True, "local": False, "notifyDays": [7]}
    rest = {
        "reorderThreshold": 3,
        "lowStockAlert": False,
        "remindersEnabled": False,
        "notifications": notices,
    }
    await done(w.ada, "updateProductSettings", **given, autoRefill=False, **rest)


@act("reviews")
async def ada_reviews_a_product(w: World) -> None:
    given = {"productId": w.ids["product"]}
    made = await done(w.ada, "submitReview", "review { id }", **given, rating=5, title="Fine", body="Fine")
    await w.check("reviewed")
    await done(w.rosa, "decideReview", reviewId=made["review"]["id"], decision="PUBLISH")
    await w.check("published")
    await done(w.ada, "submitReview", **given, rating=1, title="Poor", body="Poor")
    await w.check("changed")
    await done(w.ada, "updateProfile", firstName="Adele")
    await done(w.ada, "submitReview", **given, rating=2)
