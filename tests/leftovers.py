"""Search of everything that a process's tests left, at its end: logs, errors and documents."""

import contextlib
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import orjson

from core.context import Services
from core.security import key_rotation
from core.security.crypto import Unreadable
from core.storage.store import COLLECTIONS
from stores.audit import named_as_in_api
from tests import confidential
from tests.explained import KINDS
from tests.routed import ROUTER
from tests.scattered import SCATTERED


async def check(services: Services, log: str) -> None:
    """Fail if anything that the tests of this process left behind is wrong."""
    await no_secrets(services, log)
    await everything_sealed_is_declared(services)
    await details_are_named_as_in_the_api(services)
    await every_read_is_of_an_index(services)
    a_router_would_take_every_command()


async def no_secrets(services: Services, log: str) -> None:
    """No log, error, receipt or job holds a password, code or token of these tests."""
    assert confidential.found_in(log) == []
    assert confidential.found_in("\n".join(confidential.ERRORS)) == []
    for name in ("receipts", "jobs", "changes", "auth_flows", "sessions", "security_events"):
        async for page in pages_of(services, name):
            assert confidential.found_in(orjson.dumps(page, default=str).decode()) == [], name


async def everything_sealed_is_declared(services: Services) -> None:
    """Assert that encrypted fields are declared and decrypt in place; key rotation would miss others."""
    crypto = services.crypto
    ours = re.compile(rf"{crypto.current}\.[A-Za-z0-9+/]{{36,}}={{0,2}}")
    found = set()
    for name, kept in COLLECTIONS.items():
        fields = {each.field: each for each in kept.sealed}
        async for page in pages_of(services, name):
            for row in page:
                for field, text in texts_in(row):
                    if ours.fullmatch(text):
                        assert field in fields, (name, field)
                        found.add((name, field))
                        # Some tests spoil what is sealed, to see what becomes of it.
                        with contextlib.suppress(Unreadable):
                            crypto.open(text, place=fields[field].place_of(row))
                            found.add((name, field, "opens"))
    assert {each[:2] for each in found} == {each[:2] for each in found if each[2:]}


async def details_are_named_as_in_the_api(services: Services) -> None:
    """Names within details of audit entries are those that clients read elsewhere; apps' own are theirs."""
    async for page in pages_of(services, "audit_entries"):
        for row in page:
            # What tests put in past the service has no source.
            told_by = row["metadata"].get("source") if isinstance(row.get("metadata"), dict) else None
            if told_by not in (None, "client"):
                details = row.get("details", {})
                assert details == named_as_in_api(details), (row.get("action"), details)


AUDIENCE = "a feed's audience, each branch by its index; counted in test_wide_circles.py"

ALLOWED = {
    "posts [{$match: {$or: [{$and: [{author_id": AUDIENCE,
    "posts [{$match: {$or: [{author_id": AUDIENCE,
    "audit_entries [{$match: {$or: [{subject_id: ?}, {org_id": "one person's, for an export",
    "product_entries [{$match: {max_price": "everything on sale, narrowed by a price that nearly all have",
    "changes [{$match: {type: SCOPE}}]": "a migration, once for each database",
    "chat_members [{$match: {user_id: ?, chat_id: {$gt: ?}}}, {$sort": "one person's chats, for an export",
    "jobs [{$match: {state: DEAD}}, {$sort": "dead letters, for operators; they are kept 30 days",
    "posts [{$match: {$or: [{$and: [{author_id: ?}, {created_at: {": (
        "a feed's audience, each branch by its index; counted in test_wide_circles.py"
    ),
    "inventory [{$match: {sold: ": "best sellers, which a job works out from all that was ever sold",
    "inventory [{$match: {}}]": "the first rows by `_id`, which is a list of staff",
    "message_reports [{$match: {$or:": "one person's, in batches, when their account is erased",
    "migrations [{$match: {}}]": "one row for each",
}
"""Beginnings of reads that may look at a whole collection or sort in memory, and why."""


async def every_read_is_of_an_index(services: Services) -> None:
    """No kind of read that these tests made the code send scans a collection, or sorts what no index has."""
    problems = await KINDS.problems(services.db, ALLOWED)
    assert not problems, "\n".join(problems)


def a_router_would_take_every_command() -> None:
    """A sharded cluster refuses none of the commands that these tests made the code send.

    Rotation of keys looks for whatever is sealed, in the background.
    """
    rotated = {f"{kept.name}: {sealed.field}" for kept, sealed in key_rotation.declared()}
    problems = ROUTER.problems({*SCATTERED, *rotated})
    assert not problems, "\n".join(problems)


def texts_in(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a document, and the path to it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from texts_in(inner, f"{field}.{name}" if field else str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner, field)
    elif isinstance(value, str):
        yield field, value


async def pages_of(services: Services, name: str) -> AsyncIterator[list[Any]]:
    last = ""
    while page := await services.db.find(name, {"_id": {"$gt": last}}, sort=[("_id", 1)], limit=2_000):
        yield page
        last = page[-1]["_id"]
