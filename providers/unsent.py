"""Null providers, where none is set up: the log says so, masked, and the sender takes another way."""

from typing import Any, NoReturn

import structlog

from core.ports import FailureCode, Permanent

logger = structlog.get_logger(__name__)


class UnsentMail:
    """Implements `core.ports.Mailer`."""

    async def send(self, *, to: str, **_: Any) -> NoReturn:
        name, _domain, domain = to.partition("@")
        logger.warning("no mail server is set up", to=f"{name[:1]}***@{domain}")
        raise Permanent(FailureCode.NO_PROVIDER, "No mail server is set up.")


class UnsentTexts:
    """Implements `core.ports.SmsSender`."""

    async def send(self, *, to: str, **_: Any) -> NoReturn:
        logger.warning("no SMS provider is set up", to=f"***{to[-2:]}")
        raise Permanent(FailureCode.NO_PROVIDER, "No SMS provider is set up.")


class UnsentPushes:
    """Implements `core.ports.Pusher`."""

    async def send(self, **_: Any) -> NoReturn:
        logger.warning("no push provider is set up")
        raise Permanent(FailureCode.NO_PROVIDER, "No push provider is set up.")


class UnsentCalls:
    """Implements `core.ports.VoiceCaller`."""

    async def send(self, *, to: str, **_: Any) -> NoReturn:
        logger.warning("no voice provider is set up", to=f"***{to[-2:]}")
        raise Permanent(FailureCode.NO_PROVIDER, "No voice provider is set up.")


class UnsentPosts:
    """Implements `core.ports.SlackPoster`."""

    async def send(self, **_: Any) -> NoReturn:
        logger.warning("Slack is not set up")
        raise Permanent(FailureCode.NO_PROVIDER, "Slack is not set up.")
