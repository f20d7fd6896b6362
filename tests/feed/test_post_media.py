"""Posts with pictures: uploads, waiting for them, and what becomes of refused ones."""

from typing import Any

from core import jobs
from core.context import Services
from tests.conftest import NewPhone
from tests.feed.steps import feed_of, follow
from tests.media.steps import complete, created, picture, send, uploaded
from tests.phone import Phone, key

POST = "post { id state media { id url } }"
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
    assert made["post"]["state"] == "PUBLISHED"
    assert [each["id"] for each in made["post"]["media"]] == [upload["media"]["id"]]
    assert (await state_of(grace, made["post"]["id"]))["media"][0]["id"] == upload["media"]["id"]
    again = await ada.do("createPost", POST, uploadIds=[upload["id"]])
    assert [error["code"] for error in again["errors"]] == ["UPLOAD_NOT_FOUND"]
    hers = await grace.do("createPost", POST, uploadIds=[upload["id"]])
    assert [error["code"] for error in hers["errors"]] == ["UPLOAD_NOT_FOUND"]


async def test_a_post_waits_for_its_pictures(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await follow(grace, ada)
    body = picture(seed=2)
    upload = await created(ada, body, **PURPOSE)
    made = await ada.do("createPost", POST, uploadIds=[upload["id"]], visibility="PUBLIC")
    post = made["post"]["id"]
    assert made["post"] == {"id": post, "state": "PROCESSING", "media": []}
    node = "query($id: ID!) { node(id: $id) { id } }"
    assert (await grace.run(node, id=post))["node"] is None
    queued = {
        "createComment": {"postId": post, "text": "First", "clientMutationId": key()},
        "setReaction": {"subjectId": post, "kind": "LIKE", "clientMutationId": key()},
        "sharePost": {"postId": post, "clientMutationId": key()},
        "createShareLink": {"postId": post, "clientMutationId": key()},
    }
    for name, input in queued.items():
        refused = await ada.do(name, "clientMutationId", **input)
        assert [(each["code"], each["retryable"]) for each in refused["errors"]] == [
            ("UPLOAD_NOT_READY", True)
        ]
    await complete(ada, upload, await send(ada.http, upload, body))
    await jobs.run_due(services)
    # What was queued for it lands once its files are there, under the same keys.
    for name, input in queued.items():
        assert (await ada.do(name, "clientMutationId", **input))["errors"] == []
    found = await state_of(grace, post)
    assert (found["state"], len(found["media"])) == ("PUBLISHED", 1)
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
    watch = "subscription { feedEvents { __typename ... on PostStateChanged { post { id state } } } }"
    async with ada.watch(watch) as stream:
        await complete(ada, bad, await send(ada.http, bad, bad_bytes))
        await jobs.run_due(services)
        told = (await stream.next())["feedEvents"]
        assert told == {"__typename": "PostStateChanged", "post": {"id": post, "state": "PROCESSING"}}
    assert (await state_of(ada, post))["state"] == "PROCESSING"
    kept = await ada.do("updatePost", POST, id=post, uploadIds=[good["id"]])
    assert kept["errors"] == []
    assert (kept["post"]["state"], len(kept["post"]["media"])) == ("PUBLISHED", 1)
    assert (await state_of(grace, post))["state"] == "PUBLISHED"
    late = await ada.do("createPost", POST, uploadIds=[bad["id"]])
    assert late["errors"][0]["code"] in ("UPLOAD_NOT_FOUND", "UPLOAD_REJECTED")


async def test_a_rejected_upload_is_refused(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    bad_bytes = b"\xff\xd8\xff\xe0" + b"not a picture either" * 50
    bad = await created(ada, bad_bytes, **PURPOSE)
    await complete(ada, bad, await send(ada.http, bad, bad_bytes))
    await jobs.run_due(services)
    refused = await ada.do("createPost", POST, uploadIds=[bad["id"]])
    assert [error["code"] for error in refused["errors"]] == ["UPLOAD_REJECTED"]
