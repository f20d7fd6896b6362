"""Providers, circuit breakers and a Redis that may go: notifications share them with the service."""

from functools import partial
from typing import Any

import aiohttp
import pytest

from core import ids
from core.circuit_breaker import CALLS, CircuitBreaker
from core.context import Context, Services
from core.ports import CircuitOpen
from devstack.servers import EmbeddedRedis
from jobs.auth.alerts import alert
from providers.guarded import Guarded
from resolvers.auth import SentMessage, security
from resolvers.auth.sent import tell as tell_sent
from resolvers.notification import callbacks
from server import process
from stores import notification as store
from stores.auth import SecurityEventKind
from stores.notification import DeliveryFailureReason, DeliveryStatus, NotificationChannel
from tests.conftest import NewPhone
from tests.notification.steps import deliveries, profile, settle, stored, tell, unseen
from tests.notification.test_delivering import Broken, Taking
from tests.phone import Phone, make_user, sign_in_directly

EMAIL = NotificationChannel.EMAIL


async def alarmed(services: Services, phone: Phone) -> str:
    """A security event of a person, of which an alert is to be sent."""
    ctx = Context(services, address="127.0.0.1")
    kind = SecurityEventKind.PASSWORD_CHANGED
    event: Any = await ctx.unit(partial(security.record, ctx, phone.user_id, kind))
    return str(event["_id"])


async def test_security_alerts_share_the_provider_and_its_circuit_breaker(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    down = Broken()
    breaker = CircuitBreaker("test-mail")
    monkeypatch.setattr(services, "mailer", Guarded(down, down.send, services.limits, None, breaker))
    for _ in range(CALLS):
        await tell(services, ada, channels=[EMAIL])
    asked = len(down.tried)
    assert asked == CALLS
    # The same breaker keeps the alert from a provider that is known to be down; its job comes again.
    with pytest.raises(CircuitOpen):
        await alert(services, event_id=await alarmed(services, ada))
    assert len(down.tried) == asked


async def test_security_alerts_need_no_consent(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    await ada.do("setChannelConsent", "recipient { id }", channel="EMAIL", status="REVOKED")
    taking = Taking()
    monkeypatch.setattr(services, "mailer", taking)
    await alert(services, event_id=await alarmed(services, ada))
    assert [mail["subject"] for mail in taking.mails] == ["Password changed"]


async def test_security_alerts_have_delivery_records_that_events_of_providers_move(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    monkeypatch.setattr(services, "mailer", Taking(ref=f"alert-{ada.user_id}"))
    event_id = await alarmed(services, ada)
    for _ in range(2):
        await alert(services, event_id=event_id)
    [row] = await stored(services, store.deliveries, user_id=ada.user_id)
    assert (row["notification_id"], row["channel"], row["status"]) == (event_id, "EMAIL", "SENT")
    for status, reached in ((DeliveryStatus.DELIVERED, "DELIVERED"), (DeliveryStatus.FAILED, "DELIVERED")):
        told = callbacks.event(f"alert-{ada.user_id}", status=status)
        await callbacks.apply_event(services, event=told)
        assert await deliveries(services, ada) == [("EMAIL", reached, None)]
    assert await unseen(ada) == 0


async def test_what_becomes_of_a_code_by_text_is_known_of_the_number(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    ref = f"code-{ada.user_id}"
    message = SentMessage(ids.new_id("flow"), ada.user_id, "SMS", 1, ref)
    await tell_sent(services, message)
    landline = callbacks.event(
        ref, status=DeliveryStatus.FAILED, failure_reason=DeliveryFailureReason.LANDLINE
    )
    await callbacks.apply_event(services, event=landline)
    assert await deliveries(services, ada) == [("SMS", "FAILED", "LANDLINE")]
    assert (await profile(ada))["landline"] is True


async def test_failure_redis_lost_statistics_rebuilt_from_mongodb_jobs_are_there_anyway(
    frail: Services,
    redis_server: EmbeddedRedis,
    http: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Jobs of other tests go first.
    await settle(frail)
    taking = Taking()
    monkeypatch.setattr(frail, "mailer", taking)
    async with process.listening(frail) as port:
        phone = Phone(http, f"http://127.0.0.1:{port}/graphql")
        ada = await sign_in_directly(frail, phone, await make_user(frail, "Ada"))
        await tell(frail, ada, channels=[EMAIL], run=False)
        redis_server.kill()
        await settle(frail)
        redis_server.start()
        assert [mail["subject"] for mail in taking.mails] == ["News"]
        assert await unseen(ada) == 1
        assert await deliveries(frail, ada) == [("EMAIL", "SENT", None)]
