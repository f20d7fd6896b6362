"""Hooks: where a lower system tells or asks the higher ones, without knowing them.

The lower system declares one, the higher ones fill it by decorating a function:

    # resolvers/feed, which then calls `await blocked(ctx, user_id)`
    blocked = Hook[[Context, str], None]("feed.blocked")

    # resolvers/chat
    @on(blocked)
    async def part(ctx: Context, user_id: str) -> None: ...

Unfilled, telling does nothing and an answer is empty.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])


class Extension(Generic[F]):
    """Extension point: keeps whoever filled it, in the order in which they did."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.listeners: list[F] = []

    def add(self, listener: F) -> None:
        self.listeners.append(listener)


class Hook(Extension[Callable[P, Awaitable[R]]], Generic[P, R]):
    """Extension point: calls whoever filled it, in the order in which they did, and gives their answers."""

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> list[R]:
        """One after the other: within a transaction commands go one at a time."""
        return [await listener(*args, **kwargs) for listener in self.listeners]

    async def at_once(self, *args: P.args, **kwargs: P.kwargs) -> list[R]:
        """Side by side, so that small reads travel together."""
        return await asyncio.gather(*(listener(*args, **kwargs) for listener in self.listeners))


class PlainHook(Extension[Callable[P, R]], Generic[P, R]):
    """Extension point of plain functions, where nothing may be waited for."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> list[R]:
        return [listener(*args, **kwargs) for listener in self.listeners]


def on(hook: Extension[F]) -> Callable[[F], F]:
    """Decorator: fill a hook with the function."""

    def fill(listener: F) -> F:
        hook.add(listener)
        return listener

    return fill
