"""Stateful property test (Hypothesis) over cart, order and gateway: stock adds up, nobody is charged twice
for an order, and every order comes to an end, however the gateway misbehaves and whatever dies."""

import asyncio
import os
import random
from collections.abc import Awaitable, Coroutine
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from core import ids
from core.context import Context, Services, Viewer
from core.errors import UserError
from core.ports import Retryable
from devstack.gateway import GatewayFault
from jobs import catalog as stock_jobs
from resolvers.cart import quote_token
from resolvers.cart.adding import add_cart_line
from resolvers.cart.validating import validate_cart
from resolvers.order import paying
from resolvers.order.cancelling import cancel_order
from resolvers.order.charging import retry_payment
from resolvers.order.placing import place_order
from stores import order as store
from stores.order import CancelReason, Order, OrderStatus, Payment
from tests.cart.steps import set_stock, variants
from tests.order.placing import level
from tests.order.steps import Till
from tests.phone import Phone, sign_in_directly

LONG = os.environ.get("LANDFALL_LONG") == "1"
HISTORIES, RULES = (150, 30) if LONG else (25, 20)
LONGEST_RULE_SECONDS = 60.0
STOCK = 12
ADDRESS: Any = {
    "name": "Ada Lovelace",
    "line1": "Hauptstr. 1",
    "city": "Berlin",
    "postal_code": "10115",
    "country_code": "DE",
}
FAULTS = [None, GatewayFault.REFUSE, GatewayFault.LOSE, GatewayFault.DECLINE, GatewayFault.FORGET]
TOKENS = ["tok_visa", "tok_visa", "tok_3ds", "tok_declined", "tok_slow"]


class Died(BaseException):
    """A process is killed."""


class OrderHistory(RuleBasedStateMachine):
    """One customer, impatient, of a shop with little stock, at a gateway that misbehaves."""

    till: ClassVar[Till]
    shop: ClassVar[Phone]
    loop: ClassVar[asyncio.AbstractEventLoop]
    ends: ClassVar[dict[str, int]]

    @property
    def services(self) -> Services:
        return self.till.services

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(LONGEST_RULE_SECONDS)

    def ctx(self, key: str = "") -> Context:
        viewer = Viewer(self.user_id, ids.new_id("session"), ids.new_id("device"))
        made = Context(self.services, viewer=viewer)
        made.idempotency_key = key or ids.new_id("key")
        return made

    async def _tolerant(self, work: Awaitable[Any]) -> Any:
        """Work that may be refused, or find the gateway away."""
        try:
            return await work
        except (UserError, Retryable):
            return None

    async def _in_unit(self, resolver: Any, **given: Any) -> Any:
        ctx = self.ctx()
        return await self._tolerant(ctx.unit(lambda: resolver(ctx, **given)))

    @initialize(quantity=st.integers(1, 3))
    def begin(self, quantity: int) -> None:
        self.user_id = ids.new_id("user")
        # Years may have passed since the shop signed in.
        self.wait(sign_in_directly(self.services, self.shop, self.shop.user_id))
        [self.variant] = self.wait(variants(self.services, self.shop, "€10.00"))
        self.wait(set_stock(self.services, self.variant, STOCK))
        self.till.gateway.faults.clear()
        self.token, self.number = "", 0
        self.a_line_is_added(quantity=quantity)
        self.it_is_quoted(reserve=False)
        self.it_is_ordered(token="tok_visa", again=False)

    @rule(quantity=st.integers(1, 3))
    def a_line_is_added(self, quantity: int) -> None:
        item = {"product_variant_id": self.variant}
        self.wait(self._in_unit(add_cart_line, item=item, quantity=quantity))

    @rule(reserve=st.booleans())
    def it_is_quoted(self, reserve: bool) -> None:
        done = self.wait(self._in_unit(validate_cart, shipping_address=ADDRESS, reserve=reserve))
        if done is not None:
            signer = self.services.signer
            self.token = quote_token(signer, done["checkout_quote"]) or self.token

    def _ordering(self, token: str, again: bool) -> Awaitable[Any]:
        self.number += not again
        ctx = self.ctx(f"{self.user_id} {self.number}")
        return place_order(ctx, quote_token=self.token, source={"token": token})

    @rule(token=st.sampled_from(TOKENS), reserve=st.booleans())
    def something_else_is_ordered(self, token: str, reserve: bool) -> None:
        self.a_line_is_added(quantity=1)
        self.it_is_quoted(reserve=reserve)
        self.it_is_ordered(token=token, again=False)

    @rule(token=st.sampled_from(TOKENS), again=st.booleans())
    def it_is_ordered(self, token: str, again: bool) -> None:
        self.wait(self._tolerant(self._ordering(token, again)))

    @rule(token=st.sampled_from(TOKENS), again=st.booleans())
    def a_process_dies_after_the_gateway_has_charged(self, token: str, again: bool) -> None:
        self.wait(self._dying(token, again))

    async def _dying(self, token: str, again: bool) -> None:
        async def die(*_: Any, **__: Any) -> Payment:
            raise Died

        whole, paying.settle = paying.settle, die
        try:
            await self._tolerant(self._ordering(token, again))
        except Died:
            return
        finally:
            paying.settle = whole

    @rule(token=st.sampled_from(TOKENS))
    def it_is_paid_in_another_attempt(self, token: str) -> None:
        for order in self.orders[:1]:
            ctx = self.ctx()
            self.wait(self._tolerant(retry_payment(ctx, order_id=order["_id"], source={"token": token})))

    @rule(meant=st.sampled_from([True, False, False]))
    def it_is_cancelled(self, meant: bool) -> None:
        for order in self.orders[:1] if meant else []:
            given = {"order_id": order["_id"], "reason": CancelReason.OTHER}
            self.wait(self._in_unit(cancel_order, **given))

    @rule(faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=4))
    def the_gateway_will_misbehave(self, faults: list[GatewayFault | None]) -> None:
        self.till.gateway.faults.plan(faults)

    @rule()
    def the_gateway_drops_its_keys(self) -> None:
        self.till.gateway.keys.clear()

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

    @rule(seconds=st.sampled_from([1, 5, 20, 150, 700, 1_900]))
    def time_passes(self, seconds: int) -> None:
        self.wait(self.till.later(seconds=seconds))
        self.wait(stock_jobs.expire_holds(self.services))

    @property
    def orders(self) -> list[Order]:
        """The customer's orders, newest first."""
        sort = [("created_at", -1), ("_id", -1)]
        found: list[Order] = self.wait(
            store.orders.find(self.services.db, {"user_id": self.user_id}, sort=sort)
        )
        return found

    @property
    def intents(self) -> list[dict[str, Any]]:
        """Charges for the customer's orders."""
        theirs = {order["_id"] for order in self.orders}
        found = self.till.gateway.ledger.of("payment_intent")
        return [each for each in found if each["metadata"]["subject"] in theirs]

    def teardown(self) -> None:
        if not hasattr(self, "user_id"):
            return
        self.till.gateway.faults.clear()
        self.till.gateway.events.waiting.clear()
        # In the week what nobody captured is, or is found to have lapsed, and ends three days later.
        for hours in (0.04, 0.04, 0.2, 1.1, 6.1, 6.1, 24 * 7, 6.1, 24 * 3):
            self.wait(self.till.later(hours=hours))
            self.wait(stock_jobs.expire_holds(self.services))
            for intent in self.intents:
                if intent["status"] == "processing":
                    self.till.gateway.ledger.settle(intent)
        self._check()

    def _check(self) -> None:
        sold = 0
        kept: dict[str, list[int]] = {}
        for intent in self.intents:
            if amount := self._kept(intent):
                kept.setdefault(intent["metadata"]["subject"], []).append(amount)
        for order in self.orders:
            status = order["status"]
            self.ends[status] = self.ends.get(status, 0) + 1
            assert status != OrderStatus.CREATED
            paid = status == OrderStatus.PROCESSING
            assert kept.get(order["_id"], []) == ([order["total"]] if paid else []), (status, kept)
            sold += sum(line["quantity"] for line in order["lines"]) if paid else 0
        assert self.wait(level(self.services, self.variant)) == (STOCK - sold, STOCK - sold, sold)

    def _kept(self, intent: dict[str, Any]) -> int:
        """Money that the gateway holds, or has taken and not given back."""
        signs = {"HOLD": 1, "TAKE": 0, "GIVE_UP": -1, "GIVE_BACK": -1}
        entries = [each for each in self.till.gateway.ledger.entries if each.intent == intent["id"]]
        return sum(signs[each.kind] * each.amount for each in entries)


async def test_stock_adds_up_and_every_order_ends(till: Till, shop: Phone) -> None:
    history = OrderHistory
    history.till, history.shop, history.loop = till, shop, asyncio.get_running_loop()
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
    print(f"order histories ended: {history.ends}")
