"""`If-None-Match` on the first page, asked for by a persisted GET query."""

import hashlib
import json
from typing import Any

import aiohttp
import pytest

from tests.conftest import NewPhone
from tests.feed.steps import follow, publish
from tests.phone import Phone

FIRST = "{ viewer { feed(first: 3) { snapshotId edges { node { id text } } } } }"


async def ask(http: aiohttp.ClientSession, phone: Phone, known: str | None = None, **other: str) -> Any:
    hashed = {"version": 1, "sha256Hash": hashlib.sha256(FIRST.encode()).hexdigest()}
    parameters = {"extensions": json.dumps({"persistedQuery": hashed}), **other}
    headers = {"Authorization": f"Bearer {phone.token}", **({"If-None-Match": known} if known else {})}
    async with http.get(phone.url, params=parameters, headers=headers) as response:
        return response.status, response.headers, await response.read()


async def test_a_page_that_one_has_is_not_sent_again(
    new_phone: NewPhone, http: aiohttp.ClientSession, no_posts: None
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await follow(ada, grace)
    post = await publish(grace, "As it was")
    await ask(http, ada, query=FIRST)
    status, headers, body = await ask(http, ada)
    etag = headers["ETag"]
    assert (status, json.loads(body)["data"]["viewer"]["feed"]["edges"][0]["node"]["id"]) == (200, post)
    assert headers["Cache-Control"] == "private, no-cache"
    status, headers, body = await ask(http, ada, etag)
    assert (status, headers["ETag"], body) == (304, etag, b"")
    assert (await ask(http, ada, f'"other", {etag}'))[0] == 304
    # What changes in the same snapshot is told: a tag of the snapshot alone would hide it.
    await grace.do("updatePost", "post { id }", postId=post, visibility="PRIVATE")
    status, headers, _ = await ask(http, ada, etag)
    assert (status, headers["ETag"] != etag) == (200, True)
    status, headers, _ = await ask(http, grace, etag)
    assert (status, headers["ETag"] != etag) == (200, True)


@pytest.mark.parametrize("way", ["post", "get"])
async def test_other_requests_have_no_tag(new_phone: NewPhone, http: aiohttp.ClientSession, way: str) -> None:
    ada = await new_phone("Ada")
    answer = await ada.post({"query": FIRST}) if way == "post" else await ada.get(query=FIRST)
    assert answer.status == 200
    assert "ETag" not in answer.headers
