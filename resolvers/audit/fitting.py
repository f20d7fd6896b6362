"""Fitting of entries that were changed past the service into what no answer has room for.

Such a value would take the page away from whoever audits the log. In its place stands another one, and the
version of the hash, so that the entry has its hash no more: it is shown as BROKEN, and alerted.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any, cast

from core.audit import AuditOutcome
from stores.audit import AuditActorKind, AuditEntry, AuditEventKind, AuditResourceKind

NO_VERSION = 0
EPOCH = datetime.fromtimestamp(0, UTC)

Fit = Callable[[Any], bool]


def _one_of(kind: type[Enum]) -> Fit:
    values = {each.value for each in kind}
    return lambda value: isinstance(value, str) and value in values


def _a(*kinds: type) -> Fit:
    return lambda value: isinstance(value, kinds)


MAYBE_TEXT: tuple[Fit, Any] = (_a(str, type(None)), None)
FIELDS: Mapping[str, tuple[Fit, Any]] = {
    **dict.fromkeys(("org_id", "chain_id", "action", "actor_role", "ip_masked"), (_a(str), "")),
    **dict.fromkeys(
        ("actor_id", "device_id", "request_id", "incident_id", "resource_id", "subject_id", "access_reason"),
        MAYBE_TEXT,
    ),
    **dict.fromkeys(("actor_name", "user_agent", "location", "sensitive_details"), MAYBE_TEXT),
    "timestamp": (_a(datetime), EPOCH),
    "occurred_at": (_a(datetime, type(None)), None),
    "clock_skewed": (_a(bool), False),
    "event_type": (_one_of(AuditEventKind), AuditEventKind.SYSTEM_EVENT),
    "actor_type": (_one_of(AuditActorKind), AuditActorKind.SYSTEM),
    "resource_type": (lambda value: value is None or _one_of(AuditResourceKind)(value), None),
    "outcome": (_one_of(AuditOutcome), AuditOutcome.FAILED),
    "details": (_a(dict), {}),
    "metadata": (_a(dict, type(None)), None),
    "hash_version": (_a(int), NO_VERSION),
}
"""By field, whether a value can be shown, and what stands in its place otherwise."""


def fitted(entries: Sequence[AuditEntry]) -> list[AuditEntry]:
    """Entries as they can be shown."""
    return [_fitted(entry) for entry in entries]


def _fitted(entry: AuditEntry) -> AuditEntry:
    if all(name in entry and fits(entry[name]) for name, (fits, _) in FIELDS.items()):  # type: ignore[literal-required]
        return entry
    given = {name: entry.get(name) for name in FIELDS}
    unfit = {name: other for name, (fits, other) in FIELDS.items() if not fits(given[name])}
    version = {"hash_version": NO_VERSION} if unfit else {}
    return cast("AuditEntry", {**entry, **given, **unfit, **version})
