"""Templates of an organization: who sees them, and how they are created, updated and archived."""

from collections.abc import Sequence
from typing import Any, TypedDict, Unpack

from core import grants, ids, nodes
from core.audit import Act, record
from core.context import Context
from core.errors import UserError, check_version
from core.ids import Id
from core.nodes import guard
from core.paging import PageArgs, Sort, any_of
from core.security.limits import Rate
from core.storage.loader import by_id
from resolvers.notification.template_fields import check_texts, checked_fields
from stores.notification import NotificationChannel, PriorityLevel, templates
from stores.notification.roles import NOTIFY_ADMIN, NOTIFY_SENDER
from stores.notification.templates import NotificationTemplate, TemplateScenario, TemplateVariableKind

TEMPLATE_RATE = Rate("notification-templates", 100, 3600)
MOST_TEMPLATES = 1_000
BY_NAME: Sort = (("name_key", 1), ("_id", 1))


class TemplateVariable(TypedDict):
    """Variable of a template, by its name in the text: `{{ name }}`."""

    name: str
    """Name of the variable: small letters, digits and `_`, at most 40 characters."""
    kind: TemplateVariableKind
    """Kind of the variable's values."""
    required: bool
    """True if the template is not sent without a value."""
    default_value: str | None
    """Value where none is given, of the variable's kind; null for an empty text."""


class NotificationTemplateFilter(TypedDict, total=False):
    """Filter of the list of templates."""

    scenarios: list[TemplateScenario] | None
    """Scenarios that the templates are for one of, at most 100."""


class TemplateChanges(TypedDict, total=False):
    name: str
    remarks: str | None
    scenario: TemplateScenario
    title_template: str
    message_template: str
    default_channels: list[NotificationChannel]
    default_priority: PriorityLevel
    requires_ack: bool
    variables: list[TemplateVariable]


class Changed(TypedDict):
    notification_template: NotificationTemplate


class Created(Changed):
    notification_template_edge: dict[str, Any]


@guard("notification_template", sync="NOTIFICATION_TEMPLATE", collection=templates.name, owner="created_by")
async def visible_templates(ctx: Context, wanted: Sequence[str]) -> list[NotificationTemplate | None]:
    """Templates of the viewer's organization, for those who send or administer there."""
    if not await grants.holds(ctx, NOTIFY_ADMIN, NOTIFY_SENDER):
        return [None for _ in wanted]
    found = await ctx.load_many(by_id(templates), wanted)
    return [each if each and each["org_id"] == ctx.org else None for each in found]


async def notification_templates(
    ctx: Context, *, filter: NotificationTemplateFilter | None = None, args: PageArgs
) -> dict[str, Any]:
    """Connection of the organization's templates that are not archived, by name."""
    scenarios = (filter or {}).get("scenarios")
    query = {**_of(ctx.org), **({"scenario": any_of(scenarios)} if scenarios else {})}
    return await templates.page(ctx.db, query, BY_NAME, args)


def _of(org_id: str) -> dict[str, Any]:
    return {"org_id": org_id, "archived_at": None}


async def create_notification_template(
    ctx: Context,
    *,
    id: Id | None = None,
    name: str,
    title_template: str,
    message_template: str,
    scenario: TemplateScenario = TemplateScenario.CUSTOM,
    remarks: str | None = None,
    default_channels: Sequence[NotificationChannel] = (),
    default_priority: PriorityLevel = PriorityLevel.MEDIUM,
    requires_ack: bool = False,
    variables: Sequence[TemplateVariable] = (),
) -> Created:
    await ctx.limit(TEMPLATE_RATE)
    await _check_room(ctx)
    given = {
        "name": name,
        "remarks": remarks,
        "scenario": scenario,
        "title_template": title_template,
        "message_template": message_template,
        "default_channels": list(default_channels),
        "default_priority": default_priority,
        "requires_ack": requires_ack,
        "variables": list(variables),
    }
    fields = checked_fields(given)
    check_texts(fields)
    await _take_name(ctx, fields["name_key"])
    owned = {"org_id": ctx.org, "created_by": ctx.viewer_id, "archived_at": None}
    made = await ctx.tx.insert(templates, {"_id": ids.minted(id, "notification_template"), **owned, **fields})
    await _record(ctx, "created", made)
    return {"notification_template": made, "notification_template_edge": edge(made)}


def edge(template: NotificationTemplate) -> dict[str, Any]:
    return templates.edge(_of(template["org_id"]), BY_NAME, template)


async def update_notification_template(
    ctx: Context,
    *,
    notification_template_id: Id,
    expected_version: int | None = None,
    **changes: Unpack[TemplateChanges],
) -> Changed:
    await ctx.limit(TEMPLATE_RATE)
    template = await nodes.for_update(ctx, templates, notification_template_id)
    check_version(expected_version, template["version"], notification_template=template)
    if template["archived_at"] is not None:
        raise UserError("WRONG_STATUS", "It is archived.", field=["notification_template_id"])
    fields = checked_fields(changes)
    check_texts({**template, **fields})
    if fields.get("name_key", template["name_key"]) != template["name_key"]:
        await _take_name(ctx, fields["name_key"])
    changed = await ctx.tx.edit(templates, template, fields, expected_version=expected_version)
    await _record(ctx, "updated", changed)
    return {"notification_template": changed}


async def archive_notification_template(
    ctx: Context, *, notification_template_id: Id, expected_version: int | None = None
) -> Changed:
    """Take a template out of use for good; its name is free again."""
    template = await nodes.for_update(ctx, templates, notification_template_id)
    check_version(expected_version, template["version"], notification_template=template)
    if template["archived_at"] is not None:
        return {"notification_template": template}
    fields = {"archived_at": ctx.tx.now, "name_key": template["_id"]}
    archived = await ctx.tx.edit(templates, template, fields, expected_version=expected_version)
    await _record(ctx, "archived", archived)
    return {"notification_template": archived}


async def _check_room(ctx: Context) -> None:
    """LIMIT_REACHED where the organization has as many templates as it may."""
    rows = await templates.find(ctx.db, _of(ctx.org), limit=MOST_TEMPLATES, fields=("_id",))
    if len(rows) >= MOST_TEMPLATES:
        raise UserError("LIMIT_REACHED", "At most {limit} templates.", limit=MOST_TEMPLATES)


async def _take_name(ctx: Context, name_key: str) -> None:
    """NAME_TAKEN where another template has the name; of two at once, the index lets one pass."""
    if await templates.first(ctx.db, {"org_id": ctx.org, "name_key": name_key}) is not None:
        raise UserError("NAME_TAKEN", "This name is taken.", field=["name"])


async def _record(ctx: Context, done: str, template: NotificationTemplate) -> None:
    act = Act(f"notification.template_{done}", resource_type="NOTIFICATION", resource_id=template["_id"])
    await record(ctx, act)
