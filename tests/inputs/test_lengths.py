"""Texts that are longer than their descriptions allow: refused, never cut without a word."""

import re

import pytest

from core.context import Services
from tests.conftest import NewPhone
from tests.inputs.test_typed_texts import phone_for
from tests.inputs.world import MUTATIONS, Path, World, field_at, inputs_of, leaves, outcome, unlimited
from tests.phone import Phone

ALLOWED = re.compile(r"(?:at most|\d to) ([\d,]+) characters")
CODES = {"password": "PASSWORD_WEAK", "newPassword": "PASSWORD_WEAK", "linkUrl": "INVALID_FORMAT"}
"""Codes of what is more than too long, by the field's name."""
PROVEN_FIRST = frozenset({"confirmPasswordReset", "finishKeyEnrollment"})
"""Mutations that look at nothing before a token or a challenge that no input makes up."""


def most(mutation: str, path: Path) -> int | None:
    """Characters that the description allows."""
    found = ALLOWED.search(" ".join((field_at(mutation, path).description or "").split()))
    return int(found[1].replace(",", "")) if found else None


LIMITED = [
    pytest.param(mutation, path, limit, id=f"{mutation}.{'.'.join(path)}")
    for mutation in MUTATIONS
    if mutation not in PROVEN_FIRST
    for path in leaves(inputs_of(mutation), "String", "URL")
    if (limit := most(mutation, path)) is not None
]


@pytest.mark.parametrize(("mutation", "path", "limit"), LIMITED)
async def test_a_text_that_is_too_long_is_refused(
    world: World,
    new_phone: NewPhone,
    anonymous: Phone,
    services: Services,
    mutation: str,
    path: Path,
    limit: int,
) -> None:
    phone = await phone_for(mutation, world, new_phone, anonymous)
    await unlimited(services)
    refused = await outcome(phone, mutation, world.input(phone, mutation, path, "x" * (limit + 1)))
    assert refused == [(CODES.get(path[-1], "TOO_LONG"), list(path))]


def test_limits_are_found() -> None:
    assert len(LIMITED) > 40
