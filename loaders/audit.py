"""Audit log: entries by id, their states and places in the chains, and a person's access to incidents."""

from core import clock
from core.storage.loader import Loader, by_id
from stores import audit as store
from stores.audit import AuditAccessGrant, AuditEntryState, AuditLink, CustodyRecord

EntryById = by_id(store.entries)
AccessGrantById = by_id(store.access_grants)
EvidenceById = by_id(store.evidence)
HoldById = by_id(store.holds)
AuditExportById = by_id(store.audit_exports)


class StateByEntry(Loader[tuple[str, str], AuditEntryState | None]):
    """State of an entry, by its chain and id."""

    async def batch_load_fn(self, keys: list[tuple[str, str]]) -> list[AuditEntryState | None]:
        found = await store.states_of_entries(self.db, keys)
        return [found.get(key) for key in keys]


class LinkByEntry(Loader[tuple[str, str], AuditLink | None]):
    """Place of an entry in its chain, by the chain and the entry's id; None until it has one."""

    async def batch_load_fn(self, keys: list[tuple[str, str]]) -> list[AuditLink | None]:
        found = await store.links_of_entries(self.db, keys)
        return [found.get(key) for key in keys]


class CustodyByEvidence(Loader[str, list[CustodyRecord]]):
    """Chain of custody of evidence, in its order."""

    async def batch_load_fn(self, keys: list[str]) -> list[list[CustodyRecord]]:
        found = await store.custody.per_parent(
            self.db, "evidence_id", keys, sort=[("_id", 1)], limit=store.MOST_CUSTODY
        )
        return [found.get(key, []) for key in keys]


class GrantsByGrantee(Loader[str, list[AuditAccessGrant]]):
    """Grants of a person that are neither over nor revoked: all of them, at most 100 of each organization.

    A smaller limit would let one organization hide what others granted.
    """

    async def batch_load_fn(self, keys: list[str]) -> list[list[AuditAccessGrant]]:
        given = {"grantee_id": {"$in": keys}, **store.in_force(clock.now())}
        found: dict[str, list[AuditAccessGrant]] = {key: [] for key in keys}
        for grant in await store.access_grants.find(self.db, given):
            found[grant["grantee_id"]].append(grant)
        return [found[key] for key in keys]
