"""Metrics and the log tell operations apart, and time-outs from answers, though both have status 200."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client import generate_latest

from core import ids, request_notes
from core.context import Services
from devstack.servers import Servers
from server import http_metrics, pages
from server.http_metrics import Operations
from tests.conftest import NewPhone
from tests.phone import Failed, Phone, key
from tests.server.conftest import Configured

ALERTS = Path(__file__).parents[2] / "docs" / "alerts.yml"


async def counted(http: aiohttp.ClientSession, address: str) -> dict[str, float]:
    """The samples of operations and errors."""
    async with http.get(f"{address}/metrics") as response:
        text = await response.text()
    rows = re.findall(r"^(landfall_(?:operation_seconds_count|errors_total)\S*) (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in rows}


def times(operation: str) -> str:
    return f'landfall_operation_seconds_count{{operation="{operation}"}}'


def failed(operation: str, code: str) -> str:
    return f'landfall_errors_total{{code="{code}",operation="{operation}"}}'


def requests_in(logged: Path, operation: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in logged.read_text().splitlines() if '"event":"request"' in line]
    return [line for line in lines if line.get("operation") == operation]


async def test_operations_are_counted_by_the_name_in_the_document(
    new_phone: NewPhone, http: aiohttp.ClientSession, address: str, logged: Path
) -> None:
    ada = await new_phone("Ada")
    for _ in range(3):
        await ada.run("query CountedByName { viewer { user { name } } }")
    answer = await ada.post(
        {"query": "query CountedByName { viewer { user { name } } }", "operationName": "CountedByName"}
    )
    assert answer.errors == []
    found = await counted(http, address)
    assert found[times("CountedByName")] == 4
    assert [name for name in found if name.startswith("landfall_errors") and "CountedByName" in name] == []
    lines = requests_in(logged, "CountedByName")
    assert [(line["status"], "error" in line) for line in lines] == [(200, False)] * 4


async def test_a_time_out_is_told_from_an_answer(
    configured: Configured, servers: Servers, http: aiohttp.ClientSession, address: str, logged: Path
) -> None:
    mongod = servers.mongo.processes[0]
    async with configured(request_timeout=0.3) as phone:
        mongod.pause()
        try:
            answer = await phone.ask(
                "query TooSlow($id: ID!) { user(id: $id) { name } }", id=ids.new_id("user")
            )
        finally:
            mongod.resume()
    assert answer.code == "TIMEOUT"
    found = await counted(http, address)
    assert found[failed("TooSlow", "TIMEOUT")] == 1
    [line] = requests_in(logged, "TooSlow")
    assert line["error"] == "TIMEOUT"


async def test_refusals_in_payloads_are_counted_each(
    new_phone: NewPhone, http: aiohttp.ClientSession, address: str, logged: Path
) -> None:
    ada = await new_phone("Ada")
    document = """mutation CountedFlush($a: CreatePostInput!, $b: CreatePostInput!, $c: CreatePostInput!) {
        a: createPost(input: $a) { errors { code } }
        b: createPost(input: $b) { errors { code } }
        c: createPost(input: $c) { errors { code } }
    }"""
    given = {
        name: {"idempotencyKey": key(), "text": text}
        for name, text in {"a": "", "b": "", "c": "Hello"}.items()
    }
    answer = await ada.run(document, **given)
    codes = [error["code"] for payload in answer.values() for error in payload["errors"]]
    assert len(codes) == 2
    found = await counted(http, address)
    assert found[failed("CountedFlush", codes[0])] == 2
    [line] = requests_in(logged, "CountedFlush")
    assert (line["status"], line["error"]) == (200, codes[0])


async def test_what_is_no_document_and_what_has_no_name(
    anonymous: Phone, http: aiohttp.ClientSession, address: str
) -> None:
    before = await counted(http, address)
    await anonymous.ask("{ nonsense")
    await anonymous.ask("{ __typename }")
    after = await counted(http, address)
    assert after[times(request_notes.UNREADABLE)] == before.get(times(request_notes.UNREADABLE), 0) + 1
    assert after[times(request_notes.ANONYMOUS)] == before.get(times(request_notes.ANONYMOUS), 0) + 1
    broken = failed(request_notes.UNREADABLE, "BAD_USER_INPUT")
    assert after[broken] == before.get(broken, 0) + 1


async def test_operations_on_sockets_are_counted_too(
    new_phone: NewPhone, http: aiohttp.ClientSession, address: str
) -> None:
    ada = await new_phone("Ada")
    async with ada.watch("query OnASocket { viewer { user { name } } }") as stream:
        assert await stream.next() == {"viewer": {"user": {"name": "Ada"}}}
    query = "subscription OfNothing($id: ID!) { postEvents(postId: $id) { __typename } }"
    async with ada.watch(query, id=ids.new_id("post")) as stream:
        with pytest.raises(Failed, match="NOT_FOUND"):
            await stream.next()
    await asyncio.sleep(0)
    found = await counted(http, address)
    assert found[times("OnASocket")] == 1
    assert found[failed("OfNothing", "NOT_FOUND")] == 1
    assert times("OfNothing") not in found


def test_names_and_codes_are_bounded() -> None:
    """Whoever sends documents chooses the names."""
    operations = Operations()
    for number in range(3 * http_metrics.MOST_ERRORS):
        notes = request_notes.Notes()
        notes.operations, notes.codes = [f"Name{number}"], [f"CODE_{number % 50}"] * 2
        operations.timed(notes, 0.1)
        operations.refused(notes)
    took, errors = operations.collect()
    names = {sample.labels["operation"] for sample in took.samples}
    assert len(names) == http_metrics.MOST_OPERATIONS + 1
    assert http_metrics.OTHER in names
    assert len(errors.samples) <= http_metrics.MOST_ERRORS + 50
    assert sum(sample.value for sample in errors.samples) == 6 * http_metrics.MOST_ERRORS
    counts = {s.labels["operation"]: s.value for s in took.samples if s.name.endswith("_count")}
    assert counts[http_metrics.OTHER] == 3 * http_metrics.MOST_ERRORS - http_metrics.MOST_OPERATIONS


def test_every_alert_is_about_metrics_that_there_are(services: Services) -> None:
    assert pages.REDIS_UP
    there = set(re.findall(r"^# TYPE (\w+)", generate_latest().decode(), re.MULTILINE))
    for name in set(re.findall(r"landfall_\w+", ALERTS.read_text())):
        family = re.sub(r"_(count|sum|bucket)$", "", name)
        assert {name, family} & there, name
