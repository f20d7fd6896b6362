"""Internal errors: clients get a request id and nothing else."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pytest
import structlog

from core import ids, logs
from core.context import Services
from core.settings import Settings
from server.errors import OneOperation
from tests.conftest import NewPhone
from tests.feed.steps import insert_posts, publish
from tests.phone import Phone, key
from tests.server.conftest import Configured

POST = "query($id: ID!) { post(id: $id) { id createdAt author { name } } }"


@contextmanager
def logged(settings: Settings) -> Iterator[StringIO]:
    """Log of the server while the context lasts."""
    before, log = structlog.get_config(), StringIO()
    logs.configure(settings)
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=log))
    try:
        yield log
    finally:
        structlog.configure(**before)


async def test_a_corrupt_document_is_an_internal_error_with_the_request_s_id(
    anonymous: Phone, new_phone: NewPhone, services: Services, settings: Settings
) -> None:
    ada = await new_phone("Ada")
    [id] = await insert_posts(services, ada.user_id, [None], created_at="the day before yesterday")
    with logged(settings) as log:
        answer = await anonymous.ask(POST, id=id)
    request_id = answer.headers["X-Request-Id"]
    assert answer.status == 200
    assert answer.body["data"] == {"post": None}
    [error] = answer.errors
    assert error["message"] == "Something went wrong on our side."
    assert error["path"] == ["post", "createdAt"]
    assert error["extensions"] == {"code": "INTERNAL", "requestId": request_id}
    assert "yesterday" not in str(answer.body)
    assert f'"request_id":"{request_id}"' in log.getvalue()
    assert "AttributeError: 'str' object has no attribute 'astimezone'" in log.getvalue()
    await services.db.write({"delete": "posts", "deletes": [{"q": {"_id": id}, "limit": 1}]})


async def test_the_caller_may_name_the_request(anonymous: Phone, services: Services) -> None:
    await services.db.write({"insert": "users", "documents": [{"_id": (id := ids.new_id("user"))}]})
    body = {"query": "query($id: ID!) { user(id: $id) { id } }", "variables": {"id": id}}
    answer = await anonymous.post(body, **{"X-Request-Id": "trace-0123456789"})
    assert answer.headers["X-Request-Id"] == "trace-0123456789"
    assert answer.errors[0]["extensions"] == {"code": "INTERNAL", "requestId": "trace-0123456789"}
    unsound = await anonymous.post(body, **{"X-Request-Id": "<script>"})
    assert unsound.headers["X-Request-Id"] != "<script>"


async def test_one_bug_leaves_the_other_fields_alone(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    [bad] = await insert_posts(services, ada.user_id, [None], created_at=5)
    good = await publish(ada, "Fine")
    query = """query($good: ID!, $bad: ID!) { good: node(id: $good) { id }
      bad: node(id: $bad) { ... on Post { createdAt } } }"""
    answer = await ada.ask(query, good=good, bad=bad)
    assert answer.body["data"] == {"good": {"id": good}, "bad": None}
    assert [(error["path"], error["extensions"]["code"]) for error in answer.errors] == [
        (["bad", "createdAt"], "INTERNAL")
    ]
    await services.db.write({"delete": "posts", "deletes": [{"q": {"_id": bad}, "limit": 1}]})


async def test_a_bug_in_a_mutation_writes_nothing_and_may_be_tried_again(
    new_phone: NewPhone, services: Services
) -> None:
    ada, once = await new_phone("Ada"), key()
    post = await publish(ada)
    await _set(services, post, {"comment_count": "many"})
    query = """mutation($input: CreateCommentInput!) { createComment(input: $input) {
      comment { text } post { commentCount } errors { code } } }"""
    given = {"idempotencyKey": once, "postId": post, "text": "Once"}
    answer = await ada.ask(query, input=given)
    assert answer.body["data"] == {"createComment": None}
    [error] = answer.errors
    assert error["extensions"] == {"code": "INTERNAL", "requestId": answer.headers["X-Request-Id"]}
    assert "comment_count" not in str(answer.body)
    assert await services.db.find("comments", {"post_id": post}) == []
    assert await services.db.find("receipts", {"_id": f"{ada.user_id}:{once}"}) == []
    await _set(services, post, {"comment_count": 0})
    done = await ada.run(query, input=given)
    assert done["createComment"] == {"comment": {"text": "Once"}, "post": {"commentCount": 1}, "errors": []}


async def _set(services: Services, post: str, fields: dict[str, object]) -> None:
    update = {"q": {"_id": post}, "u": {"$set": fields}}
    await services.db.write({"update": "posts", "updates": [update]})


@pytest.mark.parametrize("hook", ["on_operation", "on_validate", "on_execute"])
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_a_bug_in_an_extension_tells_nothing(
    configured: Configured, monkeypatch: pytest.MonkeyPatch, hook: str, accept: str
) -> None:
    def failing(self: OneOperation) -> Iterator[None]:
        raise RuntimeError("the password of the database")
        yield

    monkeypatch.setattr(OneOperation, hook, failing)
    # The reference alone has extensions.
    async with configured(executor="reference") as phone:
        answer = await phone.post({"query": "{ __typename }"}, Accept=accept)
    assert "password" not in str(answer.body)
    body = answer.body
    if accept != "application/json":
        body = json.loads(answer.body.partition("data: ")[2].partition("\r\n")[0])
    [error] = body["errors"]
    assert error["message"] == "Something went wrong on our side."
    assert error["extensions"] == {"code": "INTERNAL", "requestId": answer.headers["X-Request-Id"]}
    assert answer.status == 200
