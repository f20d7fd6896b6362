"""Histories nobody would write by hand: parts sent in any order, twice, cut, late, and all calls repeated."""

import io
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import jobs
from core.context import Services
from resolvers.media import uploading
from tests.conftest import NewPhone
from tests.media import steps
from tests.phone import Phone

PART = 64
BODY = ("Landfall, " * 30).encode()
COUNT = -(-len(BODY) // PART)
NUMBERS = st.integers(1, COUNT)
STEPS = st.one_of(
    st.tuples(st.just("put"), NUMBERS),
    st.tuples(st.just("short"), NUMBERS),
    st.tuples(st.just("sign"), NUMBERS),
    st.tuples(st.just("all"), st.just(0)),
    st.tuples(st.sampled_from(["complete", "work", "read"]), st.just(0)),
    st.tuples(st.sampled_from(["abort"]), st.just(0)),
)


class Model:
    """Model of an upload: the state that the server's must equal."""

    def __init__(self) -> None:
        self.received: set[int] = set()
        self.state = "sending"

    def put(self, numbers: set[int]) -> int:
        if self.state != "sending":
            return 409
        self.received |= numbers
        return 200


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "PART_BYTES", PART)


async def act(
    phone: Phone, services: Services, upload: dict[str, Any], model: Model, what: str, number: int
) -> None:
    if what in ("put", "short", "all"):
        numbers = range(1, COUNT + 1) if what == "all" else [number]
        for each in numbers:
            piece = BODY[(each - 1) * PART : each * PART]
            expected = 400 if what == "short" else model.put({each})
            status = await put(
                phone.http, upload["parts"][each - 1]["url"], piece[:-1] if what == "short" else piece
            )
            assert status == expected
    elif what == "sign":
        signed = await phone.do(
            "requestUploadPartUrls", "upload { id }", uploadId=upload["id"], partNumbers=[number]
        )
        assert bool(signed["errors"]) == (model.state != "sending")
    elif what == "complete":
        await complete(phone, upload, model)
    elif what == "abort":
        gone = await phone.do("cancelUpload", "deletedUploadId", uploadId=upload["id"])
        assert bool(gone["errors"]) == (model.state in ("complete", "done"))
        model.state = "aborted" if not gone["errors"] else model.state
    elif what == "work":
        await jobs.run_due(services)
        model.state = "done" if model.state == "complete" else model.state
    await agree(phone, upload, model)


async def put(http: aiohttp.ClientSession, url: str, piece: bytes) -> int:
    async with http.put(url, data=io.BytesIO(piece)) as response:
        return response.status


async def complete(phone: Phone, upload: dict[str, Any], model: Model) -> None:
    answer = await steps.complete(phone, upload)
    codes = [each["code"] for each in answer["errors"]]
    if model.state == "aborted":
        assert codes == ["UPLOAD_CLOSED"]
    elif model.state == "sending" and len(model.received) < COUNT:
        assert codes == ["UPLOAD_INCOMPLETE"]
        assert answer["missingParts"] == sorted(set(range(1, COUNT + 1)) - model.received)
    else:
        assert codes == []
        model.state = "done" if model.state == "done" else "complete"


async def agree(phone: Phone, upload: dict[str, Any], model: Model) -> None:
    answer = await phone.ask(steps.READ, id=upload["id"])
    if model.state == "aborted":
        assert answer.data == {"upload": None}
        return
    found = answer.data["upload"]
    if model.state == "sending":
        assert {part["number"] for part in found["parts"] if part["received"]} == model.received
        assert found["status"] == ("UPLOADING" if model.received else "PENDING")
    else:
        assert found["status"] == {"complete": "UPLOADED", "done": "READY"}[model.state]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=st.lists(STEPS, min_size=3, max_size=14))
async def test_every_history_ends_as_the_model_says(
    new_phone: NewPhone, services: Services, small_parts: None, history: list[tuple[str, int]]
) -> None:
    ada = await new_phone("Ada")
    upload = await steps.created(ada, BODY, "text/plain", fileName="a.txt")
    assert upload["partCount"] == COUNT
    model = Model()
    for what, number in history:
        await act(ada, services, upload, model, what, number)
    if model.state == "done":
        url = (await steps.read(ada, upload["id"]))["processedMedia"]["url"]
        assert (await steps.fetched(ada.http, url))[2] == BODY
