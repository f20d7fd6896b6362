"""Hooks: extension points by which a lower system calls the higher ones, without knowing them.

The lower system declares one, the higher ones fill it by decorating a function:

    # resolvers/feed, which then calls `await parting(ctx, user_id)`
    parting = Hook[[Context, str], None]("feed.parting")

    # resolvers/chat
    @on(feed.parting)
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
    """Extension point: keeps its registered functions, in the order of registration."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.listeners: list[F] = []

    def add(self, listener: F) -> None:
        self.listeners.append(listener)


class Hook(Extension[Callable[P, Awaitable[R]]], Generic[P, R]):
    """Extension point: calls its registered functions in their order, and returns their results."""

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> list[R]:
        """One after the other: within a transaction commands go one at a time."""
        return [await listener(*args, **kwargs) for listener in self.listeners]

    async def at_once(self, *args: P.args, **kwargs: P.kwargs) -> list[R]:
        """Concurrently, so that small reads are batched."""
        return await asyncio.gather(*(listener(*args, **kwargs) for listener in self.listeners))


class PlainHook(Extension[Callable[P, R]], Generic[P, R]):
    """Extension point of plain functions, where nothing may be awaited."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> list[R]:
        return [listener(*args, **kwargs) for listener in self.listeners]


def on(hook: Extension[F]) -> Callable[[F], F]:
    """Decorator: fill a hook with the function."""

    def fill(listener: F) -> F:
        hook.add(listener)
        return listener

    return fill
