"""Posts with pictures: uploads, waiting for them, and what becomes of refused ones."""

from typing import Any

import aiohttp
import pytest

from core import jobs
from core.context import Context, Services
from jobs.media import move as move_medium
from resolvers.media import keeping, linking
from stores import feed as store
from stores.auth import Role
from tests.conftest import NewPhone
from tests.feed.steps import feed_of, follow
from tests.media.steps import complete, created, fetched, medium, picture, send, sha256, uploaded
from tests.phone import Phone, key

POST = "post { id status media { id url } }"
PURPOSE = {"purpose": "POST_MEDIA"}


async def state_of(phone: Phone, id: str) -> Any:
    return (await phone.run(f"query($id: ID!) {{ {POST.replace('post', 'post(id: $id)', 1)} }}", id=id))[
        "post"
    ]


async def test_a_ready_picture_is_shown_at_once(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    upload = await uploaded(ada, services, picture(), **PURPOSE)
    made = await ada.do("createPost", POST, uploadIds=[upload["id"]], visibility="PUBLIC")
    assert made["errors"] == []
    assert made["post"]["status"] == "PUBLISHED"
    assert [each["id"] for each in made["post"]["media"]] == [upload["processedMedia"]["id"]]
    assert (await state_of(grace, made["post"]["id"]))["media"][0]["id"] == upload["processedMedia"]["id"]
    again = await ada.do("createPost", POST, uploadIds=[upload["id"]])
    assert [error["code"] for error in again["errors"]] == ["NOT_FOUND"]
    hers = await grace.do("createPost", POST, uploadIds=[upload["id"]])
    assert [error["code"] for error in hers["errors"]] == ["NOT_FOUND"]


async def test_a_post_waits_for_its_pictures(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await follow(grace, ada)
    body = picture(seed=2)
    upload = await created(ada, body, **PURPOSE)
    made = await ada.do("createPost", POST, uploadIds=[upload["id"]], visibility="PUBLIC")
    post = made["post"]["id"]
    assert made["post"] == {"id": post, "status": "PROCESSING", "media": []}
    node = "query($id: ID!) { node(id: $id) { id } }"
    assert (await grace.run(node, id=post))["node"] is None
    queued = {
        "createComment": {"postId": post, "text": "First", "idempotencyKey": key()},
        "setReaction": {"subjectId": post, "kind": "LIKE", "idempotencyKey": key()},
        "sharePost": {"postId": post, "idempotencyKey": key()},
        "createShareLink": {"postId": post, "idempotencyKey": key()},
    }
    for name, input in queued.items():
        refused = await ada.do(name, "idempotencyKey", **input)
        assert [(each["code"], each["retryable"]) for each in refused["errors"]] == [
            ("UPLOAD_NOT_READY", True)
        ]
    await complete(ada, upload, await send(ada.http, upload, body))
    await jobs.run_due(services)
    # What was queued for it lands once its files are there, under the same keys.
    for name, input in queued.items():
        assert (await ada.do(name, "idempotencyKey", **input))["errors"] == []
    found = await state_of(grace, post)
    assert (found["status"], len(found["media"])) == ("PUBLISHED", 1)
    assert await feed_of(grace) == [post]
    assert [row["user_id"] for row in await services.db.find("feed_inbox", {"post_id": post})] == [
        grace.user_id
    ]


async def test_a_rejected_upload_leaves_the_post_to_its_author(
    new_phone: NewPhone, services: Services
) -> None:
    """Row: Attached upload rejected later: the author learns it, and may keep the other media."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    good = await uploaded(ada, services, picture(seed=3), **PURPOSE)
    bad_bytes = b"\xff\xd8\xff\xe0" + b"not a picture at all" * 50
    bad = await created(ada, bad_bytes, **PURPOSE)
    made = await ada.do("createPost", POST, uploadIds=[good["id"], bad["id"]], visibility="PUBLIC")
    post = made["post"]["id"]
    watch = """subscription { changeEvents(types: [POST]) {
      ... on NodeChanged { node { ... on Post { id status } } } } }"""
    async with ada.watch(watch) as stream:
        await complete(ada, bad, await send(ada.http, bad, bad_bytes))
        await jobs.run_due(services)
        told = (await stream.next())["changeEvents"]["node"]
        assert told == {"id": post, "status": "PROCESSING"}
    assert (await state_of(ada, post))["status"] == "PROCESSING"
    kept = await ada.do("updatePost", POST, postId=post, uploadIds=[good["id"]])
    assert kept["errors"] == []
    assert (kept["post"]["status"], len(kept["post"]["media"])) == ("PUBLISHED", 1)
    assert (await state_of(grace, post))["status"] == "PUBLISHED"
    late = await ada.do("createPost", POST, uploadIds=[bad["id"]])
    assert late["errors"][0]["code"] in ("NOT_FOUND", "UPLOAD_REJECTED")


@pytest.mark.parametrize("first", ["FRIENDS", "PUBLIC"])
@pytest.mark.parametrize("order", [1, -1])
async def test_a_post_that_changes_its_audience_twice_ends_at_the_right_address(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession, first: str, order: int
) -> None:
    """Before its pictures moved once, and in whatever order that is then done."""
    other = {"FRIENDS": "PUBLIC", "PUBLIC": "FRIENDS"}[first]
    ada = await new_phone("Ada")
    upload = await uploaded(ada, services, picture(seed=21), **PURPOSE)
    made = await ada.do("createPost", POST, uploadIds=[upload["id"]], visibility=first)
    await jobs.run_due(services)
    id = made["post"]["id"]

    async def shown() -> str:
        return str((await state_of(ada, id))["media"][0]["url"])

    def right(visibility: str, url: str) -> bool:
        return ("/media/public/" in url) == (visibility == "PUBLIC")

    before = await shown()
    assert right(first, before)
    for visibility in (other, first):
        assert (await ada.do("updatePost", POST, postId=id, visibility=visibility))["errors"] == []
    moves = await services.db.find("jobs", {"task": "media.move"}, sort=[("_id", order)])
    mine = [each for each in moves if each["arguments"]["media_id"] == upload["processedMedia"]["id"]]
    assert len(mine) == 2
    # Each is done once.
    taken = {"q": {"_id": {"$in": [each["_id"] for each in mine]}}, "limit": 0}
    await services.db.write({"delete": "jobs", "deletes": [taken]})
    for each in mine:
        await move_medium(services, **each["arguments"])
    await jobs.run_due(services)
    assert right(first, await shown())
    assert (await fetched(http, await shown()))[0] == 200
    # And once more there, and back.
    for visibility in (other, first):
        assert (await ada.do("updatePost", POST, postId=id, visibility=visibility))["errors"] == []
        await jobs.run_due(services)
        assert right(visibility, await shown())
        assert (await fetched(http, await shown()))[0] == 200


async def test_a_rejected_upload_is_refused(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    bad_bytes = b"\xff\xd8\xff\xe0" + b"not a picture either" * 50
    bad = await created(ada, bad_bytes, **PURPOSE)
    await complete(ada, bad, await send(ada.http, bad, bad_bytes))
    await jobs.run_due(services)
    refused = await ada.do("createPost", POST, uploadIds=[bad["id"]])
    assert [error["code"] for error in refused["errors"]] == ["UPLOAD_REJECTED"]


async def test_pictures_of_a_removed_post_have_no_public_address(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    rosa = await new_phone("Rosa", roles=[Role.MEMBER, Role.MODERATOR])
    upload = await uploaded(ada, services, picture(seed=31), **PURPOSE)
    made = await ada.do("createPost", POST, uploadIds=[upload["id"]], visibility="PUBLIC")
    await jobs.run_due(services)
    id = made["post"]["id"]
    public = (await state_of(ada, id))["media"][0]["url"]
    assert (await fetched(http, public))[0] == 200
    await grace.do("submitReport", "report { id }", subjectId=id, reason="VIOLENCE")
    for action, shown in (("REMOVE", False), ("LIMIT", True), ("REMOVE", False), ("RESTORE", True)):
        done = await rosa.do(
            "decideModeration", "subject { __typename }", subjectId=id, action=action, reason="Test"
        )
        assert done["errors"] == []
        await jobs.run_due(services)
        url = (await state_of(ada, id))["media"][0]["url"]
        assert ("/media/public/" in url) is shown, action
        assert (await fetched(http, url))[0] == 200
        if not shown:
            assert (await fetched(http, public))[0] == 404
        public = url if shown else public


@pytest.mark.parametrize("act", ["delete", "narrow", "exchange"])
async def test_a_picture_that_two_posts_show_is_public_while_one_of_them_is(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession, act: str
) -> None:
    """An equal file is one medium: it stayed at its public address when only a private post showed it."""
    ada = await new_phone("Ada")
    body = picture(seed=32)
    posts = {}
    for visibility in ("PRIVATE", "PUBLIC", "FRIENDS"):
        upload = await created(ada, body, sha256=sha256(body), **PURPOSE)
        if not posts:
            await complete(ada, upload, await send(ada.http, upload, body))
            await jobs.run_due(services)
        made = await ada.do("createPost", POST, uploadIds=[upload["id"]], visibility=visibility)
        assert made["errors"] == []
        posts[visibility] = made["post"]["id"]
        await jobs.run_due(services)

    async def shown(name: str) -> str:
        return str((await state_of(ada, posts[name]))["media"][0]["url"])

    public = await shown("PRIVATE")
    assert "/media/public/" in public
    # The one for friends widens and narrows again, beside one that is public throughout.
    for visibility in ("PUBLIC", "FRIENDS"):
        await ada.do("updatePost", POST, postId=posts["FRIENDS"], visibility=visibility)
        await jobs.run_due(services)
        assert await shown("PUBLIC") == public
    if act == "delete":
        await ada.do("deletePost", "deletedPostId", postId=posts["PUBLIC"])
    elif act == "narrow":
        await ada.do("updatePost", POST, postId=posts["PUBLIC"], visibility="PRIVATE")
    else:
        await ada.do("updatePost", POST, postId=posts["PUBLIC"], uploadIds=[], text="Words")
    await jobs.run_due(services)
    assert "/media/public/" not in await shown("PRIVATE")
    assert (await fetched(http, public))[0] == 404
    assert (await fetched(http, await shown("PRIVATE")))[0] == 200


async def test_a_picture_added_to_a_public_post_gets_an_address_that_stays(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    made = await ada.do("createPost", POST, text="Words", visibility="PUBLIC")
    ready = await uploaded(ada, services, picture(seed=33), **PURPOSE)
    body = picture(seed=34)
    late = await created(ada, body, **PURPOSE)
    await ada.do("updatePost", POST, postId=made["post"]["id"], uploadIds=[ready["id"], late["id"]])
    await complete(ada, late, await send(ada.http, late, body))
    await jobs.run_due(services)
    media = (await state_of(ada, made["post"]["id"]))["media"]
    assert ["/media/public/" in each["url"] for each in media] == [True, True]


async def test_a_picture_in_which_malware_was_found_leaves_devices(
    new_phone: NewPhone, services: Services
) -> None:
    """That of a link's preview was never an upload, whose end is told."""
    ada = await new_phone("Ada")
    made = await ada.do("createPost", "post { id }", linkUrl="https://example.com/", visibility="PUBLIC")
    id, media_id = made["post"]["id"], await medium(services, ada.user_id, purpose="LINK_PREVIEW")
    ctx = Context(services)
    link = {"url": "https://example.com/", "title": "T", "description": "D", "site_name": "S"}

    async def keep() -> None:
        shown = {"link": {**link, "image_id": media_id, "image_url": None}}
        await ctx.tx.update(store.posts, id, set=shown)
        await linking.link(ctx, media_id, id)

    await ctx.unit(keep)
    query = """query($since: SyncToken) { viewer { changes(since: $since, types: [POST]) { token nodes {
      id ... on Post { link { image { id } } } } } } }"""
    first = (await ada.run(query))["viewer"]["changes"]
    assert first["nodes"] == [{"id": id, "link": {"image": {"id": media_id}}}]
    await keeping.condemn(Context(services), media_id)
    then = (await ada.run(query, since=first["token"]))["viewer"]["changes"]
    assert then["nodes"] == [{"id": id, "link": {"image": None}}]
