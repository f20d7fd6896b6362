"""Profile pictures: chosen by upload, shown when ready, erased when replaced."""

from typing import Any

import aiohttp

from core import jobs
from core.context import Services
from tests.conftest import Commands, NewPhone
from tests.media import steps
from tests.phone import Phone

USER = "user { id version avatar { id url(width: 96) thumbnailUrl urlExpiresAt } }"
READ = "query($id: ID!) { user(id: $id) { avatar { id url } } }"
FACE, OTHER = steps.picture((1200, 1200), seed=4), steps.picture((300, 300), seed=5)


async def choose(phone: Phone, upload_id: str | None) -> dict[str, Any]:
    made: dict[str, Any] = await phone.do("updateProfile", USER, avatarUploadId=upload_id)
    return made


async def avatar_of(phone: Phone, who: Phone) -> Any:
    return (await phone.run(READ, id=who.user_id))["user"]["avatar"]


async def finish(phone: Phone, services: Services, upload: dict[str, Any], body: bytes) -> None:
    await steps.send(phone.http, upload, body)
    assert (await steps.complete(phone, upload))["errors"] == []
    await jobs.run_due(services)


async def test_a_ready_picture_is_shown_at_once_to_everybody(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    upload = await steps.uploaded(ada, services, FACE, purpose="AVATAR")
    assert [each["width"] for each in upload["processedMedia"]["renditions"]] == [
        96,
        96,
        256,
        256,
        1024,
        1024,
    ]
    chosen = await choose(ada, upload["id"])
    assert chosen["errors"] == []
    avatar = chosen["user"]["avatar"]
    assert (avatar["id"], avatar["urlExpiresAt"]) == (upload["processedMedia"]["id"], None)
    assert avatar["url"].endswith("/96.webp")
    assert avatar["thumbnailUrl"] == avatar["url"]
    assert (await avatar_of(grace, ada))["id"] == avatar["id"]
    assert (await steps.fetched(http, avatar["url"]))[0] == 200


async def test_its_addresses_come_with_the_person_in_one_reading(
    new_phone: NewPhone, services: Services, commands: Commands
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    for body, phone in ((FACE, ada), (OTHER, grace)):
        await choose(phone, (await steps.uploaded(phone, services, body, purpose="AVATAR"))["id"])
    faces = "id avatarThumbnailUrl avatarFullUrl"
    query = f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on User {{ {faces} }} }} }}"
    alan = await new_phone("Alan")
    people = [ada.user_id, grace.user_id, alan.user_id]
    read = []
    for wanted in (people[:1], people[:1], people, people):
        commands.reset()
        found = (await alan.run(query, ids=wanted))["nodes"]
        read.append(commands.counts["find"])
    # As many readings for three people and both addresses as for one.
    assert read[3] == read[1]
    assert [each["avatarThumbnailUrl"].rpartition("/")[2] for each in found[:2]] == ["96.webp", "96.webp"]
    assert [each["avatarFullUrl"].rpartition("/")[2] for each in found[:2]] == ["1024.webp", "300.webp"]
    assert (found[2]["avatarThumbnailUrl"], found[2]["avatarFullUrl"]) == (None, None)


async def test_the_former_picture_stays_until_the_new_one_is_ready_and_is_erased_then(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession
) -> None:
    ada = await new_phone("Ada")
    first = await steps.uploaded(ada, services, FACE, purpose="AVATAR")
    await choose(ada, first["id"])
    second = await steps.created(ada, OTHER, purpose="AVATAR")
    chosen = await choose(ada, second["id"])
    assert (chosen["errors"], chosen["user"]["avatar"]["id"]) == ([], first["processedMedia"]["id"])
    await finish(ada, services, second, OTHER)
    shown = await avatar_of(ada, ada)
    assert shown["id"] not in (None, first["processedMedia"]["id"])
    await jobs.run_due(services)
    assert (await steps.fetched(http, first["processedMedia"]["url"]))[0] == 404
    assert (await steps.fetched(http, shown["url"]))[0] == 200


async def test_a_picture_that_is_rejected_changes_nothing(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    first = await steps.uploaded(ada, services, FACE, purpose="AVATAR")
    await choose(ada, first["id"])
    bad = b"no picture at all"
    upload = await steps.created(ada, bad, purpose="AVATAR")
    await choose(ada, upload["id"])
    await finish(ada, services, upload, bad)
    assert (await avatar_of(ada, ada))["id"] == first["processedMedia"]["id"]


async def test_the_last_choice_wins_whichever_is_ready_first(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    first, second = [await steps.created(ada, body, purpose="AVATAR") for body in (FACE, OTHER)]
    for upload in (first, second):
        assert (await choose(ada, upload["id"]))["errors"] == []
    await finish(ada, services, second, OTHER)
    shown = await avatar_of(ada, ada)
    await finish(ada, services, first, FACE)
    assert await avatar_of(ada, ada) == shown
    await jobs.run_due(services)
    rows = await services.db.find("media", {"owner_id": ada.user_id})
    assert [row["_id"] for row in rows] == [shown["id"]]


async def test_none_again(new_phone: NewPhone, services: Services, http: aiohttp.ClientSession) -> None:
    ada = await new_phone("Ada")
    upload = await steps.uploaded(ada, services, FACE, purpose="AVATAR")
    await choose(ada, upload["id"])
    assert (await choose(ada, None))["user"]["avatar"] is None
    await jobs.run_due(services)
    assert (await steps.fetched(http, upload["processedMedia"]["url"]))[0] == 404


async def test_somebody_else_s_upload_is_no_picture_of_mine(new_phone: NewPhone, services: Services) -> None:
    ada, eve = await new_phone("Ada"), await new_phone("Eve")
    hers = await steps.created(ada, FACE, purpose="AVATAR")
    mine = await steps.created(eve, FACE, purpose="CHAT_ATTACHMENT")
    for id in (hers["id"], mine["id"]):
        refused = await choose(eve, id)
        assert [(each["code"], each["field"]) for each in refused["errors"]] == [
            ("NOT_FOUND", ["avatarUploadId"])
        ]
    assert await avatar_of(eve, eve) is None
