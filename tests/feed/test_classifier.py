"""External classifier: its requests, the effect of its answers, and outages."""

import base64
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, web
from PIL import Image

from core import jobs
from core.context import Services
from core.settings import Settings
from providers.judge import Elsewhere
from providers.rules import Rules
from resolvers.feed.moderating import Moderation
from server import lifespan
from tests.conftest import NewPhone
from tests.feed.steps import comment, publish
from tests.media.steps import picture, uploaded
from tests.phone import Phone

STATE = "query($id: ID!) { post(id: $id) { status label } }"


class Model:
    """Fake classifier: gives set answers, and records requests."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.tokens: set[str | None] = set()
        self.answer: Any = {}
        self.status = 200

    async def handle(self, request: web.Request) -> web.Response:
        self.tokens.add(request.headers.get("Authorization"))
        self.asked.append(await request.json())
        return web.json_response(self.answer, status=self.status)


@pytest.fixture
async def model(services: Services, http: ClientSession) -> AsyncIterator[Model]:
    # What other tests left behind is not for it.
    while await jobs.run_due(services):
        continue
    made = Model()
    app = web.Application(client_max_size=10 * 1024 * 1024)
    app.router.add_post("/judge", made.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    listening = web.TCPSite(runner, "127.0.0.1", 0)
    await listening.start()
    port = listening._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    before = services.extra[Moderation]
    url = f"http://127.0.0.1:{port}/judge"
    services.extra[Moderation] = Moderation(Elsewhere(http, url, "a token", Rules()))
    yield made
    services.extra[Moderation] = before
    await runner.cleanup()


async def state_of(phone: Phone, id: str) -> Any:
    return (await phone.run(STATE, id=id))["post"]


async def test_it_is_asked_about_words_and_pictures(
    new_phone: NewPhone, services: Services, model: Model
) -> None:
    ada = await new_phone("Ada")
    upload = await uploaded(ada, services, picture((1200, 800), seed=41), purpose="POST_MEDIA")
    id = await publish(ada, "With a picture", uploadIds=[upload["id"]])
    assert model.asked == [{"text": "With a picture", "media": []}]
    model.answer = {"limit": True, "label": "SENSITIVE", "reason": "NUDITY"}
    await jobs.run_due(services)
    [shown] = model.asked[1]["media"]
    assert (model.asked[1]["text"], shown["id"], shown["mime"]) == (
        "With a picture",
        upload["processedMedia"]["id"],
        "image/webp",
    )
    assert Image.open(io.BytesIO(base64.b64decode(shown["data"]))).size == (640, 427)
    assert model.tokens == {"Bearer a token"}
    assert await state_of(ada, id) == {"status": "LIMITED", "label": "SENSITIVE"}
    [report] = await services.db.find("reports", {"subject_id": id})
    assert (report["reason"], report["reporter_id"]) == ("NUDITY", None)


async def test_what_it_refuses_is_refused_or_limited_if_it_was_late(
    new_phone: NewPhone, services: Services, model: Model
) -> None:
    ada = await new_phone("Ada")
    model.answer = {"refuse": True}
    refused = await ada.do("createPost", "post { id }", text="Something")
    assert [each["code"] for each in refused["errors"]] == ["CONTENT_REFUSED"]
    model.answer = {}
    id = await publish(ada, "Something else")
    said = await comment(ada, id, "And more")
    model.answer = {"refuse": True}
    await jobs.run_due(services)
    assert (await state_of(ada, id))["status"] == "LIMITED"
    [kept] = await services.db.find("comments", {"_id": said})
    assert kept["state"] == "LIMITED"


async def test_what_plain_rules_object_to_is_not_passed_on(new_phone: NewPhone, model: Model) -> None:
    ada = await new_phone("Ada")
    refused = await ada.do("createPost", "post { id }", text="Where to hire a hitman?")
    assert [each["code"] for each in refused["errors"]] == ["CONTENT_REFUSED"]
    assert model.asked == []


@pytest.mark.parametrize("answer", ["down", [1, 2], {"label": "UNHEARD_OF", "reason": "WHATEVER"}])
async def test_without_a_usable_answer_posts_appear_and_are_judged_later(
    new_phone: NewPhone, services: Services, model: Model, answer: Any
) -> None:
    ada = await new_phone("Ada")
    model.answer, model.status = answer, 500 if answer == "down" else 200
    id = await publish(ada, "Nobody judged this")
    await jobs.run_due(services)
    assert await state_of(ada, id) == {"status": "PUBLISHED", "label": None}
    waiting = await services.db.find("jobs", {"task": "feed.scan", "arguments.subject_id": id})
    assert len(waiting) == (0 if isinstance(answer, dict) else 1)
    if waiting:
        model.answer, model.status = {"limit": True}, 200
        at_once = {"q": {"_id": waiting[0]["_id"]}, "u": {"$set": {"due_at": waiting[0]["created_at"]}}}
        await services.db.write({"update": "jobs", "updates": [at_once]})
        await jobs.run_due(services)
        assert (await state_of(ada, id))["status"] == "LIMITED"


async def test_settings_name_it(settings: Settings) -> None:
    async with lifespan.services(settings) as plain:
        assert isinstance(plain.get(Moderation).classifier, Rules)
    own = settings.model_copy(update={"classifier_url": "http://127.0.0.1:1/judge"})
    async with lifespan.services(own) as asking:
        assert isinstance(asking.get(Moderation).classifier, Elsewhere)
