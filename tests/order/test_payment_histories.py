"""Stateful property test (Hypothesis): however the gateway misbehaves, nobody is charged twice, its ledger
equals the payments, and every payment comes to an end."""

import asyncio
import os
import random
from collections.abc import Awaitable, Coroutine
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from core import ids
from core.errors import UserError
from core.ports import Retryable
from devstack.gateway import GatewayFault
from resolvers.order import capture, paying, refund, void
from stores.order import CaptureTime, Payment
from tests.order.conftest import Parcels
from tests.order.steps import Till

LONG = os.environ.get("LANDFALL_LONG") == "1"
HISTORIES = int(os.environ.get("LANDFALL_PAYMENT_HISTORIES", 150 if LONG else 25))
RULES = 30 if LONG else 20
LONGEST_RULE_SECONDS = 60.0
FAULTS = [None, GatewayFault.REFUSE, GatewayFault.LOSE, GatewayFault.DECLINE, GatewayFault.FORGET]
TOKENS = ["tok_visa", "tok_visa", "tok_3ds", "tok_declined", "tok_slow"]
AMOUNT = 10_000
OPEN_AT_THE_GATEWAY = {"requires_action", "processing", "requires_capture"}


class Died(BaseException):
    """A process is killed."""


class PaymentHistory(RuleBasedStateMachine):
    """One thing that is paid for, by somebody impatient, at a gateway that misbehaves."""

    till: ClassVar[Till]
    parcels: ClassVar[Parcels]
    loop: ClassVar[asyncio.AbstractEventLoop]
    ends: ClassVar[dict[str, int]]

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(LONGEST_RULE_SECONDS)

    async def _tolerant(self, work: Awaitable[Any]) -> None:
        """Work that may be refused, or find the gateway away."""
        try:
            await work
        except (UserError, Retryable):
            return

    @initialize(token=st.sampled_from(TOKENS), at_once=st.booleans(), fault=st.sampled_from(FAULTS))
    def begin(self, token: str, at_once: bool, fault: GatewayFault | None) -> None:
        self.owner = ids.new_id("user")
        self.thing = self.parcels.new(self.owner)
        self.keys = 1
        self.till.gateway.faults.clear()
        self.till.gateway.faults.plan([fault])
        self.pay(token=token, at_once=at_once, again=True)

    @property
    def payment(self) -> Payment:
        found: Payment = self.wait(self.till.payment(self.thing))
        return found

    @rule(token=st.sampled_from(TOKENS), at_once=st.booleans(), again=st.booleans())
    def pay(self, token: str, at_once: bool, again: bool) -> None:
        self.keys += not again
        self.wait(self._tolerant(self._pay(token, at_once)))

    def _pay(self, token: str, at_once: bool) -> Awaitable[Any]:
        when = CaptureTime.AT_ONCE if at_once else CaptureTime.LATER
        return self.till.pay(
            self.thing, self.owner, token, capture=when, key=f"key {self.keys}", amount=AMOUNT
        )

    @rule(token=st.sampled_from(TOKENS), at_once=st.booleans())
    def a_process_dies_after_the_gateway_has_charged(self, token: str, at_once: bool) -> None:
        self.keys += 1
        self.wait(self._dying(token, at_once))

    async def _dying(self, token: str, at_once: bool) -> None:
        async def die(*_: Any, **__: Any) -> Payment:
            raise Died

        whole, paying.settle = paying.settle, die
        try:
            await self._tolerant(self._pay(token, at_once))
        except Died:
            return
        finally:
            paying.settle = whole

    @rule(faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=4))
    def the_gateway_will_misbehave(self, faults: list[GatewayFault | None]) -> None:
        self.till.gateway.faults.plan(faults)

    @rule()
    def the_gateway_drops_its_keys(self) -> None:
        self.till.gateway.keys.clear()

    @rule()
    def it_is_captured(self) -> None:
        self.wait(self._tolerant(capture(self.till.ctx, self.payment)))

    @rule(meant=st.sampled_from([True, False, False, False]))
    def it_is_called_off(self, meant: bool) -> None:
        """Seldom: nothing comes after it."""
        if meant:
            self.wait(self._tolerant(void(self.till.ctx, self.payment)))

    @rule(amount=st.integers(1, AMOUNT), number=st.integers(1, 3))
    def it_is_given_back(self, amount: int, number: int) -> None:
        self.wait(self._tolerant(refund(self.till.ctx, self.payment, amount, f"refund {number}")))

    @rule(proved=st.booleans())
    def somebody_takes_the_step(self, proved: bool) -> None:
        for intent in self.intents:
            if intent["status"] == "requires_action":
                self.till.gateway.ledger.authenticate(intent["id"], proved=proved)

    @rule()
    def an_authorization_lapses(self) -> None:
        for intent in self.intents:
            if intent["status"] == "requires_capture":
                self.till.gateway.ledger.lapse(intent["id"])

    @rule(seed=st.integers(0, 9), doubled=st.booleans())
    def events_arrive(self, seed: int, doubled: bool) -> None:
        events = self.till.gateway.events
        events.shuffled, events.doubled = random.Random(seed), doubled
        self.wait(self.till.told())

    @rule()
    def events_are_lost(self) -> None:
        self.till.gateway.events.waiting.clear()

    @rule(seconds=st.sampled_from([1, 5, 20, 150, 700]))
    def time_passes(self, seconds: int) -> None:
        self.wait(self.till.later(seconds=seconds))

    @property
    def intents(self) -> list[dict[str, Any]]:
        """Charges for the thing."""
        found = self.till.gateway.ledger.of("payment_intent")
        return [each for each in found if each["metadata"]["subject"] == self.thing]

    def teardown(self) -> None:
        if not hasattr(self, "thing"):
            return
        self.till.gateway.faults.clear()
        self.till.gateway.events.waiting.clear()
        # In the week what nobody captured is, or is found to have lapsed.
        for hours in (0.04, 0.04, 0.2, 1.1, 6.1, 6.1, 24 * 7, 6.1):
            self.wait(self.till.later(hours=hours))
            for intent in self.intents:
                if intent["status"] == "processing":
                    self.till.gateway.ledger.settle(intent)
        self._check()

    def _check(self) -> None:
        payment = self.payment
        kept = {each["id"]: kept for each in self.intents if (kept := self._kept(each))}
        status = payment["status"]
        self.ends[status] = self.ends.get(status, 0) + 1
        assert status not in ("PENDING", "REQUIRES_ACTION", "AUTHORIZED"), status
        assert payment["wish"] is None
        assert [each for each in payment["refunds"] if each["status"] == "PENDING"] == []
        left = payment["captured_amount"] - payment["refunded_amount"]
        assert kept == ({payment["charge_ref"]: left} if left else {}), (status, kept)
        assert [each for each in self.intents if each["status"] in OPEN_AT_THE_GATEWAY] == []
        ours = {each["id"] for each in self.intents}
        refunds = [each for each in self.till.gateway.ledger.of("refund") if each["payment_intent"] in ours]
        names = [each["metadata"]["name"] for each in refunds if each["metadata"]["name"] != "released"]
        assert len(names) == len(set(names)), names

    def _kept(self, intent: dict[str, Any]) -> int:
        """Money that the gateway holds, or has taken and not given back."""
        signs = {"HOLD": 1, "TAKE": 0, "GIVE_UP": -1, "GIVE_BACK": -1}
        entries = [each for each in self.till.gateway.ledger.entries if each.intent == intent["id"]]
        return sum(signs[each.kind] * each.amount for each in entries)


async def test_nobody_is_charged_twice_and_every_payment_ends(till: Till, parcels: Parcels) -> None:
    history = PaymentHistory
    history.till, history.parcels, history.loop = till, parcels, asyncio.get_running_loop()
    history.ends = {}
    await asyncio.to_thread(
        run_state_machine_as_test,
        history,
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=RULES,
            deadline=None,
            database=None,
            # What a shared world has seen does not come again: a smaller history would not be the same one.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"payment histories ended: {history.ends}")
    assert sum(history.ends.values()) >= HISTORIES
