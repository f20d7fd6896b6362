"""Mutations by which administrators change accounts, each on record with its reason."""

from collections.abc import Awaitable, Callable
from typing import Any

from core.audit import Audited
from core.graphql import mutation
from stores.auth import Role


def administer(resolver: Callable[..., Awaitable[Any]], act: Audited, **more: Any) -> Any:
    """A mutation of administrators who have just proven who they are."""
    reason = "Reason for the audit log, 1 to 500 characters."
    return mutation(resolver, roles=(Role.ADMIN,), fresh=True, audit=act, reason=reason, **more)


def _of_account(action: str, event_type: str = "DECISION_MADE") -> Audited:
    return Audited(
        f"auth.{action}", event_type, "ACCOUNT", resource="user_id", subject="user_id", sensitive=("reason",)
    )


SUSPENDED, UNSUSPENDED = _of_account("user_suspended"), _of_account("user_unsuspended")
LOCKED, UNLOCKED = _of_account("locked"), _of_account("user_unlocked")
ROLES_ASSIGNED = _of_account("roles_assigned", "ACCESS_GRANTED")
SESSIONS_REVOKED = _of_account("session_revoked")
EVERYBODY_REVOKED = Audited("auth.everybody_revoked", "DECISION_MADE", "ACCOUNT", sensitive=("reason",))
