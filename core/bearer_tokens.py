"""Bearer tokens of devices: secrets that apps mint, for what belongs to nobody who is signed in.

A system declares one by the header of requests, and the key in `connection_init` of sockets, that bring it:

    CART_TOKEN = bearer_token("X-Cart-Token", "cartToken")

and asks for the hash of what came, `ctx.bearer(CART_TOKEN)`. The token itself is kept nowhere.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import BadUserInput

SHAPE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
"""256 bits in base64url without padding."""


@dataclass(frozen=True, slots=True)
class BearerToken:
    """Kind of bearer token: the header and the key of `connection_init` that bring it."""

    header: str
    parameter: str


BEARER_TOKENS: list[BearerToken] = []
Bearers = Mapping[BearerToken, str | None]
"""Hashes of the tokens that a request brought; None for one that is malformed."""


def bearer_token(header: str, parameter: str) -> BearerToken:
    """Declare a kind of bearer token."""
    declared = BearerToken(header, parameter)
    BEARER_TOKENS.append(declared)
    return declared


def of_headers(headers: Mapping[str, str]) -> Bearers:
    """Hashes of the tokens in a request's headers."""
    return {kind: _hash(headers[kind.header]) for kind in BEARER_TOKENS if kind.header in headers}


def of_parameters(parameters: Any) -> Bearers:
    """Hashes of the tokens in the payload of a socket's `connection_init`."""
    if not isinstance(parameters, dict):
        return {}
    return {kind: _hash(parameters[kind.parameter]) for kind in BEARER_TOKENS if kind.parameter in parameters}


def hashed(token: str, what: str) -> str:
    """Hash of a token, which is all that is kept of it; BAD_USER_INPUT unless it has 256 bits."""
    found = _hash(token)
    if found is None:
        raise malformed(what)
    return found


def malformed(what: str) -> BadUserInput:
    return BadUserInput(f"{what} is 256 random bits in base64url, which are 43 characters.")


def _hash(token: Any) -> str | None:
    if not isinstance(token, str) or not SHAPE.fullmatch(token):
        return None
    # A plain hash will do: nobody guesses 256 random bits.
    return hashlib.sha256(token.encode()).hexdigest()
