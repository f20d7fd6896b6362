"""Outages: which exceptions of libraries mean that something is down or slow for the moment."""

from redis.exceptions import ConnectionError as RedisDown
from redis.exceptions import TimeoutError as RedisSlow

from core import mongo
from core.errors import Fault, TimedOut, Unavailable


def fault_of(error: BaseException) -> Fault | None:
    """The fault that an exception amounts to; None for a bug."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, TimeoutError):
        return TimedOut()
    if isinstance(error, (RedisDown, RedisSlow)):
        return Unavailable()
    return mongo.fault(error)
