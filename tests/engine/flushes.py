"""Flushes: what a phone has queued, as one document of aliased mutations."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from tests.phone import Answer, Phone, key

ERRORS = "errors { code kind retryable retryAfterSeconds }"


@dataclass
class Act:
    """One queued mutation; its key stays the same however often it is sent."""

    mutation: str
    input: dict[str, Any]
    selection: str = ""
    key: str = field(default_factory=key)


def document(acts: list[Act], *, errors: str = ERRORS) -> tuple[str, dict[str, Any]]:
    """The document and its variables; the n-th act answers as `m{n}`."""
    declared = ", ".join(
        f"$m{number}: {act.mutation[0].upper()}{act.mutation[1:]}Input!" for number, act in enumerate(acts)
    )
    fields = "\n".join(
        f"m{number}: {act.mutation}(input: $m{number}) {{ replayed {errors} {act.selection} }}"
        for number, act in enumerate(acts)
    )
    variables = {f"m{number}": {"idempotencyKey": act.key, **act.input} for number, act in enumerate(acts)}
    return f"mutation({declared}) {{ {fields} }}", variables


async def flush(phone: Phone, acts: list[Act]) -> Answer:
    query, variables = document(acts)
    return await phone.ask(query, **variables)


def payloads(answer: Answer) -> list[Any]:
    """The answers in the order of the acts."""
    data = answer.body["data"]
    return [data[f"m{number}"] for number in range(len(data))]


def code(payload: Any) -> str | None:
    """Why it was refused; None when it was done."""
    return payload["errors"][0]["code"] if payload["errors"] else None


def codes(answer: Answer) -> list[str | None]:
    return [code(payload) for payload in payloads(answer)]


def refusals(payload: Any) -> list[Any]:
    """Refusals of a mutation, and of the items of a batch."""
    results = payload.get("results") or ()
    return [*payload["errors"], *(error for each in results for error in each.get("errors") or ())]


@dataclass
class Queue:
    """A phone's queue, worked off in order: what is acknowledged leaves it, the rest keeps place and key."""

    waiting: deque[Act] = field(default_factory=deque)
    done: list[tuple[Act, Any]] = field(default_factory=list)
    """Acts with their final payloads, as they were acknowledged."""
    told: Counter[str] = field(default_factory=Counter)
    """Why acts had to come again."""

    def head(self, most: int) -> list[Act]:
        """Acts that are sent next, as one document."""
        return [self.waiting[number] for number in range(min(most, len(self.waiting)))]

    def settle(self, batch: list[Act], body: Any) -> int:
        """Take what a document of the head came to; the seconds to wait before the next.

        `body` is the answer, None where there was none.
        """
        body = body or {}
        data, errors = body.get("data") or {}, body.get("errors") or ()
        failed = {tuple(error.get("path") or ()): error["extensions"] for error in errors}
        again, wait = [], 0
        for number, act in enumerate(batch):
            assert self.waiting.popleft() is act
            payload = data.get(f"m{number}")
            failure = failed.get((f"m{number}",)) or failed.get(()) or UNKNOWN
            errors = refusals(payload) if payload else [failure]
            if payload and not any(error["retryable"] for error in errors):
                self.done.append((act, payload))
                continue
            again.append(act)
            self.told[errors[0]["code"]] += 1
            wait = max(wait, *(error.get("retryAfterSeconds") or 0 for error in errors))
        self.waiting.extendleft(reversed(again))
        return wait


UNKNOWN = {"code": "NO ANSWER"}
