"""Checkup: what parts of a deployment say of themselves, and what must be put right."""

from collections.abc import Sequence
from typing import NamedTuple

from core.context import Services
from core.hooks import Hook


class Finding(NamedTuple):
    """Finding of a health check on one part."""

    part: str
    said: str
    problem: str | None = None
    """Problem that must be put right; None if there is none."""


checkup = Hook[[Services], Sequence[Finding]]("checkup")
"""Systems add what they found of their parts."""
