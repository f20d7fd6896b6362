"""Templates of notifications, as clients see them."""

from datetime import datetime
from typing import Any

from core import nodes
from core.graphql import Edge, Page, dated, mutation, node, query, type_, visible
from core.graphql.common import Entity
from resolvers.notification import templates
from schema.auth import User
from stores.notification import NotificationChannel, PriorityLevel, TemplateScenario, TemplateVariableKind
from stores.notification.roles import NOTIFY_ADMIN, NOTIFY_SENDER


@type_
class TemplateVariable:
    """Variable of a template: its values are put in place of `{{ name }}`."""

    name: str
    """Name of the variable in the texts."""
    kind: TemplateVariableKind
    """Kind of the variable's values."""
    required: bool
    """True if the template is not sent without a value."""
    default_value: str | None
    """Value where none is given; null for an empty text."""


@node("notification_template")
class NotificationTemplate(Entity):
    """Template of notifications that an organization wrote for itself, with typed variables.

    Its texts are Liquid: `{{ name }}`, `{% if %}`, `{% case %}`, `{% assign %}`, `{% for %}` of at most 100
    rounds, and simple filters. Shown to those with NOTIFY_ADMIN or NOTIFY_SENDER in the organization."""

    name: str
    """Name of the template, 1 to 100 characters, unique in the organization without regard to case."""
    remarks: str | None
    """Remarks for those who choose a template; null when there are none."""
    scenario: TemplateScenario
    """Scenario that the template is for."""
    title_template: str
    """Text that the title is made of, at most 500 characters."""
    message_template: str
    """Text that the message is made of, at most 8,000 characters."""
    default_channels: list[NotificationChannel]
    """Channels to send by, at most six; those of the priority when empty."""
    default_priority: PriorityLevel
    """Priority to send with, unless the sender takes another."""
    requires_ack: bool
    """True if people are asked to acknowledge what is sent."""
    variables: list[TemplateVariable]
    """Variables of the texts, at most 20."""
    created_by: User | None = dated(
        visible("created_by"),
        "That somebody is hidden from you meanwhile shows when the template is next told.",
    )
    """Person who wrote the template; null when hidden from you or gone."""
    archived_at: datetime | None
    """Time at which the template was taken out of use; null while it is in use."""


@type_
class TemplateQueries:
    """Templates of notifications."""

    notification_templates: Page[NotificationTemplate] = query(
        templates.notification_templates, roles=(NOTIFY_ADMIN, NOTIFY_SENDER)
    )
    """Templates of your organization that are in use, in the order of their names."""
    notification_template: NotificationTemplate | None = query(nodes.reader("notification_template"))
    """Template of your organization by its id, archived ones included; null when hidden from you."""


FIELDS: dict[str, Any] = {
    "name": "Name of the template, 1 to 100 characters, unique in the organization without regard to case.",
    "remarks": "Remarks for those who choose a template, at most 500 characters.",
    "scenario": "Scenario that the template is for.",
    "title_template": "Text that the title is made of, in Liquid, 1 to 500 characters.",
    "message_template": "Text that the message is made of, in Liquid, at most 8,000 characters.",
    "default_channels": "Channels to send by, at most six; those of the priority when empty.",
    "default_priority": "Priority to send with, unless the sender takes another.",
    "requires_ack": "True to ask people to acknowledge what is sent.",
    "variables": "Variables of the texts, at most 20; the texts have no others.",
}
REFUSED = "INVALID_FORMAT INVALID_TEMPLATE NAME_TAKEN REQUIRED TOO_LONG TOO_MANY UNKNOWN_VARIABLE"
SHOWN = "Template as it is now; on CONFLICT without your change."


@type_
class TemplateMutations:
    """Templates of notifications, written and archived."""

    create_notification_template = mutation(
        templates.create_notification_template,
        refuses=f"{REFUSED} LIMIT_REACHED",
        returns={
            "notification_template": (NotificationTemplate, "Template that was created; null when refused."),
            "notification_template_edge": Edge[NotificationTemplate],
        },
        roles=(NOTIFY_ADMIN,),
        **FIELDS,
    )
    """Create a template for the notifications of your organization, which has at most 1,000."""
    update_notification_template = mutation(
        templates.update_notification_template,
        refuses=f"{REFUSED.replace('REQUIRED ', '')} WRONG_STATUS",
        returns={"notification_template": (NotificationTemplate, SHOWN)},
        roles=(NOTIFY_ADMIN,),
        **FIELDS,
    )
    """Update a template of your organization; what was sent with it before stays as it was."""
    archive_notification_template = mutation(
        templates.archive_notification_template,
        returns={"notification_template": (NotificationTemplate, SHOWN)},
        roles=(NOTIFY_ADMIN,),
    )
    """Archive a template of your organization: it leaves the list for good, and frees its name."""
