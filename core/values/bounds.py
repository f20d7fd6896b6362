"""Bounds of what clients write: lengths of texts and lists, with the refusals that all systems share."""

from collections.abc import Sized

from core.errors import BadUserInput, UserError


def check_length(text: str, *, most: int, field: str, least: int = 0) -> None:
    """Raise TOO_LONG, or REQUIRED where there is less than the least, for a text of a field."""
    if len(text) < least:
        raise UserError("REQUIRED", "This must not be empty.", field=[field])
    if len(text) > most:
        raise UserError("TOO_LONG", "At most {limit} characters.", field=[field], limit=most)


def check_count(items: Sized, *, most: int, field: str, least: int = 0) -> None:
    """Raise TOO_MANY, or REQUIRED where there are fewer than the least, for a list of a field."""
    if len(items) < least:
        raise UserError("REQUIRED", "This must not be empty.", field=[field])
    if len(items) > most:
        raise UserError("TOO_MANY", "At most {limit} at once.", field=[field], limit=most)


def check_limit(limit: int, *, most: int) -> None:
    """Raise BAD_USER_INPUT unless the size of a bounded list is from 1 to the most."""
    if not 1 <= limit <= most:
        raise BadUserInput(f"`limit` must be between 1 and {most}.")
