"""Outages: which exceptions of libraries mean that something is down or slow for the moment."""

from typing import Any

import structlog
from redis.exceptions import ConnectionError as RedisDown
from redis.exceptions import TimeoutError as RedisSlow

from core.errors import RequestError, TimedOut, Unavailable
from core.storage import mongo


def fault_of(error: BaseException) -> RequestError | None:
    """The fault that an exception amounts to; None for a bug."""
    if isinstance(error, RequestError):
        return error
    if isinstance(error, TimeoutError):
        return TimedOut()
    if isinstance(error, (RedisDown, RedisSlow)):
        return Unavailable()
    return mongo.fault(error)


def log(logger: structlog.stdlib.BoundLogger, event: str, error: Exception, **about: Any) -> None:
    """Failed work that is done again: an error with its traceback, but a warning if an outage explains it."""
    fault = fault_of(error)
    if fault is not None and fault.transient:
        logger.warning(event, error=type(error).__name__, **about)
    else:
        logger.error(event, exc_info=error, **about)
