"""Structured logs: JSON for machines, readable lines in development; never a secret."""

import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import orjson
import structlog

from core.settings import Environment, Settings

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that is worked for: every line of it has it."""
SECRET_NAMES = frozenset(
    {
        "password",
        "token",
        "access_token",
        "refresh_token",
        "code",
        "authorization",
        "secret",
        "variables",
        "text",
    }
)


@contextmanager
def warnings_alone() -> Iterator[None]:
    """Log nothing below a warning meanwhile: acts of a command that makes things up are no news."""
    before = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        yield
    finally:
        structlog.configure(wrapper_class=before)


def configure(settings: Settings) -> None:
    readable = settings.log_format == "console" or (
        settings.log_format == "auto" and settings.env is Environment.DEVELOPMENT
    )
    renderer: Any = (
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # The default one prints local variables: passwords and codes among them.
            exception_formatter=structlog.dev.plain_traceback,
        )
        if readable
        else structlog.processors.JSONRenderer(
            serializer=lambda event, **_: orjson.dumps(event, default=str).decode()
        )
    )
    structlog.configure(
        processors=[
            _of_request,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_secrets,
            *([] if readable else [structlog.processors.format_exc_info]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.log_level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")


def _of_request(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    id = REQUEST_ID.get()
    if id:
        event["request_id"] = id
    return event


def _without_secrets(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in SECRET_NAMES & event.keys():
        event[name] = "***"
    return event
