"""What systems do when a person leaves, or asks for everything that is kept about them.

Each system says it once, in `jobs/<system>.py`; deletion and export find them all here.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from core.context import Services

Eraser = Callable[[Services, str], Awaitable[None]]
Exporter = Callable[[Services, str], AsyncIterator[tuple[str, Sequence[Mapping[str, Any]]]]]

ERASERS: dict[str, Eraser] = {}
EXPORTERS: dict[str, Exporter] = {}
"""By the name of the system."""


def on_user_deleted(function: Eraser) -> Eraser:
    """Erase, or make anonymous, what a system keeps of a person who is gone: `erase(services, user_id)`.

    It confirms by returning. One that raises is called again until it does, so it must be safe to repeat.
    """
    ERASERS[_system(function, ERASERS)] = function
    return function


def on_user_export(function: Exporter) -> Exporter:
    """Yield what a system keeps of a person, `("posts", rows)` in batches; each name becomes a file.

    Rows are what the person may read: plain values, no secrets and nothing private of others.
    """
    EXPORTERS[_system(function, EXPORTERS)] = function
    return function


def _system(function: Callable[..., Any], known: Mapping[str, Any]) -> str:
    _, system, *_ = [*function.__module__.split("."), ""]
    if not system or system in known:
        raise ValueError(f"{function.__module__}.{function.__name__}: one per system, in its jobs.")
    return system
