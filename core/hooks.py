"""Hooks: where a lower system tells or asks the higher ones, without knowing them.

The lower system declares one, the higher ones fill it by decorating a function:

    # resolvers/feed, which then calls `await blocked(ctx, user_id)`
    blocked = Hook[[Context, str], None]("feed.blocked")

    # resolvers/chat
    @on(blocked)
    async def part(ctx: Context, user_id: str) -> None: ...

Unfilled, telling does nothing and an answer is empty.
"""

from collections.abc import Awaitable, Callable
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Hook(Generic[P, R]):
    """Extension point: calls whoever filled it, in the order in which they did, and gives their answers."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._listeners: list[Callable[P, Awaitable[R]]] = []

    def add(self, listener: Callable[P, Awaitable[R]]) -> None:
        self._listeners.append(listener)

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> list[R]:
        """One after the other: within a transaction commands go one at a time."""
        return [await listener(*args, **kwargs) for listener in self._listeners]


def on(hook: Hook[P, R]) -> Callable[[Callable[P, Awaitable[R]]], Callable[P, Awaitable[R]]]:
    """Decorator: fill a hook with the function."""

    def fill(listener: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
        hook.add(listener)
        return listener

    return fill
