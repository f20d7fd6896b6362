"""Hook of the messages that auth sends by itself: codes and security alerts.

They go their own way, past consent and quiet hours, since people wait for them or are in danger. Whoever
keeps records of deliveries fills the hook, so that what providers tell of them later finds its place.
"""

from dataclasses import dataclass
from typing import Literal

import structlog
from pymongo.errors import PyMongoError

from core.context import Services
from core.hooks import Hook

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SentMessage:
    """Message that a provider took: to whom, by what, and how the provider names it."""

    about: str
    """Id of the security event or flow."""
    user_id: str
    channel: Literal["EMAIL", "SMS"]
    number: int
    """Number of the message about the same thing, from 1."""
    provider_ref: str


message_sent = Hook[[Services, SentMessage], None]("auth.message_sent")


async def tell(services: Services, message: SentMessage) -> None:
    """Tell of a message that is on its way: no record is worth a second one."""
    try:
        await message_sent(services, message)
    except PyMongoError as error:
        logger.warning("delivery not recorded", about=message.about, error=type(error).__name__)
