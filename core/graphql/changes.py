"""Partial updates: what is left out of an input stays, and null clears what may be empty.

A resolver takes them as `**changes: Unpack[PinChanges]`, of a TypedDict with `total=False`. A key whose type
has None may be cleared; null for another is refused before the resolver runs.
"""

import inspect
import typing
from collections.abc import Awaitable, Callable, Mapping
from functools import cache, wraps
from typing import Any, NamedTuple

from core.errors import UserError

STAYS = "Left out: unchanged."
CLEARS = "Left out: unchanged; null: cleared."


class _Field(NamedTuple):
    clearable: bool
    inner: "Mapping[str, _Field]"
    """Fields of the input object that it is; none for another value."""


def changes_of(resolver: Callable[..., Any]) -> Any:
    """The TypedDict whose fields a resolver changes; None for one that takes no partial update."""
    hints = typing.get_type_hints(resolver, include_extras=True)
    for each in inspect.signature(resolver).parameters.values():
        if each.kind is inspect.Parameter.VAR_KEYWORD and is_unpacked(hints[each.name]):
            return typing.get_args(hints[each.name])[0]
    return None


def is_unpacked(hint: Any) -> bool:
    return typing.get_origin(hint) is typing.Unpack


def sent_types(fields: Any) -> Mapping[str, Any]:
    """Types of a TypedDict's fields as GraphQL has them: whatever may be left out is nullable there."""
    hints = typing.get_type_hints(fields)
    return {name: hint if name in fields.__required_keys__ else hint | None for name, hint in hints.items()}


def described(fields: Any) -> Mapping[str, str]:
    """Effect of leaving out, and of null, by the fields of a TypedDict that may be left out."""
    plan = _plan(fields)
    return {name: CLEARS if plan[name].clearable else STAYS for name in fields.__optional_keys__}


def refuses_null(fields: Any) -> bool:
    """True if there are fields that may be left out, but not be null."""
    return not all(each.clearable for each in _plan(fields).values())


def without_nulls(resolver: Callable[..., Awaitable[Any]], fields: Any) -> Callable[..., Awaitable[Any]]:
    """The resolver, which never gets null for a field that cannot be empty: that is REQUIRED."""
    plan = _plan(fields)

    @wraps(resolver)
    async def checked(ctx: Any, **arguments: Any) -> Any:
        if path := _first_null(plan, arguments):
            raise UserError("REQUIRED", "This must not be empty.", field=path)
        return await resolver(ctx, **arguments)

    return checked


@cache
def _plan(fields: Any) -> Mapping[str, _Field]:
    plan = {}
    for name, hint in typing.get_type_hints(fields).items():
        arguments = typing.get_args(hint)
        inner = next(filter(typing.is_typeddict, (hint, *arguments)), None)
        plan[name] = _Field(type(None) in arguments, _plan(inner) if inner else {})
    return plan


def _first_null(plan: Mapping[str, _Field], given: Mapping[str, Any]) -> list[str]:
    """Path to the first field that is null and may not be; empty when there is none."""
    for name, field in plan.items():
        value = given.get(name, ...)
        if value is None and not field.clearable:
            return [name]
        if isinstance(value, Mapping) and (inner := _first_null(field.inner, value)):
            return [name, *inner]
    return []
