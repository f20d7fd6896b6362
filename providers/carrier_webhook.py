"""Webhook of carriers: callbacks of a tracking service by Standard Webhooks, in EasyPost's words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.callbacks import Callback, EventKind, ProviderEvent, Told, event
from core.settings import Settings
from ports.order import Carrier, CarrierSettings, FulfillmentStatus
from providers.webhooks import StandardSigner, json_object

LONGEST_PLACE = 100
LONGEST_NUMBER = 50
STATUSES = {
    "in_transit": FulfillmentStatus.IN_TRANSIT,
    "out_for_delivery": FulfillmentStatus.OUT_FOR_DELIVERY,
    "available_for_pickup": FulfillmentStatus.OUT_FOR_DELIVERY,
    "delivered": FulfillmentStatus.DELIVERED,
    "return_to_sender": FulfillmentStatus.RETURNED,
    "failure": FulfillmentStatus.EXCEPTION,
    "error": FulfillmentStatus.EXCEPTION,
}
"""Words of the service for what has left the shop."""
CARRIERS = {"dhlparcel": Carrier.DHL, "dhlpaket": Carrier.DHL, "dhlexpress": Carrier.DHL}
"""Names of the service that are not ours."""


def is_set_up(settings: Settings) -> bool:
    """True if the settings name a secret that callbacks are signed with."""
    return bool(CarrierSettings.beside(settings).carrier_hook_secret.get_secret_value())


class CarrierWebhook:
    """Implements `core.callbacks.Webhook`: steps of parcels, each by its number."""

    def __init__(self, secret: str) -> None:
        self._signer = StandardSigner(secret)

    def read(self, callback: Callback) -> Told:
        id = self._signer.verified(callback)
        tracker = json_object(callback.body).get("result")
        told = _event(id, tracker) if isinstance(tracker, dict) else None
        return Told([told] if told else [])


def _event(id: str, tracker: Mapping[str, Any]) -> ProviderEvent | None:
    """The latest step of a parcel; None for words that move nothing."""
    number, status = str(tracker.get("tracking_code") or ""), STATUSES.get(str(tracker.get("status")))
    at = _moment(str(tracker.get("updated_at") or ""))
    if status is None or at is None or not 0 < len(number) <= LONGEST_NUMBER:
        return None
    place = str(tracker.get("location") or "")[:LONGEST_PLACE]
    said = event(
        EventKind.CHANGED,
        id,
        number,
        code=status,
        sender=_carrier(str(tracker.get("carrier") or "")),
        text=place,
        fingerprint=f"{number}:{status}:{at.isoformat()}",
    )
    return {**said, "at": at}


def _carrier(name: str) -> Carrier:
    folded = name.replace("_", "").replace(" ", "").lower()
    known = {each.lower(): each for each in Carrier}
    return CARRIERS.get(folded) or known.get(folded, Carrier.OTHER)


def _moment(text: str) -> datetime | None:
    """A moment of ISO 8601 with its zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
