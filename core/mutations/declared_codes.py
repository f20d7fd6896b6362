"""Declared refusals: the codes with which a mutation may answer, and the check that it keeps to them."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import structlog

logger = structlog.get_logger(__name__)

ALWAYS = frozenset({"NOT_FOUND", "FORBIDDEN", "INVALID_INPUT", "RATE_LIMITED", "UNAVAILABLE", "DEFERRED"})
"""Codes with which every mutation may answer; no mutation declares them."""


def check(mutation: str, declared: Collection[str], errors: Iterable[Mapping[str, Any]]) -> None:
    """Report errors whose codes the mutation does not declare: clients were not told of them."""
    for error in errors:
        if error["code"] not in declared and error["code"] not in ALWAYS:
            undeclared(mutation, error["code"])


def undeclared(mutation: str, code: str) -> None:
    """Log a code that a mutation does not declare; tests raise in its place."""
    logger.error("undeclared refusal", mutation=mutation, code=code)
