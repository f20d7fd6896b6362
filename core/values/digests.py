"""Digests that clients write."""

from core.errors import UserError

SHA256_DIGITS = 64


def checked_sha256(text: str, *, field: str) -> str:
    """A SHA-256 in lower-case hexadecimal, or INVALID_FORMAT."""
    digest = text.strip().lower()
    if len(digest) != SHA256_DIGITS or not set(digest) <= set("0123456789abcdef"):
        raise UserError(
            "INVALID_FORMAT",
            "A SHA-256 has {limit} hexadecimal digits.",
            field=[field],
            limit=SHA256_DIGITS,
        )
    return digest
