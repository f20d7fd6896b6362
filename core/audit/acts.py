"""Audit act: what somebody did, or tried to do, as its system tells it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Mode(StrEnum):
    """Mode in which an act is put on record."""

    UNIT = "UNIT"
    """With the running unit of work: the record exists exactly when the change does."""
    SYNC = "SYNC"
    """With the unit of work, and chained before the caller is answered."""
    ASYNC = "ASYNC"
    """Soon, in a batch with others: for acts that stop nobody if their record is late."""


class AuditOutcome(StrEnum):
    """Outcome of an act."""

    OK = "OK"
    """The act was done."""
    DENIED = "DENIED"
    """The act was refused: whoever tried may not do it."""
    FAILED = "FAILED"
    """The act was allowed and came to nothing."""


@dataclass(frozen=True, slots=True)
class Act:
    """Audit act: its dotted `action`, what it was done to, and whom it is about.

    `details` are clear and hold nothing personal; `sensitive` values are encrypted with the subject's key,
    the actor's where there is no subject, and end with it. `source` and `entry_key` together are unique: an
    act that comes again under its key is on record already. The actor is named where it is not the viewer.
    """

    action: str
    event_type: str = "USER_ACTION"
    resource_type: str = "OTHER"
    resource_id: str | None = None
    subject_id: str | None = None
    """The person the act is about: they may read its record."""
    incident_id: str | None = None
    outcome: AuditOutcome = AuditOutcome.OK
    reason: str | None = None
    """Reason for which health data were read."""
    details: Mapping[str, Any] = field(default_factory=dict)
    sensitive: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    """The system that tells of it; empty: the first part of its action."""
    entry_key: str | None = None
    occurred_at: datetime | None = None
    """Moment by the clock of a device that tells of the act later."""
    actor_id: str | None = None
    device_id: str | None = None
    emergency: bool = False
    """True for access in an emergency, past those who are asked otherwise: its record is signed singly."""
    org_id: str | None = None
    """Organization in whose log it is; that of the viewer where none is named."""
    entry_id: str | None = None
    """Id that its entry is to have, minted by who names the entry elsewhere."""
