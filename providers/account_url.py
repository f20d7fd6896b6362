"""Accounts with providers, each written as one URL: `twilio://SID:TOKEN@api.twilio.com/+15550100`."""

from collections.abc import Container
from typing import NamedTuple
from urllib.parse import unquote, urlsplit


class Account(NamedTuple):
    """An account with a provider, and the sender that people see."""

    kind: str
    base: str
    """Base URL of its API."""
    login: str
    secret: str
    sender: str


def account(url: str, kinds: Container[str], form: str) -> Account:
    """The account that a URL describes, of one of the kinds; ValueError with the form when it describes none.

    `+http` after the kind speaks plain HTTP, for a gateway on the same machine.
    """
    parts = urlsplit(url)
    kind, _, transport = parts.scheme.partition("+")
    sender = unquote(parts.path.strip("/"))
    if kind not in kinds or transport not in ("", "http") or not parts.hostname or not sender:
        raise ValueError(form)
    port = f":{parts.port}" if parts.port else ""
    base = f"{transport or 'https'}://{parts.hostname}{port}"
    return Account(kind, base, unquote(parts.username or ""), unquote(parts.password or ""), sender)
