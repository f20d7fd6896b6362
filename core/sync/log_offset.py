"""Log offsets as clients hold them: signed, so that a forged one is refused."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple, NewType

import orjson

from core.errors import BadUserInput

SyncToken = NewType("SyncToken", str)
"""An opaque offset in a person's changes: GraphQL's `SyncToken`."""

SIGNATURE_BYTES = 8
LINK_BYTES = 16


class LogOffset(NamedTuple):
    """Log offset: an entry's place in the log; entries are read in this order.

    `revision` tells changes of one entry apart: MongoDB's clock may stand still for ten milliseconds.
    """

    at: datetime
    id: str
    revision: int = 0


class Expansion(NamedTuple):
    """Progress through the entries that a membership, named by its fingerprint, gave or took."""

    grant: str
    position: LogOffset


@dataclass(slots=True)
class Progress:
    """Progress of one person's device through the log.

    `since` is where a round of reading starts; `covered` names entries at or after it that the device has.
    Within a round of several pages `position` is the last entry passed, `started` when the round began,
    `passed` names entries that the next round would read again, and `expanding` is how far into a newly
    granted or revoked scope it has come.
    """

    reader: str
    since: datetime | None = None
    covered: list[str] = field(default_factory=list)
    position: LogOffset | None = None
    started: datetime | None = None
    passed: list[str] = field(default_factory=list)
    expanding: Expansion | None = None


def fingerprint(position: LogOffset) -> str:
    """Fingerprint of one change, for `Progress.covered`."""
    name = f"{position.id}|{_milliseconds(position.at)}|{position.revision}"
    digest = hashlib.blake2b(name.encode(), digest_size=6).digest()
    return base64.b64encode(digest).decode()


class Signer:
    """Signs log offsets and links with the server's secret."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.blake2b(secret.encode(), person=b"landfall-log").digest()[:32]
        self._link_key = hashlib.blake2b(secret.encode(), person=b"landfall-link").digest()[:32]

    def digest(self, body: bytes) -> str:
        """A keyed hash that tells equal bodies from different ones and nothing else."""
        return hashlib.blake2b(body, key=self._key, person=b"landfall-in").hexdigest()

    def link(self, *parts: str | int) -> str:
        """The signature of an address that this server hands out (HMAC-SHA256, cut to 128 bits)."""
        body = "\n".join(map(str, parts)).encode()
        digest = hmac.digest(self._link_key, body, "sha256")[:LINK_BYTES]
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def linked(self, signature: str, *parts: str | int) -> bool:
        """True if this server signed these parts."""
        return hmac.compare_digest(signature.encode(), self.link(*parts).encode())

    def event_id(self, position: LogOffset) -> str:
        return self._sign([_milliseconds(position.at), position.id, position.revision])

    def position(self, event_id: str) -> LogOffset:
        values = self._opened(event_id, "The event id")
        if len(values) != 3:
            raise BadUserInput("The event id is malformed.")
        return LogOffset(_moment(values[0]), values[1], values[2])

    def token(self, progress: Progress) -> SyncToken:
        return SyncToken(
            self._sign(
                [
                    "sync",
                    progress.reader,
                    _maybe_milliseconds(progress.since),
                    progress.covered,
                    _place(progress.position),
                    _maybe_milliseconds(progress.started),
                    progress.passed,
                    _expansion(progress.expanding),
                ]
            )
        )

    def progress(self, token: str) -> Progress:
        values = self._opened(token, "The sync token")
        if len(values) != 8 or values[0] != "sync":
            raise BadUserInput("The sync token is malformed.")
        _, reader, since, covered, position, started, passed, expanding = values
        return Progress(
            reader,
            since and _moment(since),
            covered,
            position and LogOffset(_moment(position[0]), position[1]),
            started and _moment(started),
            passed,
            expanding and Expansion(expanding[0], LogOffset(_moment(expanding[1]), expanding[2])),
        )

    def _sign(self, values: list[Any]) -> str:
        body = orjson.dumps(values)
        return base64.urlsafe_b64encode(self._signature(body) + body).decode().rstrip("=")

    def _opened(self, text: str, what: str) -> list[Any]:
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (ValueError, binascii.Error):
            raise BadUserInput(f"{what} is malformed.") from None
        signature, body = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
        if not body or not hmac.compare_digest(signature, self._signature(body)):
            raise BadUserInput(f"{what} is not one of this server's.")
        return list(orjson.loads(body))

    def _signature(self, body: bytes) -> bytes:
        return hashlib.blake2b(body, key=self._key, digest_size=SIGNATURE_BYTES).digest()


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _maybe_milliseconds(at: datetime | None) -> int | None:
    return None if at is None else _milliseconds(at)


def _place(position: LogOffset | None) -> list[Any] | None:
    return None if position is None else [_milliseconds(position.at), position.id]


def _expansion(expansion: Expansion | None) -> list[Any] | None:
    return None if expansion is None else [expansion.grant, *(_place(expansion.position) or ())]


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
