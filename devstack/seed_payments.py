"""Demo payment methods: cards that the gateway that pretends knows by their test tokens."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from core.security.crypto import Keyring
from devstack.gateway.cards import DEMO_CUSTOMER, card
from devstack.seed_chats import Stamps
from stores import order as store
from stores.order import PaymentMethodKind

Document = dict[str, Any]

TOKENS = ("tok_visa", "tok_mastercard", "tok_amex", "tok_3ds")
MOST = 3
"""Cards of one person."""


@dataclass
class Wallets:
    """Documents by collection."""

    payers: list[Document] = field(default_factory=list)
    methods: list[Document] = field(default_factory=list)


def wallets(maker: Stamps, rng: Random, users: Sequence[Document], crypto: Keyring, end: datetime) -> Wallets:
    """Cards of all people: one, two or three each, the first of which is the default."""
    made = Wallets()
    for user in users:
        id = user["_id"]
        ref = crypto.seal(f"{DEMO_CUSTOMER}{id}", place=store.payer_place(id))
        made.payers.append({"_id": id, "sealed_ref": ref})
        for place, token in enumerate(rng.sample(TOKENS, rng.randint(1, MOST))):
            at = end - timedelta(days=200 - 40 * place, minutes=rng.randrange(600))
            made.methods.append(_method(maker, crypto, user, token, at, preferred=not place))
    return made


def _method(
    maker: Stamps, crypto: Keyring, user: Document, token: str, at: datetime, *, preferred: bool
) -> Document:
    known = card(token)
    assert known is not None
    at = max(at, user["created_at"])
    id = maker.id("payment_method", at)
    shown = known.details["card"]
    return {
        "_id": id,
        "user_id": user["_id"],
        "kind": PaymentMethodKind.CARD,
        "brand": known.brand,
        "last4": known.last4,
        "exp_month": shown["exp_month"],
        "exp_year": shown["exp_year"],
        "preferred": preferred,
        # The gateway takes a test token for the card itself.
        "sealed_ref": crypto.seal(token, place=store.method_place(id)),
        **maker.stamps(at),
    }
