"""Planted faults of access to the audit log."""

from tests.mutation.fault import Fault

ACCESS = "resolvers/audit/access.py"
GRANTING = "resolvers/audit/granting.py"
EXTERNAL = ("tests/audit/test_external_auditors.py",)
HOLDS = ("tests/audit/test_legal_holds.py",)
SEARCH = ("tests/audit/test_search.py",)
STREAMS = ("tests/audit/test_streams.py",)
ANOMALIES = ("tests/audit/test_anomalies.py",)
PERSONAL_VALUES = ("tests/audit/test_personal_values.py",)

FAULTS = [
    Fault(
        "who is erased while a hold is placed on their incident loses what is held",
        "resolvers/audit/holding.py",
        "    await store.claim_holds(ctx.db, [org_id for org_id, _ in incidents])\n",
        "",
        ("tests/audit/test_legal_holds.py",),
    ),
    Fault(
        "who was only given access can be put under a hold",
        "stores/audit/reading.py",
        '{"subject_id": user_id, **access}',
        '{"subject_id": user_id}',
        ("tests/audit/test_legal_holds.py",),
    ),
    Fault(
        "grants of other organizations use up an organization's own",
        "resolvers/audit/granting.py",
        'held = {"grantee_id": user_id, "org_id": ctx.org, **store',
        'held = {"grantee_id": user_id, **store',
        ("tests/audit/test_external_auditors.py",),
    ),
    Fault(
        "readers of personal values read those of other organizations",
        ACCESS,
        'or entry["org_id"] == self.personal_org_id:',
        "or self.personal_org_id is not None:",
        PERSONAL_VALUES,
    ),
    Fault(
        "whoever reads the log reads what is personal in it",
        "resolvers/audit/roles.py",
        "return await grants.holds(ctx, AUDIT_PII_READER)",
        "return await reads_log(ctx)",
        PERSONAL_VALUES,
    ),
    Fault(
        "a compliance officer does not read the log",
        "resolvers/audit/roles.py",
        "grants.holds(ctx, AUDIT_READER, COMPLIANCE_OFFICER)",
        "grants.holds(ctx, AUDIT_READER)",
        PERSONAL_VALUES,
    ),
    Fault(
        "access that was revoked goes on",
        "stores/audit/access.py",
        '{"revoked_at": None, "expires_at": {"$gt": moment}}',
        '{"expires_at": {"$gt": moment}}',
        EXTERNAL,
    ),
    Fault(
        "access that has expired goes on",
        "stores/audit/access.py",
        '{"revoked_at": None, "expires_at": {"$gt": moment}}',
        '{"revoked_at": None}',
        EXTERNAL,
    ),
    Fault(
        "access is granted for longer than 90 days",
        GRANTING,
        "if expires_at > ctx.tx.now + LONGEST_EXTERNAL:",
        "if expires_at > ctx.tx.now + 2 * LONGEST_EXTERNAL:",
        EXTERNAL,
    ),
    Fault(
        "an administrator revokes what another organization granted",
        GRANTING,
        'if grant["org_id"] != ctx.org:',
        "if False:",
        EXTERNAL,
    ),
    Fault(
        "access to another organization's incident is granted",
        "stores/audit/reading.py",
        'where={"org_id": org_id},',
        "where={},",
        EXTERNAL,
    ),
    Fault(
        "a grant counts without the role of external auditors",
        ACCESS,
        "return found if found and await roles.reads_granted_incidents(ctx) else []",
        "return found",
        EXTERNAL,
    ),
    Fault(
        "an account under legal hold can be deleted",
        "resolvers/auth/leaving.py",
        'raise UserError("LEGAL_HOLD", "Your data must be kept for now: they are under a legal hold.")',
        "pass",
        HOLDS,
    ),
    Fault(
        "a deletion that is due does not ask for legal holds",
        "resolvers/auth/leaving.py",
        'await _postpone(ctx, user["_id"])\n        return False',
        "pass",
        HOLDS,
    ),
    Fault(
        "the key of a person is destroyed under legal hold",
        "jobs/audit/personal.py",
        "        raise Held\n",
        "        pass\n",
        HOLDS,
    ),
    Fault(
        "a hold on an incident does not keep the people in it",
        "stores/audit/holds.py",
        "return bool(await _held_incidents(db, incidents))",
        "return False",
        HOLDS,
    ),
    Fault(
        "a hold on an incident keeps those of other organizations",
        "stores/audit/holds.py",
        'return {(row["org_id"], row["incident_id"] or "") for row in rows} & wanted',
        "return wanted if rows else set()",
        HOLDS,
    ),
    Fault(
        "a hold that was released holds on",
        "stores/audit/holds.py",
        'ACTIVE_HOLD: dict[str, Any] = {"released_at": None}',
        "ACTIVE_HOLD: dict[str, Any] = {}",
        HOLDS,
    ),
    Fault(
        "one word of a search is enough",
        "resolvers/audit/filtering.py",
        'found["terms"] = {"$all": terms_in(text)}',
        'found["terms"] = {"$in": terms_in(text)}',
        SEARCH,
    ),
    Fault(
        "fragments of what was found are not escaped",
        "resolvers/audit/clear_texts.py",
        "parts += [escape(text[at:first], quote=False)",
        "parts += [text[at:first]",
        SEARCH,
    ),
    Fault(
        "what was searched for is on record in clear",
        "resolvers/audit/reading.py",
        "sensitive={name: value for name, value in typed.items() if value is not None},",
        "reason=text,",
        SEARCH,
    ),
    Fault(
        "a stream goes on after access has expired",
        "subscriptions/audit/access.py",
        "return None if self._until == inf else max(self._until - clock.timestamp(), 0.0)",
        "return None",
        STREAMS,
    ),
    Fault(
        "a stream does not look at a change of access",
        "subscriptions/audit/access.py",
        'if entry["type"] == NOTE:',
        "if False:",
        STREAMS,
    ),
    Fault(
        "an incident of another organization is watched",
        "stores/audit/entries.py",
        'return f"audit_incident:{org_id}:{incident_id}"',
        'return f"audit_incident:{incident_id}"',
        STREAMS,
    ),
    Fault(
        "a long query goes on for who may read it no more",
        "subscriptions/audit/log.py",
        "if not reach.is_within(await reach_of(ctx)):",
        "if False:",
        STREAMS,
    ),
    Fault(
        "a long query begins anew when it is resumed",
        "subscriptions/audit/log.py",
        "page = KeysetPage(BATCH, position=(position.at, position.id) if position else None)",
        "page = KeysetPage(BATCH)",
        STREAMS,
    ),
    Fault(
        "an anomaly is alerted in each round",
        "resolvers/audit/detecting.py",
        'if await store.entry_keys.by_id(ctx.db, f"audit:{key}") is not None:',
        "if False:",
        ANOMALIES,
    ),
    Fault(
        "working hours are those of the server",
        "resolvers/audit/detecting.py",
        'places.get(entry["actor_id"] or "", "UTC")',
        '"UTC"',
        ANOMALIES,
    ),
    Fault(
        "reads are counted for ever",
        "resolvers/audit/detecting.py",
        "READS, since, settings.audit_bulk_reads",
        "READS, now - 100 * WINDOW, settings.audit_bulk_reads",
        ANOMALIES,
    ),
]
