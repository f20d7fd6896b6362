"""Messages in Slack, by its Web API (`chat.postMessage`)."""

from typing import Any

from aiohttp import ClientSession

from core.ports import FailureCode, Permanent, Retryable, Sent
from providers.posting import post

GONE = frozenset({"channel_not_found", "user_not_found", "user_disabled", "is_archived", "not_in_channel"})
REFUSED = frozenset({"msg_too_long", "no_text", "invalid_blocks", "restricted_action"})
LONGEST_HEADER, LONGEST_TEXT, LONGEST_LABEL = 150, 3_000, 75
"""Characters that a header, a section and a button hold."""
ACKNOWLEDGE = "acknowledge"
"""Name of the button by which a person acknowledges the message."""


class Slack:
    """Implements `core.ports.SlackPoster` with an app's bot token."""

    def __init__(self, http: ClientSession, base: str, token: str) -> None:
        self._http, self._url = http, f"{base.rstrip('/')}/chat.postMessage"
        self._headers = {"Authorization": f"Bearer {token}"}

    async def send(self, *, to: str, title: str, text: str, link: str = "", acknowledge: str = "") -> Sent:
        message = {
            "channel": to,
            # What the notification of the device shows.
            "text": _escaped(title),
            "blocks": _blocks(title, text, link, acknowledge),
            "unfurl_links": False,
        }
        status, answer = await post(self._http, "Slack", self._url, json=message, headers=self._headers)
        if status != 200:
            raise Retryable(f"Slack answered {status}.")
        if answer.get("ok") is True:
            return Sent(f"{answer.get('channel')}:{answer.get('ts')}")
        error = str(answer.get("error"))
        if error in GONE:
            raise Permanent(FailureCode.UNREACHABLE, f"Slack: {error}.")
        if error in REFUSED:
            raise Permanent(FailureCode.REFUSED, f"Slack: {error}.")
        raise Retryable(f"Slack: {error}.")


def _blocks(title: str, text: str, link: str, acknowledge: str) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": title[:LONGEST_HEADER]}}
    ]
    parts = [text[start : start + LONGEST_TEXT] for start in range(0, len(text), LONGEST_TEXT)]
    blocks += [{"type": "section", "text": {"type": "plain_text", "text": part}} for part in parts]
    buttons = []
    if acknowledge:
        buttons.append({**_button(acknowledge), "action_id": ACKNOWLEDGE, "style": "primary"})
    if link:
        buttons.append({**_button("Open"), "url": link})
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    return blocks


def _button(label: str) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": label[:LONGEST_LABEL]}}


def _escaped(text: str) -> str:
    """Text that mentions nobody: Slack reads `<!channel>` as a command."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
