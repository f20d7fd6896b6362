"""Acts on payment methods for the long history: some are kept, preferred and let go again."""

import random
from collections.abc import Sequence
from typing import Any

from core import ids
from core.storage.mongo import Database
from devstack.gateway import Gateway
from stores import order as store
from tests.engine.flushes import Act

TOKENS = (
    "tok_visa",
    "tok_declined",
    "tok_mastercard",
    "pm_card_visa",
    "tok_amex",
    "tok_wallet",
    "pm_card_mastercard",
    "tok_visa_merchant",
    "pm_card_amex",
)
"""A token of the SDK is good for one method: each is given once."""
SHOWN = "paymentMethod { id }"


def one(dice: random.Random, methods: list[str]) -> Act:
    """An act of a person, of whose methods the ids are known."""
    choice = dice.random()
    if not methods or (choice < 0.5 and len(methods) < len(TOKENS)):
        given = {"gatewayToken": TOKENS[len(methods)], "makeDefault": dice.random() < 0.3}
        methods.append(ids.new_id("payment_method"))
        return Act("addPaymentMethod", {**given, "id": methods[-1]}, SHOWN)
    named = {"paymentMethodId": dice.choice(methods[-4:])}
    return Act("setDefaultPaymentMethod" if choice < 0.75 else "removePaymentMethod", named, SHOWN)


async def check(db: Database, gateway: Gateway | None, user_id: str, done: Sequence[tuple[Act, Any]]) -> None:
    """Methods are what came of the acts in their order, each done once, here and at the gateway."""
    if gateway is None:
        return
    kept: set[str] = set()
    default: str | None = None
    for act, payload in done:
        if payload["errors"] or not act.mutation.endswith("PaymentMethod"):
            continue
        shown = payload["paymentMethod"] and payload["paymentMethod"]["id"]
        if act.mutation == "addPaymentMethod":
            default = shown if act.input["makeDefault"] or not kept else default
            kept.add(shown)
        elif act.mutation == "setDefaultPaymentMethod":
            default = shown
        else:
            kept.remove(removed := act.input["paymentMethodId"])
            # The next one is the newest by clocks that are set: the reply says which.
            default = shown if removed == default else default
    found = await store.payment_methods.find(db, {"user_id": user_id}, limit=len(TOKENS))
    assert {each["_id"] for each in found} == kept, "A payment method was lost, or came back."
    assert [each["_id"] for each in found if each["preferred"]] == ([default] if kept else [])
    customers = gateway.ledger.of("customer")
    known = [each["id"] for each in customers if each["metadata"] == {"user": user_id}]
    held = [each for each in gateway.ledger.of("payment_method") if each["customer"] in known]
    assert len(known) <= 1
    assert len(held) == len(kept), "The gateway keeps what nobody has, or has lost what somebody keeps."
