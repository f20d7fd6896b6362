"""TypeIDs: `post_01h455vb4pex5vsknk084sn02q`, a type prefix and a time-ordered UUIDv7 in base32."""

import hashlib
from datetime import timedelta
from typing import NewType
from uuid import UUID

from typeid import TypeID
from typeid.errors import TypeIDException

from core import clock
from core.errors import BadUserInput

Id = NewType("Id", str)
"""An id in a resolver's signature: GraphQL's `ID`."""

CLOCK_TOLERANCE = timedelta(hours=24)


def new_id(prefix: str) -> str:
    return str(TypeID(prefix=prefix))


def from_uuid(value: UUID, prefix: str) -> str:
    """The TypeID of a UUID made elsewhere."""
    return str(TypeID.from_uuid(value, prefix=prefix))  # type: ignore[arg-type]  # reads its bytes only


def prefix_of(value: str) -> str:
    """The type prefix, without judging the rest."""
    return value.rpartition("_")[0]


def sibling(value: str, prefix: str) -> str:
    """Id of the further node of the same document: the same suffix behind another prefix."""
    return f"{prefix}_{value.rpartition('_')[2]}"


def derived(prefix: str, parent: str, *parts: str) -> str:
    """Id made of others, with the moment of the first: doing the same work again makes the same one.

    It cannot be inverted.
    """
    digest = hashlib.blake2b("\0".join((prefix, parent, *parts)).encode(), digest_size=10).digest()
    value = TypeID.from_string(parent).uuid.int >> 80 << 80 | int.from_bytes(digest)
    # Version 7 and variant 2 of RFC 9562.
    value = value & ~(0xF << 76) | 0x7 << 76
    return from_uuid(UUID(int=value & ~(0x3 << 62) | 0x2 << 62), prefix)


def checked(value: str, *prefixes: str) -> str:
    """The id itself, if it is well formed and of one of the prefixes (any, when none is given)."""
    try:
        parsed = TypeID.from_string(value)
    except (TypeIDException, ValueError, TypeError):
        raise BadUserInput(f"{value[:80]!r} is not an id.") from None
    if not parsed.prefix:
        raise BadUserInput(f"{value!r} is not an id.")
    if prefixes and parsed.prefix not in prefixes:
        raise BadUserInput(f"{value!r} is not the id of a {' or '.join(prefixes)}.")
    return value


def well_formed(value: str, *prefixes: str) -> bool:
    """True if it is an id with one of the prefixes: one bad id among many must not fail the others."""
    try:
        checked(value, *prefixes)
    except BadUserInput:
        return False
    return True


def moment_of(value: str) -> float:
    """When a well-formed id was made, in seconds since the epoch."""
    return (TypeID.from_string(value).uuid.int >> 80) / 1000


def minted(value: str | None, prefix: str) -> str:
    """The id a client chose for a thing it creates, or a new one."""
    if value is None:
        return new_id(prefix)
    checked(value, prefix)
    if moment_of(value) > clock.timestamp() + CLOCK_TOLERANCE.total_seconds():
        raise BadUserInput(f"{value!r} was made more than 24 hours ahead of the server's clock.")
    return value
