"""The stream of alerts: it resumes without loss, tells of anomalies too, and ends with the role."""

from datetime import timedelta

import pytest

from core import clock, jobs
from core.context import PERSONAL, Context, Services
from resolvers.audit.anomalies import AuditAnomaly, raise_anomaly
from resolvers.audit.concluding import begun, finish
from resolvers.audit.findings import Damage, Findings
from resolvers.auth import grants_held
from resolvers.auth.grants_held import GrantsHeld
from resolvers.notification import audit_alerts
from stores.audit import AuditAnomalyKind, IntegrityCheckKind, IntegrityProblem
from stores.audit.roles import AUDIT_ADMIN
from stores.auth import Role
from stores.auth import grants as all_grants
from tests.audit import logs
from tests.audit.tampering import Log, flipped
from tests.audit.test_checking import ALERTS, INBOX, checked_hourly
from tests.conftest import NewPhone
from tests.phone import Phone, granted


@pytest.fixture
async def log(services: Services) -> Log:
    return Log(services, *await logs.sealed_log(services))


@pytest.fixture
async def admin(log: Log, new_phone: NewPhone) -> Phone:
    phone = await new_phone("Grace", org=log.org_id)
    await granted(log.services, phone, AUDIT_ADMIN, scope_id=log.org_id)
    return phone


async def test_alerts_resume_without_loss(log: Log, admin: Phone) -> None:
    await flipped(log)
    async with admin.watch(ALERTS) as stream:
        await checked_hourly(log)
        first = (await stream.next())["auditAlerts"]
    await log.verify()
    async with admin.watch(ALERTS, after=first["eventId"]) as stream:
        second = (await stream.next())["auditAlerts"]
        assert second["integrityCheck"]["id"] != first["integrityCheck"]["id"]
        assert (second["chainId"], second["firstBadSeq"]) == (log.chain_id, 1)


async def test_damage_of_the_log_of_people_without_an_organization_is_told_to_administrators_of_the_service(
    services: Services, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Other tests left many of them.
    monkeypatch.setattr(audit_alerts, "MOST_PEOPLE", 1)
    operator = await new_phone("Ada", roles=[Role.MEMBER, Role.ADMIN])
    auditor = await new_phone("Grace", roles=[Role.MEMBER, Role.AUDITOR])
    found = Findings()
    for seq in (1, 2):
        found.add(Damage(IntegrityProblem.CHANGED, "org:personal:0", seq))
    await finish(services, begun(PERSONAL, IntegrityCheckKind.NEW), found)
    await jobs.run_due(services)
    [edge] = (await operator.run(INBOX))["viewer"]["inbox"]["edges"]
    assert edge["node"]["notification"] == {
        "title": "The audit log is damaged",
        "source": "AUDIT",
        "priority": "CRITICAL",
    }
    assert (await auditor.run(INBOX))["viewer"]["inbox"]["edges"] == []


async def test_damage_of_an_organizations_log_is_not_told_to_administrators_of_the_service(
    log: Log, admin: Phone, new_phone: NewPhone
) -> None:
    operator = await new_phone("Ada", roles=[Role.MEMBER, Role.ADMIN])
    await flipped(log)
    await checked_hourly(log)
    await jobs.run_due(log.services)
    assert len((await admin.run(INBOX))["viewer"]["inbox"]["edges"]) == 1
    assert (await operator.run(INBOX))["viewer"]["inbox"]["edges"] == []


async def test_an_anomaly_is_alerted_and_told_to_administrators(log: Log, admin: Phone) -> None:
    ctx, now = Context(log.services), clock.now().replace(microsecond=0)
    anomaly = AuditAnomaly(
        AuditAnomalyKind.BULK_READ, log.org_id, "user_x", 5_000, now - timedelta(minutes=5), now
    )
    async with admin.watch(ALERTS) as stream:
        await ctx.unit(lambda: raise_anomaly(ctx, anomaly))
        told = (await stream.next())["auditAlerts"]
    assert (told["__typename"], told["anomaly"]["kind"], told["anomaly"]["actorId"]) == (
        "AuditAnomalyDetected",
        "BULK_READ",
        "user_x",
    )
    assert told["anomaly"]["actCount"] == 5_000
    await jobs.run_due(log.services)
    [edge] = (await admin.run(INBOX))["viewer"]["inbox"]["edges"]
    assert edge["node"]["notification"]["priority"] == "HIGH"


async def test_grant_expires_while_subscribed_stream_closed_forbidden(log: Log, new_phone: NewPhone) -> None:
    """Row: Grant expires while subscribed."""
    ada = await new_phone("Ada", org=log.org_id)
    soon = clock.now() + timedelta(seconds=0.5)
    await granted(log.services, ada, AUDIT_ADMIN, scope_id=log.org_id, expires_at=soon)
    async with ada.watch(ALERTS) as stream:
        with pytest.raises(AssertionError, match="FORBIDDEN"):
            await stream.next()


async def test_a_role_that_is_taken_ends_the_stream_forbidden(
    log: Log, admin: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in a process that learns of it after the stream does.
    monkeypatch.setattr(GrantsHeld, "forget", lambda self, user_id: None)
    ctx = Context(log.services)
    [grant] = await all_grants.find(ctx.db, {"user_id": admin.user_id})

    async def take() -> None:
        await ctx.tx.delete(all_grants, grant)
        grants_held.tell(ctx, admin.user_id)

    async with admin.watch(ALERTS) as stream:
        await ctx.unit(take)
        with pytest.raises(AssertionError, match="FORBIDDEN"):
            await stream.next()
