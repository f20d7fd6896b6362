"""Outages: which exceptions of libraries mean that something is down or slow for the moment."""

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
