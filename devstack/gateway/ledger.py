"""Ledger of the gateway that pretends: PaymentIntents, refunds, disputes by Stripe's rules, and the money."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from core import clock, ids
from devstack.gateway.cards import DEMO_CUSTOMER, Card, card

Object = dict[str, Any]
Params = Mapping[str, Any]

OPEN = frozenset({"requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"})

OWN_CODES = frozenset({"expired_card", "incorrect_cvc", "authentication_required"})
"""Reasons to decline that are error codes of their own."""


class RequestRefused(Exception):
    """Request that is refused, as Stripe says it."""

    def __init__(self, status: int, type: str, code: str | None, **more: Any) -> None:
        super().__init__(code or type)
        self.status = status
        self.error = {"type": type, "code": code, "message": f"RequestRefused: {code or type}.", **more}


class Entry(NamedTuple):
    """Movement of money: HOLD, TAKE, GIVE_UP or GIVE_BACK."""

    kind: str
    intent: str
    amount: int


Told = Callable[[str, Object], None]


class Ledger:
    """Objects of one account by their ids; what changes is told by an event's type."""

    def __init__(self, told: Told) -> None:
        self.objects: dict[str, Object] = {}
        self.entries: list[Entry] = []
        self._told = told

    def of(self, kind: str) -> list[Object]:
        """All objects of a kind, the oldest first."""
        return [each for each in self.objects.values() if each["object"] == kind]

    def get(self, id: str, kind: str) -> Object:
        found = self.objects.get(id)
        if found is None or found["object"] != kind:
            raise missing(kind)
        return found

    # Payments.

    def create_intent(self, params: Params) -> Object:
        amount = _amount(params)
        intent = self._keep(
            "payment_intent",
            "pi",
            amount=amount,
            amount_capturable=0,
            amount_received=0,
            currency=params["currency"],
            capture_method=params.get("capture_method", "automatic"),
            metadata=dict(params.get("metadata") or {}),
            customer=params.get("customer"),
            payment_method=None,
            return_url=params.get("return_url"),
            latest_charge=None,
            last_payment_error=None,
            next_action=None,
            cancellation_reason=None,
            status="requires_payment_method",
        )
        intent["client_secret"] = f"{intent['id']}_secret_{ids.new_id('s')[2:10]}"
        self._told("payment_intent.created", intent)
        return self.confirm(intent, params) if params.get("confirm") == "true" else intent

    def confirm(self, intent: Object, params: Params) -> Object:
        if intent["status"] not in ("requires_payment_method", "requires_confirmation", "requires_action"):
            raise _unexpected(intent)
        method, paid_with = self._method(params)
        intent["payment_method"] = method
        intent["return_url"] = params.get("return_url") or intent["return_url"]
        off_session = params.get("off_session") == "true"
        if paid_with.declined:
            raise self.decline(intent, paid_with.declined)
        if paid_with.asks and off_session:
            raise self.decline(intent, "authentication_required")
        if paid_with.asks:
            return self._ask(intent)
        if paid_with.slow:
            return self._move(intent, "processing")
        return self.settle(intent)

    def decline(self, intent: Object, code: str) -> RequestRefused:
        """Decline the payment; the error to raise."""
        own_code = code if code in OWN_CODES else "card_declined"
        error = {"type": "card_error", "code": own_code, "decline_code": code}
        intent["last_payment_error"], intent["next_action"] = error, None
        self._move(intent, "requires_payment_method", "payment_intent.payment_failed")
        return RequestRefused(
            402, error["type"], error["code"], decline_code=code, payment_intent=dict(intent)
        )

    def _ask(self, intent: Object) -> Object:
        if intent["return_url"]:
            redirect = {"url": f"/confirm/{intent['id']}", "return_url": intent["return_url"]}
            intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": redirect}
        else:
            intent["next_action"] = {"type": "use_stripe_sdk", "use_stripe_sdk": {}}
        return self._move(intent, "requires_action")

    def authenticate(self, id: str, *, proved: bool) -> Object:
        """The person comes back from their bank."""
        intent = self.get(id, "payment_intent")
        if intent["status"] != "requires_action":
            raise _unexpected(intent)
        intent["next_action"] = None
        if proved:
            return self.settle(intent)
        self.decline(intent, "payment_intent_authentication_failure")
        return intent

    def settle(self, intent: Object) -> Object:
        """The bank says yes."""
        paid_with = self._card_of(intent)
        until = clock.now() + timedelta(days=paid_with.days)
        manual = intent["capture_method"] == "manual"
        before = {"capture_before": int(until.timestamp())} if manual else {}
        details = {**paid_with.details, "card": {**paid_with.details["card"], **before}}
        charge = self._keep(
            "charge",
            "ch",
            payment_intent=intent["id"],
            amount=intent["amount"],
            amount_captured=0,
            amount_refunded=0,
            disputed=False,
            payment_method_details=details,
        )
        intent["latest_charge"], intent["last_payment_error"] = charge["id"], None
        self._enter("HOLD", intent, intent["amount"])
        if not manual:
            return self._take(intent)
        intent["amount_capturable"] = intent["amount"]
        return self._move(intent, "requires_capture", "payment_intent.amount_capturable_updated")

    def capture(self, id: str) -> Object:
        intent = self.get(id, "payment_intent")
        if intent["status"] != "requires_capture":
            raise _unexpected(intent)
        return self._take(intent)

    def _take(self, intent: Object) -> Object:
        intent["amount_received"], intent["amount_capturable"] = intent["amount"], 0
        self.objects[intent["latest_charge"]]["amount_captured"] = intent["amount"]
        self._enter("TAKE", intent, intent["amount"])
        return self._move(intent, "succeeded")

    def cancel(self, id: str, reason: str | None = None) -> Object:
        intent = self.get(id, "payment_intent")
        if intent["status"] not in OPEN:
            raise _unexpected(intent)
        if intent["status"] == "requires_capture":
            self._enter("GIVE_UP", intent, intent["amount"])
        intent["cancellation_reason"], intent["amount_capturable"] = reason, 0
        intent["next_action"] = None
        return self._move(intent, "canceled")

    def lapse(self, id: str) -> Object:
        """Nobody captured it in time."""
        return self.cancel(id, "automatic")

    # What comes after.

    def refund(self, params: Params) -> Object:
        intent = self.get(str(params.get("payment_intent")), "payment_intent")
        if intent["latest_charge"] is None or intent["status"] != "succeeded":
            raise RequestRefused(400, "invalid_request_error", "charge_not_captured")
        charge = self.objects[intent["latest_charge"]]
        left = charge["amount_captured"] - charge["amount_refunded"] - self._disputed(intent["id"])
        amount = _amount(params) if "amount" in params else left
        if amount > left:
            code = "charge_disputed" if charge["disputed"] else "amount_too_large"
            raise RequestRefused(400, "invalid_request_error", code)
        charge["amount_refunded"] += amount
        made = self._keep(
            "refund",
            "re",
            payment_intent=intent["id"],
            charge=charge["id"],
            amount=amount,
            currency=intent["currency"],
            metadata=dict(params.get("metadata") or {}),
            status="succeeded",
        )
        self._enter("GIVE_BACK", intent, amount)
        self._told("charge.refunded", charge)
        return made

    def fail_refund(self, id: str) -> Object:
        """The customer's bank does not take a refund: the money is back with the shop."""
        failed = self.get(id, "refund")
        intent = self.get(failed["payment_intent"], "payment_intent")
        failed["status"] = "failed"
        self.objects[failed["charge"]]["amount_refunded"] -= failed["amount"]
        self._enter("BOUNCE", intent, failed["amount"])
        self._told("refund.failed", failed)
        return failed

    def dispute(self, id: str, amount: int | None = None) -> Object:
        """The customer's bank takes money back."""
        intent = self.get(id, "payment_intent")
        charge = self.objects[intent["latest_charge"]]
        charge["disputed"] = True
        opened = self._keep(
            "dispute",
            "dp",
            payment_intent=id,
            charge=charge["id"],
            amount=amount or intent["amount"],
            currency=intent["currency"],
            status="needs_response",
        )
        self._told("charge.dispute.created", opened)
        return opened

    def close_dispute(self, id: str, *, won: bool) -> Object:
        closed = self.get(id, "dispute")
        closed["status"] = "won" if won else "lost"
        self._told("charge.dispute.closed", closed)
        return closed

    def _disputed(self, intent_id: str) -> int:
        of_it = [each for each in self.of("dispute") if each["payment_intent"] == intent_id]
        return sum(each["amount"] for each in of_it if each["status"] != "won")

    # Customers.

    def create_customer(self, params: Params) -> Object:
        return self._keep("customer", "cus", metadata=dict(params.get("metadata") or {}))

    def delete_customer(self, id: str) -> Object:
        self.get(id, "customer")
        del self.objects[id]
        for each in self.of("payment_method"):
            if each["customer"] == id:
                each["customer"] = None
        return {"id": id, "object": "customer", "deleted": True}

    def create_setup(self, params: Params) -> Object:
        customer = self._customer(str(params.get("customer")))
        method, paid_with = self._method(params)
        setup = self._keep(
            "setup_intent",
            "seti",
            customer=customer,
            payment_method=method,
            last_setup_error=None,
            next_action=None,
            return_url=params.get("return_url"),
            status="requires_payment_method",
        )
        setup["client_secret"] = f"{setup['id']}_secret_{ids.new_id('s')[2:10]}"
        if paid_with.declined:
            raise RequestRefused(402, "card_error", "card_declined", decline_code=paid_with.declined)
        if paid_with.asks:
            setup["status"], setup["next_action"] = "requires_action", {"type": "use_stripe_sdk"}
            return setup
        return self._set_up(setup)

    def _customer(self, id: str) -> str:
        if not id.startswith(DEMO_CUSTOMER):
            self.get(id, "customer")
        return id

    def authenticate_setup(self, id: str) -> Object:
        """The person has shown their bank that they want to keep the card."""
        setup = self.get(id, "setup_intent")
        setup["next_action"] = None
        return self._set_up(setup)

    def _set_up(self, setup: Object) -> Object:
        self.objects[setup["payment_method"]]["customer"] = setup["customer"]
        setup["status"] = "succeeded"
        return setup

    def detach(self, id: str) -> Object:
        method = self.get(id, "payment_method")
        if method["customer"] is None:
            raise RequestRefused(400, "invalid_request_error", None)
        method["customer"] = None
        return method

    def _method(self, params: Params) -> tuple[str, Card]:
        """The payment method of a request, made of a token where it is one."""
        data = params.get("payment_method_data") or {}
        named = str(params.get("payment_method") or (data.get("card") or {}).get("token") or "")
        if named in self.objects:
            kept = self.get(named, "payment_method")
            if kept["customer"] != params.get("customer"):
                raise RequestRefused(400, "invalid_request_error", "payment_method_unexpected_state")
            return named, self._known(kept["token"])
        made = self._known(named)
        method = self._keep("payment_method", "pm", token=named, customer=None, **made.details)
        return method["id"], made

    def _known(self, token: str) -> Card:
        found = card(token)
        if found is None:
            raise missing("payment_method")
        return found

    def _card_of(self, intent: Object) -> Card:
        return self._known(self.objects[intent["payment_method"]]["token"])

    # Keeping.

    def _keep(self, kind: str, prefix: str, **fields: Any) -> Object:
        id = f"{prefix}_{ids.new_id('x')[2:]}"
        made = {"id": id, "object": kind, "created": int(clock.timestamp()), **fields}
        self.objects[id] = made
        return made

    def _move(self, intent: Object, status: str, type: str = "") -> Object:
        intent["status"] = status
        self._told(type or f"payment_intent.{status}", intent)
        return intent

    def _enter(self, kind: str, intent: Object, amount: int) -> None:
        self.entries.append(Entry(kind, intent["id"], amount))


def missing(kind: str) -> RequestRefused:
    return RequestRefused(404, "invalid_request_error", "resource_missing", param=kind)


def _unexpected(intent: Object) -> RequestRefused:
    code = "payment_intent_unexpected_state"
    return RequestRefused(400, "invalid_request_error", code, payment_intent=dict(intent))


def _amount(params: Params) -> int:
    given = str(params.get("amount", ""))
    if not given.isdigit() or int(given) < 1:
        raise RequestRefused(400, "invalid_request_error", "parameter_invalid_integer", param="amount")
    return int(given)
