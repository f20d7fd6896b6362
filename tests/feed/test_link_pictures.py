"""The picture of a link's preview: fetched like the page, and kept like an upload."""

import io
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from PIL import Image

from core import jobs
from core.context import Services
from ports.feed import Unfetchable
from providers import web as provider
from providers.web import Web
from stores import media as media_store
from tests.conftest import NewPhone
from tests.feed.test_links import PUBLIC, Names, Site, page, previewed, site
from tests.phone import Phone

__all__ = ["previewed", "site"]

LINK = """query($id: ID!) { post(id: $id) { version link { title image {
  id kind width height placeholder url thumbnailUrl } } } }"""
URL = "http://site.example/a/page"


def picture(format: str = "PNG", size: tuple[int, int] = (640, 336)) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, (20, 90, 160)).save(made, format)
    return made.getvalue()


def serving(body: bytes, mime: str = "image/png", *, html: str | None = None, **options: Any) -> Any:
    """A page that names a picture beside it, and the picture."""
    said = html or '<title>Sea</title><meta property="og:image" content="../sea.png">'

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("page"):
            return await page(said)(request)
        return web.Response(**{"body": body, "content_type": mime, **options})

    return answer


@pytest.fixture
def looked_at(
    site: Site, services: Services, previewed: Callable[[Web], None]
) -> Callable[..., Awaitable[str]]:
    previewed(Web(Names(site_example=[[PUBLIC]], inside_example=[["10.0.0.7"]]), site.route))

    async def post(phone: Phone, visibility: str = "PUBLIC") -> str:
        made = await phone.do("createPost", "post { id }", linkUrl=URL, visibility=visibility)
        assert made["errors"] == []
        await jobs.run_due(services)
        id: str = made["post"]["id"]
        return id

    return post


async def test_a_preview_shows_the_page_s_picture_from_our_own_store(
    new_phone: NewPhone, site: Site, looked_at: Callable[..., Awaitable[str]]
) -> None:
    site.answer = serving(picture())
    ada = await new_phone("Ada")
    post = (await ada.run(LINK, id=await looked_at(ada)))["post"]
    image = post["link"]["image"]
    assert (image["kind"], image["width"], image["height"]) == ("IMAGE", 640, 336)
    assert (image["placeholder"] is not None, post["version"]) == (True, 3)
    assert site.visits == ["/a/page", "/sea.png"]
    for url in (image["url"], image["thumbnailUrl"]):
        assert "site.example" not in url
        async with ada.http.get(url) as response:
            assert (response.status, response.content_type) == (200, "image/webp")
            assert Image.open(io.BytesIO(await response.read())).format == "WEBP"


async def test_the_picture_is_seen_by_whom_the_post_is_for(
    new_phone: NewPhone, services: Services, site: Site, looked_at: Callable[..., Awaitable[str]]
) -> None:
    site.answer = serving(picture())
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    id = await looked_at(ada, "PRIVATE")
    image = (await ada.run(LINK, id=id))["post"]["link"]["image"]["id"]
    query = "query($id: ID!) { node(id: $id) { id } }"
    assert (await grace.run(query, id=image))["node"] is None
    medium = await media_store.media.by_id(services.db, image)
    assert medium
    assert medium["folder"].startswith("private/")
    # Made public, it moves to where everybody may fetch it.
    await ada.do("updatePost", "post { id }", postId=id, visibility="PUBLIC")
    await jobs.run_due(services)
    medium = await media_store.media.by_id(services.db, image)
    assert medium
    assert medium["folder"].startswith("public/")
    assert (await grace.run(query, id=image))["node"] == {"id": image}


async def test_the_picture_goes_with_the_post_and_with_nothing_else(
    new_phone: NewPhone, services: Services, site: Site, looked_at: Callable[..., Awaitable[str]]
) -> None:
    site.answer = serving(picture())
    ada = await new_phone("Ada")
    id = await looked_at(ada)
    [medium] = await media_store.media.find(services.db, {"owner_id": ada.user_id})
    changed = await ada.do(
        "updatePost", "post { media { id } }", postId=id, uploadIds=[], text="Without files"
    )
    assert changed["errors"] == []
    await jobs.run_due(services)
    assert (await ada.run(LINK, id=id))["post"]["link"]["image"]["id"] == medium["_id"]
    await ada.do("deletePost", "deletedPostId", postId=id)
    await jobs.run_due(services)
    assert await media_store.media.by_id(services.db, medium["_id"]) is None
    assert await services.objects.under(medium["folder"]) == []


async def test_fetched_again_it_is_the_same_picture(
    new_phone: NewPhone, services: Services, site: Site, looked_at: Callable[..., Awaitable[str]]
) -> None:
    """Jobs are run at least once."""
    site.answer = serving(picture())
    ada = await new_phone("Ada")
    id = await looked_at(ada)
    before = (await ada.run(LINK, id=id))["post"]
    for task in ("feed.fetch_link", "feed.fetch_link_picture"):
        await jobs.enqueue_now(services.db, task, post_id=id)
    await jobs.run_due(services)
    assert (await ada.run(LINK, id=id))["post"] == before
    assert len(await media_store.media.find(services.db, {"owner_id": ada.user_id})) == 1


EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@pytest.mark.parametrize(
    ("body", "mime"),
    [
        (b"not a picture", "image/png"), (b"", "image/png"), (picture("GIF"), "image/png"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"), (EICAR, "image/png"),
        (picture()[:200], "image/png"), (b"\x89PNG" + bytes(provider.MOST_BYTES), "image/png"),
    ],
)  # fmt: skip
async def test_what_is_no_good_picture_leaves_the_preview_without_one(
    body: bytes,
    mime: str,
    new_phone: NewPhone,
    services: Services,
    site: Site,
    looked_at: Callable[..., Awaitable[str]],
) -> None:
    site.answer = serving(body, mime)
    ada = await new_phone("Ada")
    post = (await ada.run(LINK, id=await looked_at(ada)))["post"]
    assert post["link"] == {"title": "Sea", "image": None}
    assert await media_store.media.find(services.db, {"owner_id": ada.user_id}) == []
    assert await services.db.find("jobs", {"task": "feed.fetch_link_picture"}) == []


@pytest.mark.parametrize(
    "named",
    ["http://inside.example/x.png", "http://127.0.0.1/x.png", "http://169.254.169.254/x", "file:///etc/passwd",
     "data:image/png;base64,AAAA", "http://site.example:6379/x.png", "http://[",
     "http://site.example/" + "x" * 3_000],
)  # fmt: skip
async def test_a_picture_in_a_private_network_is_not_fetched(
    named: str, new_phone: NewPhone, site: Site, looked_at: Callable[..., Awaitable[str]]
) -> None:
    """The page is a stranger's: where it says its picture is, anything may be."""
    site.answer = serving(picture(), html=f'<title>Sea</title><meta property="og:image" content="{named}">')
    ada = await new_phone("Ada")
    post = (await ada.run(LINK, id=await looked_at(ada)))["post"]
    assert post["link"] == {"title": "Sea", "image": None}
    assert site.visits == ["/a/page"]
    assert all(address == PUBLIC for address, _ in site.routed)


async def test_a_redirected_picture_is_judged_at_each_step(site: Site) -> None:
    async def away(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("http://inside.example/x.png")

    site.answer = away
    names = Names(site_example=[[PUBLIC]], inside_example=[["10.0.0.7"]])
    with pytest.raises(Unfetchable):
        await Web(names, site.route).picture("http://site.example/x.png")
    assert site.visits == ["/x.png"]


async def test_a_picture_cut_off_between_store_and_database_is_swept(
    new_phone: NewPhone,
    services: Services,
    site: Site,
    looked_at: Callable[..., Awaitable[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site.answer = serving(picture())
    ada = await new_phone("Ada")
    folders: list[str] = []
    put = type(services.objects).put

    async def noted(self: Any, key: str, *args: Any, **kwargs: Any) -> str:
        folders.append(key.rpartition("/")[0])
        # Its author deletes the post while the files are on their way.
        await services.db.write(
            {"delete": "posts", "deletes": [{"q": {"author_id": ada.user_id}, "limit": 0}]}
        )
        return await put(self, key, *args, **kwargs)

    monkeypatch.setattr(type(services.objects), "put", noted)
    await looked_at(ada)
    monkeypatch.undo()
    [folder] = set(folders)
    assert await services.objects.under(folder) != []
    assert await media_store.media.find(services.db, {"owner_id": ada.user_id}) == []
    [job] = await services.db.find("jobs", {"task": "media.erase_unkept", "arguments.folder": folder})
    due = {"q": {"_id": job["_id"]}, "u": {"$set": {"due_at": job["created_at"]}}}
    await services.db.write({"update": "jobs", "updates": [due]})
    await jobs.run_due(services)
    assert await services.objects.under(folder) == []
