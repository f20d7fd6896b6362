"""Services of systems: what a system keeps as long as the process lives, made at the start and ended with it.

A system declares one as an async generator that yields it. Its parameters name by their types what it is made
of: what every process has (the fields of `Services`, `ClientSession`), settings, and other services:

    @service
    async def moderation(classifier: Classifier) -> AsyncIterator[Moderation]:
        yield Moderation(classifier)

    ctx.services.get(Moderation)
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any, TypeVar, get_args, get_type_hints

Make = TypeVar("Make", bound=Callable[..., AsyncIterator[Any]])


class NotReady(Exception):
    """The process cannot start; the message says what is to be put right."""


@dataclass(frozen=True, slots=True)
class Factory:
    """Factory of a service: the function that makes it, and the types of its parameters."""

    make: Callable[..., AsyncIterator[Any]]
    needs: Mapping[str, Any]
    """Types by parameter."""


FACTORIES: dict[Any, Factory] = {}


def service(make: Make) -> Make:
    """Decorator: declare a service by the function that makes and ends it."""
    hints = get_type_hints(make)
    [kind] = get_args(hints.pop("return"))
    if kind in FACTORIES:
        raise ValueError(f"The service {kind.__name__} is declared twice.")
    FACTORIES[kind] = Factory(make, hints)
    return make


@asynccontextmanager
async def started(given: Mapping[Any, Any]) -> AsyncIterator[dict[Any, Any]]:
    """All services, each made after those it needs and ended before them; `given` is there already."""
    found = dict(given)
    needs = {kind: set(factory.needs.values()) - given.keys() for kind, factory in FACTORIES.items()}
    async with AsyncExitStack() as stack:
        for kind in TopologicalSorter(needs).static_order():
            if kind not in FACTORIES:
                raise LookupError(f"Nobody makes the service {kind.__name__}.")
            factory = FACTORIES[kind]
            parts = {name: found[need] for name, need in factory.needs.items()}
            found[kind] = await stack.enter_async_context(asynccontextmanager(factory.make)(**parts))
        yield {kind: found[kind] for kind in FACTORIES}
