"""Flushes: what a phone has queued, as one document of aliased mutations."""

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
    variables = {f"m{number}": {"clientMutationId": act.key, **act.input} for number, act in enumerate(acts)}
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
