"""Templates of notifications that an organization writes itself, with typed variables."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import TypedDict

from core.storage.store import Row, entity, index
from stores.notification.kinds import NotificationChannel, PriorityLevel


class TemplateScenario(StrEnum):
    """Scenario that a notification template is for."""

    RANSOMWARE = "RANSOMWARE"
    """Data were encrypted by an attacker."""
    DATA_BREACH = "DATA_BREACH"
    """Data got into the wrong hands."""
    SYSTEM_OUTAGE = "SYSTEM_OUTAGE"
    """A system that people need is down."""
    BUILDING_EVACUATION = "BUILDING_EVACUATION"
    """People have to leave a building."""
    CUSTOM = "CUSTOM"
    """Any other reason to tell people of something."""


class TemplateVariableKind(StrEnum):
    """Kind of a template's variable: which values fit it."""

    STRING = "STRING"
    """Text of at most 1,000 characters."""
    NUMBER = "NUMBER"
    """Decimal number of at most 15 digits before the point, such as `12.5`."""
    DATE = "DATE"
    """Day of the calendar, written as `2026-01-31`."""


class TemplateVariable(TypedDict):
    name: str
    kind: TemplateVariableKind
    required: bool
    default_value: str | None


class NotificationTemplate(Row):
    org_id: str
    name: str
    name_key: str
    """The name without regard to case, unique in the organization; the id once it is archived."""
    remarks: str | None
    scenario: TemplateScenario
    title_template: str
    message_template: str
    default_channels: list[NotificationChannel]
    default_priority: PriorityLevel
    requires_ack: bool
    variables: list[TemplateVariable]
    created_by: str
    archived_at: datetime | None


def scope_of(org_id: str | None) -> Iterable[str]:
    """Scope of the change log with an organization's templates."""
    return (f"notification-templates:{org_id}",)


def template_scopes(template: NotificationTemplate) -> Iterable[str]:
    return scope_of(template["org_id"])


templates = entity(
    "notification_templates",
    NotificationTemplate,
    prefix="notification_template",
    scopes=template_scopes,
    audience_never_shrinks=True,
    indexes=[
        index("org_id", "name_key", unique=True),
        index("org_id", "archived_at", "name_key", "_id"),
        index("org_id", "archived_at", "scenario", "name_key", "_id"),
    ],
    shard_key="org_id",
)
