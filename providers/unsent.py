"""Null providers, where none is set up: the log says so, masked, and the sender takes another way."""

from collections.abc import Mapping

import structlog

from core.ports import DeliveryFailed

logger = structlog.get_logger(__name__)


class UnsentMail:
    """Implements `core.ports.Mailer`."""

    async def send(self, *, to: str, subject: str, text: str) -> None:
        name, _, domain = to.partition("@")
        logger.warning("no mail server is set up", to=f"{name[:1]}***@{domain}")
        raise DeliveryFailed("No mail server is set up.")


class UnsentTexts:
    """Implements `core.ports.SmsSender`."""

    async def send(self, *, to: str, text: str) -> None:
        logger.warning("no SMS provider is set up", to=f"***{to[-2:]}")
        raise DeliveryFailed("No SMS provider is set up.")


class UnsentPushes:
    """Implements `core.ports.Pusher`."""

    async def send(
        self, *, token: str, title: str, text: str, data: Mapping[str, str], collapse: str = ""
    ) -> bool:
        logger.warning("no push provider is set up")
        raise DeliveryFailed("No push provider is set up.")
