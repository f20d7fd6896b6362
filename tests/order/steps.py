"""Steps of the tests of payments: a gateway that pretends, things to pay for, and what became of it all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from aiohttp import ClientSession

from core import clock, ids, jobs
from core.callbacks import Webhooks
from core.context import Context, Services
from core.errors import UserError
from core.jobs.enqueueing import queue
from devstack import carrier
from devstack.gateway import KEY, SECRET, Gateway
from ports.order import PaymentGateway, Source
from providers.carrier_webhook import CarrierWebhook
from providers.stripe_gateway import StripeGateway
from providers.stripe_webhook import StripeWebhook
from resolvers.order import Paid, pay
from stores import order as store
from stores.order import CaptureTime, Payment
from tests.phone import key

RETURN = "https://app.example.com/paid"
PAYMENT = """id version status failureCode attemptCount authorizedUntil paidWith { kind cardBrand last4 }
  amount { amount currencyCode } capturedAmount { amount } refundedAmount { amount }
  disputedAmount { amount }"""
ACTION = "nextAction { kind url clientSecret }"


@dataclass
class Till:
    """Till of the tests: their services, and the gateway behind them."""

    services: Services
    gateway: Gateway

    @property
    def ctx(self) -> Context:
        """A context of one's own."""
        return Context(self.services)

    async def pay(self, subject_id: str, owner_id: str, token: str = "tok_visa", **changes: Any) -> Paid:
        given: dict[str, Any] = {
            "amount": 10_000,
            "currency": "EUR",
            "capture": CaptureTime.LATER,
            "key": key(),
        }
        source = changes.pop("source", {"token": token})
        given |= changes
        return await pay(self.ctx, subject_id=subject_id, owner_id=owner_id, source=source, **given)

    async def gateway_charge(self, subject_id: str) -> None:
        """A charge that somebody else makes with the same account."""
        port = self.services.get(PaymentGateway)  # type: ignore[type-abstract]
        given = {"amount": 500, "currency": "EUR", "part": "", "attempt": 1, "capture": False, "key": key()}
        await port.authorize(Source("tok_visa"), subject_id=subject_id, **given)  # type: ignore[arg-type]

    async def payment(self, subject_id: str, part: str = "") -> Payment:
        found = await store.payments.by_id(self.services.db, store.payment_id(subject_id, part))
        assert found is not None
        return found

    async def settle(self) -> None:
        """Run all jobs that are due."""
        while await jobs.run_due(self.services):
            continue

    async def tried_in_vain(self) -> None:
        """Let the time of all tries of an attempt pass."""
        for wait in (1, 4, 15):
            await self.later(seconds=wait)

    async def later(self, **time: float) -> None:
        """Let time pass, and jobs be run that become due."""
        clock.shift(timedelta(**time))
        await self.settle()

    async def told(self) -> None:
        """Let the gateway deliver its events, and have them worked on."""
        await self.gateway.deliver()
        await self.settle()

    @property
    def money(self) -> list[tuple[str, int]]:
        """Movements of money at the gateway."""
        return [(each.kind, each.amount) for each in self.gateway.ledger.entries]


@asynccontextmanager
async def till(services: Services, http: ClientSession, address: str) -> AsyncIterator[Till]:
    """The services with a gateway that pretends behind the payment port."""
    extra = services.extra
    before = {kind: extra[kind] for kind in (PaymentGateway, Webhooks)}
    async with Gateway(hook=f"{address}/hooks/stripe").running() as gateway:
        hooks = {**before[Webhooks].by_provider, "stripe": StripeWebhook([SECRET])}
        hooks["carrier"] = CarrierWebhook(carrier.SECRET)
        extra[PaymentGateway] = cast(PaymentGateway, StripeGateway(http, KEY, gateway.url, RETURN))
        extra[Webhooks] = Webhooks(hooks)
        try:
            yield Till(services, gateway)
        finally:
            extra |= before
            await queue.delete_all(services.db, {"task": {"$regex": "^order[.]"}})


def subject() -> str:
    """Id of a thing to pay for."""
    return ids.new_id("parcel")


async def refused(work: Any) -> tuple[str, Any]:
    """Code of the refusal that some work ends with, and its payment."""
    try:
        await work
    except UserError as refusal:
        return refusal.code, refusal.entities.get("payment")
    raise AssertionError("Nothing was refused.")
