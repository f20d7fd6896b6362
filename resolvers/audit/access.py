"""Access to the audit log: who reads which entries, and whose personal values, is decided here alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from core import clock, grants, paging
from core.context import Context
from core.hooks import Hook
from core.nodes import guard
from loaders.audit import EntryById, GrantsByGrantee
from resolvers.audit import roles, showing
from resolvers.audit.fitting import fitted
from stores.audit import AuditAccessGrant, AuditEntry

reads_incident = Hook[[Context, str], bool]("audit.reads_incident")
"""Asked whether the viewer reads the log of an incident: those of its war room who may see it do."""
Incident = tuple[str, str]
"""Organization and id of an incident."""
ABOUT_SUBJECT = frozenset({"sensitive_details"})
"""Encrypted fields that are about the subject; the others are about the actor."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Part of the log that the viewer may read: own entries, granted incidents, an organization's log."""

    viewer_id: str
    org_id: str | None
    """The organization whose whole log the viewer reads."""
    personal_org_id: str | None
    """The organization of whose entries, as far as the viewer reads them, personal values are included."""
    incidents: Mapping[Incident, bool]
    """Incidents that the viewer was given access to, each with whether personal values are included."""

    def is_own(self, entry: AuditEntry) -> bool:
        return self.viewer_id in (entry["actor_id"], entry["subject_id"])

    def includes(self, entry: AuditEntry) -> bool:
        return self.is_own(entry) or entry["org_id"] == self.org_id or incident_of(entry) in self.incidents

    def shows(self, entry: AuditEntry, field: str) -> bool:
        """True if the viewer may read an encrypted field: about themselves, by a role, or by a grant."""
        if person_of(entry, field) == self.viewer_id or entry["org_id"] == self.personal_org_id:
            return True
        return self.incidents.get(incident_of(entry), False)

    def is_within(self, other: "Reach") -> bool:
        """True if whatever this shows, personal values included, the other one shows as well."""
        return (
            self.org_id in (None, other.org_id)
            and self.personal_org_id in (None, other.personal_org_id)
            and all(other.incidents.get(each, -1) >= pii for each, pii in self.incidents.items())
        )

    def stored(self) -> dict[str, Any]:
        """Part of the log that this shows beside own entries, personal values apart."""
        return {"org_id": self.org_id, "incidents": sorted(list(each) for each in self.incidents)}

    def covers(self, stored: Mapping[str, Any]) -> bool:
        """True if this shows all that a stored reach did."""
        incidents = {tuple(each) for each in stored["incidents"]}
        return stored["org_id"] in (None, self.org_id) and incidents <= self.incidents.keys()

    def queries(self, conditions: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Queries that together find what the viewer may read and the conditions hold for."""
        if self.org_id is not None:
            return [{"org_id": self.org_id, **conditions}]
        own: list[dict[str, Any]] = [{"actor_id": self.viewer_id}, {"subject_id": self.viewer_id}]
        granted: dict[str, list[str]] = {}
        for org_id, incident_id in sorted(self.incidents):
            granted.setdefault(org_id, []).append(incident_id)
        own += [{"incident_id": {"$in": ids}, "org_id": org_id} for org_id, ids in granted.items()]
        narrowed = [_narrowed(reached, conditions) for reached in own]
        return [query for query in narrowed if query is not None]


def _narrowed(reached: Mapping[str, Any], conditions: Mapping[str, Any]) -> dict[str, Any] | None:
    """Query of what is reached and the conditions hold for; None where they name something else."""
    query = {**conditions, **reached}
    for field in reached.keys() & conditions.keys():
        common = [value for value in _values(reached[field]) if value in _values(conditions[field])]
        if not common:
            return None
        query[field] = paging.any_of(common)
    return query


def _values(condition: Any) -> Sequence[Any]:
    return condition["$in"] if isinstance(condition, Mapping) else [condition]


def incident_of(entry: AuditEntry) -> Incident:
    return entry["org_id"], entry["incident_id"] or ""


def person_of(entry: AuditEntry, field: str) -> str | None:
    """Person whom an encrypted field is about, with whose key it is encrypted."""
    about = entry["subject_id"] if field in ABOUT_SUBJECT else None
    return about or entry["actor_id"]


async def granted_access(ctx: Context) -> list[AuditAccessGrant]:
    """Access to incidents of organizations that the viewer was granted, and may use now."""
    found = await ctx.load(GrantsByGrantee, ctx.viewer_id)
    return found if found and await roles.reads_granted_incidents(ctx) else []


async def reach_of(ctx: Context) -> Reach:
    """Reach of the viewer in the log; UNAUTHENTICATED for nobody."""
    viewer = ctx.signed_in
    incidents: dict[Incident, bool] = {}
    for grant in await granted_access(ctx):
        for incident_id in grant["incident_ids"]:
            incident = grant["org_id"], incident_id
            incidents[incident] = incidents.get(incident, False) or grant["pii"]
    return Reach(
        viewer.user_id,
        viewer.org if await roles.reads_log(ctx) else None,
        viewer.org if await roles.reads_personal_values(ctx) else None,
        incidents,
    )


async def organizations_reading(ctx: Context, incident_id: str) -> set[str]:
    """Organizations whose entries of an incident the viewer reads as a whole."""
    reach = await reach_of(ctx)
    found = {org_id for org_id, granted_id in reach.incidents if granted_id == incident_id}
    if reach.org_id is not None or any(await reads_incident(ctx, incident_id)):
        found.add(ctx.org)
    return found


async def next_end(ctx: Context) -> float:
    """Moment at which the viewer's access to the log may next end by itself, in seconds since the epoch."""
    held = [await grants.held_until(ctx, role) for role in roles.GRANTED]
    granted = [grant["expires_at"].timestamp() for grant in await granted_access(ctx)]
    return min([moment for moment in (*held, *granted) if moment > clock.timestamp()], default=inf)


@guard("audit_entry")
async def visible_entries(ctx: Context, wanted: Sequence[str]) -> list[AuditEntry | None]:
    """Access guard of entries: one's own, of granted incidents, and an organization's for its auditors."""
    if ctx.viewer is None:
        return [None for _ in wanted]
    loaded = await ctx.load_many(EntryById, wanted)
    found = [fitted([each])[0] if each else None for each in loaded]
    reach = await reach_of(ctx)
    # Of incidents that one reads without a grant, the entries of one's own organization alone.
    hidden = [each for each in found if each and not reach.includes(each) and each["org_id"] == ctx.org]
    incidents = {each["incident_id"] for each in hidden if each["incident_id"] is not None}
    read = {(ctx.org, each) for each in incidents if any(await reads_incident(ctx, each))}
    shown = [each if each and (reach.includes(each) or incident_of(each) in read) else None for each in found]
    await showing.check(ctx, [each for each in shown if each is not None])
    return shown
