"""Stripe behind the payment port; the gateway of development and tests speaks the same API."""

import asyncio
import importlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple

from aiohttp import ClientSession

from core.ports import FailureCode, Permanent, Retryable
from core.settings import Settings
from core.values.charges import gateway_units
from ports.order import Charge, Declined, PaymentFailureCode, PaymentSettings, SavedMethod, Source
from providers import stripe_charges
from providers.stripe_charges import Object

EXPAND = ["latest_charge"]
MOST_FOUND = 100
SECONDS = 15.0
"""Longest time that an answer may take; callers in requests have less patience."""
AT_WORK = frozenset({409, 429})
"""HTTP statuses of what may be sent again: the key is at work, or there are too many requests."""
UNEXPECTED_STATE = "payment_intent_unexpected_state"
NEEDS_CUSTOMER = "authentication_required"


def is_set_up(settings: Settings) -> bool:
    """True if the settings name an account that charges."""
    return bool(PaymentSettings.beside(settings).stripe_key.get_secret_value())


class Answer(NamedTuple):
    """Object that Stripe answered with."""

    object: Object
    replayed: bool
    """True if it is the answer of the first request with its key: much may have happened since."""


class StripeGateway:
    """Implements `ports.order.PaymentGateway` with PaymentIntents."""

    def __init__(self, http: ClientSession, key: str, url: str, return_url: str) -> None:
        self._http, self._key, self._url = http, key, url.rstrip("/")
        self._return_to = {"return_url": return_url} if return_url else {}

    @cached_property
    def _stripe(self) -> Any:
        # Imported with the first call: it takes half a second, and who takes no payments needs it not.
        return importlib.import_module("stripe")

    @cached_property
    def _api(self) -> Any:
        client = self._stripe.AIOHTTPClient(session=self._http, timeout=SECONDS)
        # Retries are planned by who calls.
        made = self._stripe.StripeClient(
            self._key, base_addresses={"api": self._url}, http_client=client, max_network_retries=0
        )
        return made.v1

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
        named = {"subject": subject_id, "attempt": str(attempt), **({"part": part} if part else {})}
        params = {
            "amount": gateway_units(amount, currency),
            "currency": currency.lower(),
            "confirm": True,
            "capture_method": "automatic" if capture else "manual",
            "metadata": named,
            "payment_method_types": ["card"],
            "expand": EXPAND,
            **self._paid_by(source),
        }
        try:
            made = await self._call("payment_intents.create", params, key=key)
        except self._stripe.CardError as error:
            return await self._declined(error, source, key)
        except self._stripe.InvalidRequestError as error:
            raise self._refused(error) from None
        return await self._present(made)

    def _paid_by(self, source: Source) -> dict[str, Any]:
        if source.customer is None:
            return {**_method_of(source.token), **self._return_to}
        return {"customer": source.customer, "payment_method": source.token, "off_session": True}

    async def _declined(self, error: Any, source: Source, key: str) -> Charge:
        """Charge that was declined; a bank that wants to see its customer is asked what that takes."""
        said = _error(error)
        intent = said.get("payment_intent")
        if not intent:
            raise Declined(stripe_charges.failure(said)) from None
        if source.customer is None or NEEDS_CUSTOMER not in (said.get("code"), said.get("decline_code")):
            return await self.find(intent["id"])
        params = {"payment_method": source.token, "expand": EXPAND, **self._return_to}
        try:
            asked = await self._call("payment_intents.confirm", params, intent["id"], key=f"{key}:present")
        except (self._stripe.CardError, self._stripe.InvalidRequestError):
            return await self.find(intent["id"])
        return await self._present(asked)

    async def find(self, ref: str) -> Charge:
        try:
            found = await self._call("payment_intents.retrieve", {"expand": EXPAND}, ref)
        except self._stripe.InvalidRequestError as error:
            raise self._refused(error) from None
        return await self._whole(found.object)

    async def _present(self, answer: Answer) -> Charge:
        if answer.replayed:
            return await self.find(answer.object["id"])
        return await self._whole(answer.object)

    async def _whole(self, intent: Object) -> Charge:
        """Charge with its refunds and disputes, which are asked for where there may be some.

        A refund that failed at the bank leaves no amount behind.
        """
        latest = intent.get("latest_charge") or {}
        of_it = {"payment_intent": intent["id"], "limit": MOST_FOUND}
        refunds = await self._list("refunds.list", of_it) if latest.get("amount_captured") else []
        disputes = await self._list("disputes.list", of_it) if latest.get("disputed") else []
        return stripe_charges.charge(intent, refunds, disputes)

    async def _list(self, method: str, params: Mapping[str, Any]) -> Sequence[Object]:
        found = await self._call(method, params)
        return list(found.object["data"])

    async def charges_for(self, subject_id: str) -> Sequence[Charge]:
        query = f"metadata['subject']:'{subject_id}'"
        params = {"query": query, "limit": MOST_FOUND, "expand": ["data.latest_charge"]}
        return [await self._whole(each) for each in await self._list("payment_intents.search", params)]

    async def capture(self, ref: str, *, key: str) -> Charge:
        return await self._moved("payment_intents.capture", ref, key)

    async def void(self, ref: str, *, key: str) -> Charge:
        return await self._moved("payment_intents.cancel", ref, key)

    async def _moved(self, method: str, ref: str, key: str) -> Charge:
        try:
            return await self._present(await self._call(method, {"expand": EXPAND}, ref, key=key))
        except self._stripe.InvalidRequestError as error:
            if error.code != UNEXPECTED_STATE:
                raise self._refused(error) from None
            return await self.find(ref)

    async def refund(self, ref: str, *, amount: int, currency: str, name: str, key: str) -> Charge:
        units = gateway_units(amount, currency)
        params = {"payment_intent": ref, "amount": units, "metadata": {"name": name}}
        try:
            await self._call("refunds.create", params, key=key)
        except self._stripe.InvalidRequestError as error:
            raise self._refused(error) from None
        return await self.find(ref)

    async def new_customer(self, user_id: str, *, key: str) -> str:
        made = await self._call("customers.create", {"metadata": {"user": user_id}}, key=key)
        return str(made.object["id"])

    async def save_method(self, customer: str, token: str, *, key: str) -> SavedMethod:
        params = {
            "customer": customer,
            "confirm": True,
            "usage": "off_session",
            "payment_method_types": ["card"],
            "expand": ["payment_method"],
            **_method_of(token),
            **self._return_to,
        }
        try:
            setup = (await self._call("setup_intents.create", params, key=key)).object
            if setup["status"] != "succeeded":
                again = {"expand": ["payment_method"]}
                setup = (await self._call("setup_intents.retrieve", again, setup["id"])).object
        except self._stripe.CardError as error:
            raise Declined(stripe_charges.failure(_error(error))) from None
        except self._stripe.InvalidRequestError:
            raise Declined(PaymentFailureCode.METHOD_INVALID) from None
        if problem := setup.get("last_setup_error"):
            raise Declined(stripe_charges.failure(problem))
        method = setup["payment_method"]
        kept = stripe_charges.instrument(method)
        if kept is None:
            raise Declined(PaymentFailureCode.METHOD_INVALID)
        return SavedMethod(method["id"], kept, stripe_charges.next_action(setup))

    async def forget_method(self, ref: str) -> None:
        await self._forget("payment_methods.detach", ref)

    async def forget_customer(self, ref: str) -> None:
        await self._forget("customers.delete", ref)

    async def _forget(self, method: str, ref: str) -> None:
        try:
            await self._call(method, {}, ref)
        except self._stripe.InvalidRequestError as error:
            # One that is gone is unknown; one that is detached is refused without a code.
            if error.code not in (None, "resource_missing"):
                raise self._refused(error) from None

    async def _call(
        self, method: str, params: Mapping[str, Any], *named: str, key: str | None = None
    ) -> Answer:
        """Ask Stripe; CardError and InvalidRequestError are for the caller.

        `Retryable` also where nobody knows what became of it: the same key finds out.
        """
        if not self._key:
            raise Permanent(FailureCode.NO_PROVIDER, "No payment gateway is set up.")
        stripe: Any = vars(self).get("_stripe") or await asyncio.to_thread(lambda: self._stripe)
        options = {"idempotency_key": key} if key else {}
        try:
            answer = await attrgetter(f"{method}_async")(self._api)(*named, dict(params), options)
        except (stripe.CardError, stripe.InvalidRequestError, stripe.IdempotencyError) as error:
            if error.http_status in AT_WORK:
                raise _retryable(error) from None
            if isinstance(error, stripe.IdempotencyError):
                raise self._refused(error) from None
            raise
        except (stripe.AuthenticationError, stripe.PermissionError) as error:
            raise self._refused(error) from None
        except (stripe.StripeError, TimeoutError, OSError) as error:
            raise _retryable(error) from None
        return Answer(answer.to_dict(), _replayed(answer))

    def _refused(self, error: Any) -> Permanent:
        """A refusal, by its code alone: messages of Stripe may quote what they were sent."""
        if (failure := stripe_charges.CODES.get(error.code or "")) is not None:
            return Declined(failure)
        return Permanent(FailureCode.REFUSED, f"Stripe: {type(error).__name__} {error.code or ''}".strip())


def _retryable(error: Exception) -> Retryable:
    return Retryable(f"Stripe did not answer: {type(error).__name__}.")


def _error(error: Any) -> Object:
    found: Object = (error.json_body or {}).get("error") or {}
    return found


def _method_of(token: str) -> dict[str, Any]:
    """The method of an SDK's token; older SDKs give tokens of cards."""
    if token.startswith("tok_"):
        return {"payment_method_data": {"type": "card", "card": {"token": token}}}
    return {"payment_method": token}


def _replayed(answer: Any) -> bool:
    response = answer.last_response
    return response is not None and response.headers.get("Idempotent-Replayed") == "true"
