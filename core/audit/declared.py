"""Audit declaration: what of a mutation is put on record without a word in its resolver."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.audit.acts import Act, AuditOutcome

LONGEST_ID = 100
"""Letters of an id that are kept of a request that was denied: nobody has checked them."""


@dataclass(frozen=True, slots=True)
class Audited:
    """Audit declaration of a mutation: its act is OK when it changed something, DENIED when it is refused
    with one of the codes of `denials`, FAILED when it met a bug.

    `resource` and `subject` name the inputs with the id of what it is done to, and of the person it is about.
    `inputs` are on record as they were given, `sensitive` ones encrypted. `fields` are those of the resource
    whose values before and after an edit are on record. A resolver that records an act of this name itself
    says more than is declared: that one stands.
    """

    action: str
    event_type: str = "USER_ACTION"
    resource_type: str = "OTHER"
    resource: str | None = None
    subject: str | None = None
    inputs: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    denials: tuple[str, ...] = ("FORBIDDEN",)

    def done(self, arguments: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> Act:
        """Act of a mutation that was done, with its resource as it was and as it became."""
        changed = [name for name in self.fields if before.get(name) != after.get(name)]
        states = {"before": before, "after": after}
        details = {name: arguments.get(name) for name in self.inputs}
        if changed:
            details |= {each: {name: row.get(name) for name in changed} for each, row in states.items()}
        return Act(
            self.action,
            self.event_type,
            self.resource_type,
            resource_id=self.resource_id(arguments),
            subject_id=self.subject and arguments.get(self.subject),
            details=details,
            sensitive={name: value for name in self.sensitive if (value := arguments.get(name))},
        )

    def undone(self, arguments: Mapping[str, Any], outcome: AuditOutcome, entry_key: str) -> Act:
        """Act of a mutation that came to nothing: what it was given may be anything, and is not kept."""
        id = self.resource_id(arguments)
        return Act(
            self.action,
            "ACCESS_DENIED" if outcome is AuditOutcome.DENIED else self.event_type,
            self.resource_type,
            resource_id=id and id[:LONGEST_ID],
            outcome=outcome,
            entry_key=entry_key,
        )

    def resource_id(self, arguments: Mapping[str, Any]) -> str | None:
        id = self.resource and arguments.get(self.resource)
        return id if isinstance(id, str) else None
