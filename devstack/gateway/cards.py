"""Test cards by token, as Stripe has them, and what becomes of a payment with each."""

from typing import Any, NamedTuple

KEY = "sk_test_landfall"
"""Key that the gateway knows its one account by."""
SECRET = "whsec_landfall"
"""Secret that it signs callbacks with."""
DEMO_CUSTOMER = "cus_demo_"
"""Beginning of customers that it knows without having made them: the demo's people."""


class Card(NamedTuple):
    """Test card; what is `declined` names Stripe's code for it."""

    brand: str
    last4: str
    declined: str = ""
    asks: bool = False
    """True if the bank wants to see its customer (3-D Secure) at every payment."""
    slow: bool = False
    """True if payments stay in processing until they are settled by hand."""
    wallet: bool = False
    days: float = 7.0
    """Time that an authorization lasts."""

    @property
    def details(self) -> dict[str, Any]:
        wallet = {"type": "apple_pay"} if self.wallet else None
        shown = {
            "brand": self.brand,
            "last4": self.last4,
            "exp_month": 12,
            "exp_year": 2034,
            "wallet": wallet,
        }
        return {"type": "card", "card": shown}


CARDS = {
    "tok_visa": Card("visa", "4242"),
    "tok_visa_merchant": Card("visa", "4242", days=4.75),
    "tok_mastercard": Card("mastercard", "4444"),
    "tok_amex": Card("amex", "8431"),
    "tok_wallet": Card("visa", "4242", wallet=True),
    "tok_3ds": Card("visa", "3220", asks=True),
    "tok_slow": Card("visa", "0077", slow=True),
    "tok_declined": Card("visa", "0002", declined="generic_decline"),
    "tok_insufficient": Card("visa", "9995", declined="insufficient_funds"),
    "tok_expired": Card("visa", "0069", declined="expired_card"),
    "tok_cvc": Card("visa", "0127", declined="incorrect_cvc"),
}
ALIASES = {
    "pm_card_visa": "tok_visa",
    "pm_card_mastercard": "tok_mastercard",
    "pm_card_amex": "tok_amex",
    "pm_card_threeDSecure2Required": "tok_3ds",
    "pm_card_authenticationRequired": "tok_3ds",
    "pm_card_chargeDeclined": "tok_declined",
    "pm_card_chargeDeclinedInsufficientFunds": "tok_insufficient",
}
"""Tokens of Stripe's own test cards."""


def card(token: str) -> Card | None:
    return CARDS.get(ALIASES.get(token, token))
