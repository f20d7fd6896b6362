"""`refuses` of mutations: no more and no less than what they answer."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from strawberry.types import get_object_definition

from core.errors import ERROR_CODES
from core.graphql import mutation
from core.graphql.bindings import MutationField
from core.graphql.changes import changes_of, refuses_null
from core.mutations import declared_codes
from core.mutations.idempotency import Mutation
from core.settings import Settings
from server.lifespan import make_schema
from tests.reached import Sources

UNSEEN = frozenset({"CONFLICT", "ID_TAKEN", "NO_ORGANIZATION", "STEP_UP_REQUIRED", "WRONG_STATUS"})
"""Codes that follow from what a mutation takes, from its roles, and from the moves of its collection."""


def mutations() -> Iterator[Mutation]:
    schema = make_schema(Settings())
    for field in get_object_definition(schema.mutation, strict=True).fields:
        binding = field.metadata["binding"]
        assert isinstance(binding, MutationField)
        yield binding.mutation


UNMET = {
    # Lengths and counts that may be 0.
    "REQUIRED": {
        *("decideReview", "markChatsDelivered", "recordClientHealth", "sharePost", "submitMessageReport"),
        *("submitReport", "submitReview", "acknowledgeNotification", "markInboxSeen", "updateCart"),
        *("addFavorite", "reorderFavorites", "syncFavorites"),
        "submitBarcode",
    },
    # Of devices without a sign-in.
    "CART_CLOSED": {"applyQuickReorder", "placeOrder", "reorderItems"},
    # A share has no files of its own.
    "TOO_MANY": {"sharePost"},
    # A quote after a replay has no address; in place of one that is not honored any address will do.
    "NO_SHIPPING": {"placeOrder", "syncCart"},
    # An order is placed with its first attempt.
    "PAYMENT_ATTEMPTS_EXCEEDED": {"placeOrder", "reorderItems"},
    # A reorder makes its own quote.
    "QUOTE_EXPIRED": {"reorderItems"},
    # A token that cannot be kept pays all the same.
    "LIMIT_REACHED": {"placeOrder", "reorderItems"},
    # All that is left is given back, of however many refunds.
    "REFUND_EXCEEDS_PAID": {"cancelOrder"},
    # Only who is not signed in, and gives a password, solves one.
    "CAPTCHA_REQUIRED": {"setPassword", "stepUp", "verifyBackupCode", "verifyOtp"},
}
"""Codes in what a mutation runs that it never meets, by code: a branch of a function that it shares."""


@pytest.fixture(scope="module")
def raised() -> dict[str, set[str]]:
    """By mutation, the codes in the source of all that it runs."""
    sources = Sources(Path(__file__).parents[2])
    found = {}
    for each in mutations():
        parts = [part for part in (each.resolver, each.prepare, each.reissue) if part is not None]
        found[each.name] = set().union(*map(sources.codes, parts))
    return found


def test_no_mutation_declares_what_nothing_it_runs_may_raise(raised: dict[str, set[str]]) -> None:
    stale: dict[str, list[str]] = {}
    for each in mutations():
        fields = changes_of(inspect.unwrap(each.resolver))
        follow = UNSEEN | ({"REQUIRED"} if fields and refuses_null(fields) else set())
        if gone := sorted(set(each.refuses) - follow - raised[each.name]):
            stale[each.name] = gone
    assert stale == {}


def test_every_mutation_declares_what_it_runs_may_raise(raised: dict[str, set[str]]) -> None:
    missing: dict[str, set[str]] = {}
    for each in mutations():
        for code in raised[each.name] - set(each.refuses) - declared_codes.ALWAYS:
            missing.setdefault(code, set()).add(each.name)
    assert missing == UNMET


def test_every_code_is_answered_by_a_mutation() -> None:
    answered = {code for each in mutations() for code in each.refuses}
    assert ERROR_CODES.keys() - answered - declared_codes.ALWAYS == set()


def test_another_code_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[tuple[str, str]] = []
    monkeypatch.setattr(declared_codes, "undeclared", lambda *told: reported.append(told))
    error: dict[str, Any] = {"code": "TOO_LONG"}
    declared_codes.check("createPost", {"TOO_LONG"}, [error, {"code": "NOT_FOUND"}])
    assert reported == []
    declared_codes.check("createPost", {"REQUIRED"}, [error])
    assert reported == [("createPost", "TOO_LONG")]


async def plain(ctx: Any, *, expected_version: int | None = None) -> dict[str, Any]:
    return {}


@pytest.mark.parametrize(
    ("codes", "problem"),
    [
        ("NO_SUCH_CODE", "are no codes to declare"),
        ("NOT_FOUND", "are no codes to declare"),
        ("CONFLICT", "follow from what it takes"),
    ],
)
def test_what_need_not_be_declared_is_not(codes: str, problem: str) -> None:
    declared = mutation(plain, returns={}, refuses=codes)
    with pytest.raises(TypeError, match=problem):
        declared.named("do_nothing")
