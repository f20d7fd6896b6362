"""Media downloads: access control, expiry, and headers for browsers."""

import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp
import pytest

from core import clock, ids, jobs
from core.context import Context, Services
from core.uploads import show
from core.values.text import file_name
from resolvers.media import media_urls
from tests.conftest import NewPhone
from tests.media import steps
from tests.phone import Phone

MEDIA = "query($id: ID!) { media(id: $id) { id url urlExpiresAt } }"
NODE = "query($id: ID!) { node(id: $id) { id } }"


async def post_by(phone: Phone, visibility: str) -> str:
    made = await phone.do("createPost", "post { id }", text="Look", visibility=visibility)
    return str(made["post"]["id"])


async def chat_picture(phone: Phone, services: Services, seed: int = 1) -> dict[str, Any]:
    return await steps.uploaded(phone, services, steps.picture((60, 40), seed=seed))


async def test_a_medium_is_seen_through_the_record_that_shows_it(
    new_phone: NewPhone, services: Services, anonymous: Phone
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    upload = await chat_picture(ada, services)
    id = upload["processedMedia"]["id"]
    assert (await ada.run(MEDIA, id=id))["media"]["id"] == id
    for other in (grace, anonymous):
        assert await other.run(MEDIA, id=id) == {"media": None}
        assert await other.run(NODE, id=id) == {"node": None}
    private, public = await post_by(ada, "PRIVATE"), await post_by(ada, "PUBLIC")
    await steps.used(services, upload["id"], ada, private, "CHAT_ATTACHMENT")
    assert await grace.run(MEDIA, id=id) == {"media": None}
    again = await chat_again(ada)
    assert again["processedMedia"]["id"] == id
    await steps.used(services, again["id"], ada, public, "CHAT_ATTACHMENT")
    assert (await grace.run(MEDIA, id=id))["media"]["id"] == id
    await steps.released(services, public)
    assert await grace.run(MEDIA, id=id) == {"media": None}
    assert (await ada.run(MEDIA, id=id))["media"]["id"] == id


async def chat_again(phone: Phone) -> dict[str, Any]:
    body = steps.picture((60, 40))
    return await steps.created(phone, body, sha256=steps.sha256(body))


async def test_nobody_has_a_medium_that_is_none(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    assert await ada.run(MEDIA, id=ids.new_id("media")) == {"media": None}
    assert (await ada.ask(MEDIA, id=ids.new_id("post"))).code == "BAD_USER_INPUT"


async def test_private_addresses_are_signed_and_end(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession
) -> None:
    ada = await new_phone("Ada")
    upload = await chat_picture(ada, services)
    url = upload["processedMedia"]["url"]
    status, headers, _ = await steps.fetched(http, url)
    assert status == 200
    kind, _, seconds = headers["Cache-Control"].partition(", max-age=")
    assert (kind, 3590 <= int(seconds) <= 3900) == ("private", True)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    start, _, rest = url.partition("/media/")
    ticket, _, path = rest.partition("/")
    ends, _, signature = ticket.partition("-")
    forged = [
        path,
        f"{int(ends) + 3600}-{signature}/{path}",
        f"{ends}-{signature[:-1]}{'A' if signature[-1] != 'A' else 'B'}/{path}",
        f"{ends}-/{path}",
        f"{ticket}/{path.replace('private/', 'private/a', 1)}",
        f"{ticket}/public/{'a' * 26}/1.webp",
        f"{ticket}/private/%2e%2e%2f{path}",
        f"{ticket}/quarantine/{upload['id']}",
        f"{ticket}/incoming/{upload['id']}/1",
    ]
    for each in forged:
        assert (await steps.fetched(http, f"{start}/media/{each}"))[0] == 404, each
    clock.shift(timedelta(hours=1, minutes=5, seconds=1))
    assert (await steps.fetched(http, url))[0] == 404


def test_a_signature_opens_files_of_its_own_folder_alone(services: Services) -> None:
    """Stores on disk refuse a name that climbs as well; others may not."""
    mine, other = (f"private/{letter * 26}" for letter in "ab")
    ends = media_urls.expiry()
    ticket = f"{ends}-{services.signer.link('get', mine, ends)}"
    ctx = Context(services)
    assert media_urls.opened(ctx, f"{ticket}/{mine}/hls/1.ts") == (f"{mine}/hls/1.ts", ends)
    for path in (f"{mine}/../{'b' * 26}/1.webp", f"{mine}/./1.webp", f"{mine}/..", f"{other}/1.webp"):
        assert media_urls.opened(ctx, f"{ticket}/{path}") is None
    assert media_urls.opened(ctx, f"public/{'a' * 26}/../{'b' * 26}/1.webp") is None


async def test_fresh_addresses_of_an_old_medium(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    upload = await chat_picture(ada, services)
    clock.shift(timedelta(hours=2))
    fresh = await new_phone("Ada", user_id=ada.user_id)
    found = (await fresh.run(MEDIA, id=upload["processedMedia"]["id"]))["media"]
    assert found["urlExpiresAt"] > upload["processedMedia"]["urlExpiresAt"]
    assert (await steps.fetched(fresh.http, found["url"]))[0] == 200


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("..\\..\\boot.pdf", "boot.pdf"),
        ("a\"b';.pdf", "a_b.pdf"),
        ("Résumé 2026.pdf", "Résumé 2026.pdf"),
        (".pdf", "pdf.pdf"),
        ("x" * 200 + ".pdf", "x" * 80 + ".pdf"),
        ("evil.html", None),
    ],
)
async def test_a_file_s_name_is_a_name_and_nothing_else(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession, name: str, shown: str | None
) -> None:
    ada = await new_phone("Ada")
    if shown is None:
        refused = await steps.create(ada, 100, "application/pdf", fileName=name)
        assert [each["code"] for each in refused["errors"]] == ["MIME_NOT_ALLOWED"]
        return
    medium = (await steps.uploaded(ada, services, steps.PDF, "application/pdf", fileName=name))[
        "processedMedia"
    ]
    assert medium["originalFileName"] == file_name(name)
    status, headers, content = await steps.fetched(http, medium["url"])
    assert (status, content) == (200, steps.PDF)
    assert headers["Content-Type"] == "application/octet-stream"
    disposition = headers["Content-Disposition"]
    assert disposition.startswith('attachment; filename="')
    assert disposition.count('"') == 2
    assert unquote(disposition.partition("UTF-8''")[2]) == shown
    assert "/../" not in urlsplit(medium["url"]).path


@pytest.mark.parametrize(
    ("arguments", "width", "format"),
    [
        ("", 640, "webp"),
        ("(width: 96)", 96, "webp"),
        ("(width: 97)", 320, "webp"),
        ("(width: 160, dpr: 2)", 320, "webp"),
        ("(width: 161, dpr: 2)", 640, "webp"),
        ("(width: 100, dpr: 3, format: JPEG)", 320, "jpg"),
        ("(width: 5000)", 640, "webp"),
        ("(format: JPEG)", 640, "jpg"),
        ("(format: PNG)", 640, "webp"),
    ],
)
async def test_the_nearest_variant_that_is_wide_enough(
    new_phone: NewPhone, services: Services, arguments: str, width: int, format: str
) -> None:
    ada = await sized(new_phone, services)
    query = f"query($id: ID!) {{ upload(id: $id) {{ processedMedia {{ url{arguments} }} }} }}"
    for _ in range(2):
        # Compiled the second time.
        found = (await ada.run(query, id=ada.kept))["upload"]["processedMedia"]["url"]  # type: ignore[attr-defined]
        assert found.endswith(f"/{width}.{format}")


async def sized(new_phone: NewPhone, services: Services) -> Phone:
    """Somebody with a picture 640 wide."""
    ada = await new_phone("Ada")
    id = await steps.medium(
        services,
        ada.user_id,
        variants=[
            {"name": f"{width}.{suffix}", "width": width, "height": width, "format": format, "size_bytes": 1}
            for width in (96, 320, 640)
            for suffix, format in (("webp", "WEBP"), ("jpg", "JPEG"))
        ],
    )
    upload = await steps.created(ada, 100)
    change = {"$set": {"media_id": id, "status": "READY"}}
    await services.db.write({"update": "uploads", "updates": [{"q": {"_id": upload["id"]}, "u": change}]})
    ada.kept = upload["id"]  # type: ignore[attr-defined]
    return ada


@pytest.mark.parametrize(
    "arguments", ["(width: 0)", "(width: -5)", "(width: 10, dpr: 0)", "(width: 10, dpr: 99)"]
)
async def test_sizes_that_make_no_sense(new_phone: NewPhone, services: Services, arguments: str) -> None:
    ada = await sized(new_phone, services)
    query = f"query($id: ID!) {{ upload(id: $id) {{ processedMedia {{ url{arguments} }} }} }}"
    assert (await ada.ask(query, id=ada.kept)).code == "BAD_USER_INPUT"  # type: ignore[attr-defined]


async def test_a_medium_becomes_public_and_private_again(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession
) -> None:
    ada = await new_phone("Ada")
    upload = await chat_picture(ada, services)
    id, before = upload["processedMedia"]["id"], upload["processedMedia"]["url"]
    record = ids.new_id("record")
    await steps.used(services, upload["id"], ada, record, "CHAT_ATTACHMENT")

    async def showing(public: bool) -> str:
        ctx = steps.acting(services, ada)
        await ctx.unit(lambda: show(ctx, record, [id], public=public))
        await jobs.run_due(services)
        return str((await ada.run(MEDIA, id=id))["media"]["url"])

    public = await showing(True)
    assert "/media/public/" in public
    assert (await steps.fetched(http, public))[0] == 200
    # Phones that show it go on for an hour.
    assert (await steps.fetched(http, before))[0] == 200
    assert await showing(True) == public
    private = await showing(False)
    assert "/private/" in private
    assert (await steps.fetched(http, private))[0] == 200
    assert (await steps.fetched(http, public))[0] == 404
    clock.shift(timedelta(minutes=59, seconds=59))
    assert (await steps.fetched(http, before))[0] == 200
    clock.shift(timedelta(seconds=2))
    await jobs.run_due(services)
    assert (await steps.fetched(http, before))[0] == 404


async def test_media_of_many_uploads_cost_the_same(
    new_phone: NewPhone, services: Services, commands: Any
) -> None:
    ada = await new_phone("Ada")
    query = """{ viewer { uploads(first: 50) { edges {
      node { id status processedMedia { url thumbnailUrl } } } } } }"""

    async def cost() -> int:
        await ada.run(query)
        await ada.run(query)
        commands.reset()
        found = (await ada.run(query))["viewer"]["uploads"]["edges"]
        assert all(each["node"]["processedMedia"] for each in found)
        return sum(commands.counts.values())

    await made(ada, services, 2)
    few = await cost()
    await made(ada, services, 20)
    assert (few, await cost()) == (2, 2)


async def made(phone: Phone, services: Services, count: int) -> None:
    media = await asyncio.gather(*(steps.medium(services, phone.user_id) for _ in range(count)))
    for id in media:
        upload = await steps.created(phone, 10)
        change = {"$set": {"media_id": id, "status": "READY"}}
        await services.db.write({"update": "uploads", "updates": [{"q": {"_id": upload["id"]}, "u": change}]})
