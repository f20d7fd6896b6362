"""Pictures and files in messages: attached before they are ready, and gone with the message."""

import pytest

from core import jobs
from core.context import Context, Services
from resolvers.media import keeping
from tests.chat.steps import (
    CHANGE_EVENTS,
    CHAT_EVENTS,
    changed,
    history,
    new,
    open_chat,
    refusal,
    stored,
    talk,
    until,
)
from tests.conftest import NewPhone
from tests.media.steps import complete, create, created, picture, send, uploaded
from tests.phone import Phone

ATTACHMENTS = "attachments { kind status fileName altText media { id mimeType } upload { id } }"


async def attach(phone: Phone, chat_id: str, *upload_ids: str, **input: object) -> dict[str, object]:
    wanted = [{"uploadId": id, "altText": "A boat"} for id in upload_ids]
    done: dict[str, object] = await phone.do(
        "sendMessage", f"message {{ id text {ATTACHMENTS} }}", chatId=chat_id, attachments=wanted, **input
    )
    return done


async def test_a_message_that_is_a_picture_alone(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id = await open_chat(ada, grace)
    upload = await uploaded(ada, services, picture())
    sent = await attach(ada, chat_id, upload["id"])
    assert sent["errors"] == []
    [seen] = await history(grace, chat_id, selection=f"text {ATTACHMENTS}")
    [attachment] = seen["attachments"]
    assert seen["text"] is None
    assert attachment == {
        "kind": "IMAGE",
        "status": "READY",
        "fileName": "photo.jpg",
        "altText": "A boat",
        "media": {"id": upload["processedMedia"]["id"], "mimeType": "image/webp"},
        "upload": None,
    }
    # The medium is seen through the message, and by nobody else.
    alan = await new_phone("Alan")
    query = "query($id: ID!) { media(id: $id) { url } }"
    assert (await grace.run(query, id=upload["processedMedia"]["id"]))["media"]["url"]
    assert await alan.run(query, id=upload["processedMedia"]["id"]) == {"media": None}


async def test_attached_before_it_is_ready(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace)
    body = picture(seed=7)
    upload = await created(ada, body)
    message = (await attach(ada, chat_id, upload["id"], text="Look"))["message"]
    query = f"query($id: ID!) {{ node(id: $id) {{ ... on Message {{ {ATTACHMENTS} }} }} }}"

    async def status(phone: Phone) -> str:
        [attachment] = (await phone.run(query, id=message["id"]))["node"]["attachments"]
        assert (attachment["upload"] is not None) is (phone is ada)
        return str(attachment["status"])

    assert [await status(phone) for phone in (ada, grace)] == ["PENDING"] * 2
    async with grace.watch(CHAT_EVENTS, id=chat_id) as his, ada.watch(CHANGE_EVENTS) as hers:
        done = await complete(ada, upload, await send(ada.http, upload, body))
        assert done["errors"] == []
        assert await status(grace) == "PROCESSING"
        while await jobs.run_due(services):
            continue
        assert (await until(his, "MessageUpdated"))["message"]["id"] == message["id"]
        assert (await changed(hers, "Upload"))["node"]["id"] == upload["id"]
    assert await status(grace) == "READY"


async def test_failure_bytes_do_not_match_the_declared_type(new_phone: NewPhone, services: Services) -> None:
    """Row "Bytes do not match declared type": attachment REJECTED, both sides told."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace)
    body = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    upload = await created(ada, body)
    await attach(ada, chat_id, upload["id"])
    async with grace.watch(CHAT_EVENTS, id=chat_id) as his, ada.watch(CHAT_EVENTS, id=chat_id) as hers:
        await complete(ada, upload, await send(ada.http, upload, body))
        while await jobs.run_due(services):
            continue
        assert await until(his, "MessageUpdated")
        assert await until(hers, "MessageUpdated")
    for phone in (ada, grace):
        last = (await history(phone, chat_id, selection=ATTACHMENTS))[-1]
        assert [(each["status"], each["media"]) for each in last["attachments"]] == [("REJECTED", None)]
    # And it is not taken again.
    refused = await attach(ada, chat_id, upload["id"])
    assert [each["code"] for each in refused["errors"]] == ["UPLOAD_REJECTED"]


async def test_failure_malware_found_after_sending(new_phone: NewPhone, services: Services) -> None:
    """Row "Malware found after sending": attachment REJECTED, both sides told, nothing to fetch."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id = await open_chat(ada, grace)
    upload = await uploaded(ada, services, picture(seed=11))
    await attach(ada, chat_id, upload["id"])
    async with grace.watch(CHAT_EVENTS, id=chat_id) as his, ada.watch(CHAT_EVENTS, id=chat_id) as hers:
        assert await keeping.condemn(Context(services), upload["processedMedia"]["id"])
        assert await until(his, "MessageUpdated")
        assert await until(hers, "MessageUpdated")
    for phone in (ada, grace):
        [seen] = await history(phone, chat_id, selection=ATTACHMENTS)
        assert [(each["status"], each["media"]) for each in seen["attachments"]] == [("REJECTED", None)]


@pytest.mark.parametrize("why", ["unknown", "another's", "another purpose", "in use"])
async def test_error_upload_not_found(new_phone: NewPhone, services: Services, why: str) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace)
    id = new("upload")
    if why == "another's":
        id = (await created(grace, 10))["id"]
    elif why == "another purpose":
        id = (await create(ada, 10, purpose="AVATAR"))["upload"]["id"]
    elif why == "in use":
        id = (await created(ada, 10))["id"]
        assert (await attach(ada, chat_id, id))["errors"] == []
    refused = await attach(ada, chat_id, id, text="Look")
    assert refused["message"] is None
    assert [(each["code"], each["field"]) for each in refused["errors"]] == [("NOT_FOUND", ["attachments"])]
    assert "Look" not in await history(ada, chat_id)


async def test_error_too_many_attachments(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id = await open_chat(ada, grace)
    refused = await attach(ada, chat_id, *(new("upload") for _ in range(11)))
    assert refused["errors"] == [refusal("TOO_MANY", "At most 10 attachments.", ["attachments"], limit=10)]


async def test_a_deleted_message_takes_its_files_along(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id = await open_chat(ada, grace)
    upload = await uploaded(ada, services, picture(seed=3))
    message = (await attach(ada, chat_id, upload["id"]))["message"]
    await ada.do("deleteMessage", "message { id }", messageId=message["id"])
    assert await history(grace, chat_id, selection="attachments { kind }") == [{"attachments": []}]
    assert await stored(services, "media_links", record_id=message["id"]) == []
    query = "query($id: ID!) { media(id: $id) { url } }"
    assert await grace.run(query, id=upload["processedMedia"]["id"]) == {"media": None}


async def test_a_caption_may_be_edited_away_from_a_picture(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id = await open_chat(ada, grace)
    upload = await created(ada, 10)
    message = (await attach(ada, chat_id, upload["id"], text="Caption"))["message"]
    done = await ada.do(
        "updateMessage", "message { text attachments { kind } }", messageId=message["id"], text=""
    )
    assert done["errors"] == []
    assert done["message"] == {"text": None, "attachments": [{"kind": "IMAGE"}]}
