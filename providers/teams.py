"""Adaptive Cards in Microsoft Teams, by a person's own Workflows webhook.

The address is a person's to write, so it is reached as link previews are: public names alone, on web ports.
"""

import asyncio
import re
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver

from core.ports import FailureCode, Permanent, Retryable, Sent
from ports.feed import Unfetchable
from providers.web import Forbidden, Route, check, directly, public_session

SECONDS = 8.0
SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
MARKUP = re.compile(r"([\\*_\[\]`~])")
"""Characters that a card's text reads as Markdown."""
GONE = frozenset({400, 401, 403, 404, 405, 410, 413})


class Teams:
    """Implements `core.ports.TeamsPoster`; by https alone, but for tests on this machine."""

    def __init__(
        self,
        names: AbstractResolver | None = None,
        route: Route = directly,
        *,
        schemes: Collection[str] = ("https",),
    ) -> None:
        self._names, self._route, self._schemes = names, route, schemes

    async def send(self, *, to: str, title: str, text: str, link: str = "") -> Sent:
        try:
            self._check(to)
            async with asyncio.timeout(SECONDS):
                status = await self._posted(to, _message(title, text, link))
        except (Unfetchable, Forbidden):
            raise Permanent(FailureCode.UNREACHABLE, "The flow of Teams is not reachable.") from None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            if isinstance(error.__cause__, Forbidden):
                raise Permanent(FailureCode.UNREACHABLE, "The flow of Teams is not reachable.") from None
            raise Retryable(f"Teams did not answer: {type(error).__name__}.") from None
        if status in GONE or 300 <= status < 400:
            raise Permanent(FailureCode.UNREACHABLE, f"Teams answered {status}.")
        if status >= 300:
            raise Retryable(f"Teams answered {status}.")
        return Sent()

    def _check(self, url: str) -> None:
        check(url)
        if urlsplit(url).scheme not in self._schemes:
            raise Unfetchable("Only https is followed.")

    async def _posted(self, url: str, message: dict[str, Any]) -> int:
        async with (
            public_session(self._names, self._route, {}) as http,
            http.post(url, json=message, allow_redirects=False) as response,
        ):
            return response.status


def _message(title: str, text: str, link: str) -> dict[str, Any]:
    body = [
        {"type": "TextBlock", "text": _plain(title), "weight": "Bolder", "size": "Medium", "wrap": True},
        {"type": "TextBlock", "text": _plain(text), "wrap": True},
    ]
    card: dict[str, Any] = {"$schema": SCHEMA, "type": "AdaptiveCard", "version": "1.4", "body": body}
    if link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open", "url": link}]
    kind = "application/vnd.microsoft.card.adaptive"
    return {
        "type": "message",
        "attachments": [{"contentType": kind, "contentUrl": None, "content": card}],
    }


def _plain(text: str) -> str:
    """Text that is shown as it stands: what is in it makes no links and no emphasis."""
    return MARKUP.sub(r"\\\1", text)
