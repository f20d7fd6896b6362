"""Port of payments: the gateway that charges, and what the operator sets of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypedDict

from pydantic import Field, SecretStr

from core.ports import FailureCode, Permanent
from core.settings import SystemSettings


class PaymentSettings(SystemSettings):
    """Settings of payments."""

    stripe_key: SecretStr = Field(
        SecretStr(""),
        description="Secret key of Stripe, `sk_live_...`, of an account of this deployment's own; empty: "
        "nothing is charged. `dev` starts a gateway that pretends.",
    )
    stripe_url: str = Field("https://api.stripe.com", description="Address of Stripe's API.")
    stripe_hook_secret: SecretStr = Field(
        SecretStr(""),
        description="Secrets (`whsec_...`, commas between them) that Stripe signs callbacks to "
        "`/hooks/stripe` with; empty: none are taken, and payments settle by asking alone.",
    )
    payment_return_url: str = Field(
        "", description="Address to which a bank's page sends people back, a link of the app; empty: none."
    )


class PaymentFailureCode(StrEnum):
    """Reason for which a payment came to nothing."""

    DECLINED = "DECLINED"
    """The bank declined without a reason that may be told: another card may do."""
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    """The account has too little money."""
    EXPIRED_CARD = "EXPIRED_CARD"
    """The card has expired."""
    INCORRECT_DETAILS = "INCORRECT_DETAILS"
    """The number, the date or the code of the card is not right."""
    AUTHENTICATION_FAILED = "AUTHENTICATION_FAILED"
    """The person did not prove to the bank who they are."""
    METHOD_INVALID = "METHOD_INVALID"
    """The payment method or token is unknown, used up or not accepted: choose or enter another."""
    AUTHORIZATION_LAPSED = "AUTHORIZATION_LAPSED"
    """The bank's promise to pay ran out before the amount was taken."""
    NOT_CHARGED = "NOT_CHARGED"
    """The payment was not completed in time: nothing was charged."""


class PaymentMethodKind(StrEnum):
    """Kind of payment method."""

    CARD = "CARD"
    """Credit or debit card."""
    WALLET = "WALLET"
    """Card in a wallet of the phone, such as Apple Pay or Google Pay."""
    OTHER = "OTHER"
    """Any other way to pay, such as a bank transfer."""


class NextActionKind(StrEnum):
    """Kind of step that a person has to take before a payment goes on."""

    REDIRECT = "REDIRECT"
    """Open `url` in a browser: the bank's page sends the person back to the app."""
    SDK = "SDK"
    """Hand `clientSecret` to the payment provider's SDK, which shows what is needed."""


class ChargeStatus(StrEnum):
    """Status of a charge, as the gateway says."""

    PENDING = "PENDING"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    AUTHORIZED = "AUTHORIZED"
    CAPTURED = "CAPTURED"
    FAILED = "FAILED"
    VOIDED = "VOIDED"
    LAPSED = "LAPSED"
    """The gateway gave up the authorization, since nobody captured it in time."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """Payment method of a charge, as far as it may be shown: never the number."""

    kind: PaymentMethodKind
    brand: str | None = None
    last4: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None


class NextAction(TypedDict):
    """Step that the person has to take; shown to them and never stored."""

    kind: NextActionKind
    url: str | None
    client_secret: str | None


@dataclass(frozen=True, slots=True)
class GatewayRefund:
    """Refund of a charge."""

    name: str
    """Name that we gave it; empty for one made in the gateway's own pages."""
    amount: int
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Charge:
    """Charge as the gateway has it; amounts are in minor units of the currency."""

    ref: str
    """Gateway's id of it."""
    status: ChargeStatus
    amount: int
    currency: str
    subject_id: str = ""
    """Metadata: what is paid for. Empty for charges that are not ours."""
    part: str = ""
    """Metadata: which of several payments for it; empty for the only one."""
    attempt: int = 0
    """Metadata: number of the attempt to pay for it."""
    captured: int = 0
    refunded: int = 0
    disputed: int = 0
    failure: PaymentFailureCode | None = None
    capture_before: datetime | None = None
    paid_with: Instrument | None = None
    refunds: tuple[GatewayRefund, ...] = ()
    next_action: NextAction | None = None

    @property
    def holds_money(self) -> bool:
        """True while the gateway holds, or has taken, money that was not given back."""
        if self.status == ChargeStatus.AUTHORIZED:
            return True
        return self.status == ChargeStatus.CAPTURED and self.captured > self.refunded

    @property
    def may_hold_money(self) -> bool:
        """True while the bank has not said whether it will."""
        return self.status in (ChargeStatus.PENDING, ChargeStatus.REQUIRES_ACTION)


@dataclass(frozen=True, slots=True)
class Source:
    """Source of the money: a token of the provider's SDK, or a saved method of a customer."""

    token: str
    customer: str | None = None
    """The customer whose saved method it is, who is charged without being there (off-session)."""


@dataclass(frozen=True, slots=True)
class SavedMethod:
    """Payment method that the gateway keeps; not usable yet while there is a next action."""

    ref: str
    instrument: Instrument
    next_action: NextAction | None = None


class Declined(Permanent):
    """The bank, or the gateway, said no; `failure` tells what may be told of it."""

    def __init__(self, failure: PaymentFailureCode) -> None:
        super().__init__(FailureCode.REFUSED, f"Declined: {failure}.")
        self.failure = failure


class PaymentGateway(Protocol):
    """Charges cards; raises `Retryable`, `Permanent` or `Declined`.

    `key` is the gateway's idempotency key: what comes again under it is done once, and answered as it is now.
    A charge that was declined is no error, but a charge that has FAILED.
    """

    async def authorize(
        self,
        source: Source,
        *,
        amount: int,
        currency: str,
        subject_id: str,
        part: str,
        attempt: int,
        capture: bool,
        key: str,
    ) -> Charge:
        """Reserve an amount, or with `capture` take it."""
        ...

    async def find(self, ref: str) -> Charge:
        """The charge as it is now."""
        ...

    async def charges_for(self, subject_id: str) -> Sequence[Charge]:
        """All charges for a subject, found by their metadata: perhaps not those of the last minute."""
        ...

    async def capture(self, ref: str, *, key: str) -> Charge:
        """Take what is reserved; where that cannot be, the charge as it is."""
        ...

    async def void(self, ref: str, *, key: str) -> Charge:
        """Give up what is not taken yet; where that cannot be, the charge as it is."""
        ...

    async def refund(self, ref: str, *, amount: int, currency: str, name: str, key: str) -> Charge:
        """Give back of what was taken; the charge as it is then. `Permanent` when the gateway refuses."""
        ...

    async def new_customer(self, user_id: str, *, key: str) -> str:
        """Reference of a customer who may keep payment methods."""
        ...

    async def save_method(self, customer: str, token: str, *, key: str) -> SavedMethod:
        """Keep a method for charges without the customer being there."""
        ...

    async def forget_method(self, ref: str) -> None:
        """Detach a saved method; one that is gone is fine."""
        ...

    async def forget_customer(self, ref: str) -> None:
        """Delete a customer with all methods; one that is gone is fine."""
        ...


class CarrierSettings(SystemSettings):
    """Settings of carriers."""

    carrier_hook_secret: SecretStr = Field(
        SecretStr(""),
        description="Secret of Standard Webhooks (`whsec_` and base64) that the tracking service signs "
        "callbacks to `/hooks/carrier` with; empty: none are taken, and staff say where parcels are.",
    )


class Carrier(StrEnum):
    """Carrier of a parcel; there will be more."""

    DHL = "DHL"
    """DHL, whose parcels in Germany are those of the post."""
    DPD = "DPD"
    """DPD, the parcels of Geopost."""
    FEDEX = "FEDEX"
    """FedEx, and the former TNT."""
    GLS = "GLS"
    """GLS, General Logistics Systems."""
    HERMES = "HERMES"
    """Hermes, the parcels of Germany's Otto group."""
    UPS = "UPS"
    """UPS, United Parcel Service."""
    USPS = "USPS"
    """USPS, the post of the United States."""
    OTHER = "OTHER"
    """Any other carrier, or the shop's own car: there is no page to track the parcel."""


class FulfillmentStatus(StrEnum):
    """Status of a fulfillment, which is one parcel."""

    PENDING = "PENDING"
    """Parcel is to be packed; the order may still be cancelled."""
    PACKED = "PACKED"
    """Parcel waits for the carrier."""
    IN_TRANSIT = "IN_TRANSIT"
    """Carrier has the parcel."""
    OUT_FOR_DELIVERY = "OUT_FOR_DELIVERY"
    """Parcel comes today, or waits where it can be collected."""
    DELIVERED = "DELIVERED"
    """Parcel has arrived where it was sent."""
    EXCEPTION = "EXCEPTION"
    """Something keeps the carrier from delivering the parcel; it may go on."""
    RETURNED = "RETURNED"
    """Parcel goes back to the shop: nobody took it. Final."""
