"""Carrier that pretends: it signs what it says of parcels, as a tracking service does.

    python -m devstack.carrier --hook http://127.0.0.1:8000/hooks/carrier DHL 00340434161094042557 delivered

tells `landfall dev` that a parcel came to a status, such as `in_transit`, `out_for_delivery` or `delivered`.
"""

import argparse
import asyncio
from datetime import datetime
from typing import Any

import orjson
from aiohttp import ClientSession

from core import clock, ids
from providers.webhooks import standard_signature

SECRET = "whsec_Y2FycmllciB0aGF0IHByZXRlbmRz"


def callback(
    carrier: str,
    number: str,
    status: str,
    *,
    at: datetime | None = None,
    place: str = "",
    id: str | None = None,
    secret: str = SECRET,
    signed_at: int | None = None,
) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a callback: a parcel came to a status."""
    tracker: dict[str, Any] = {
        "object": "Tracker",
        "tracking_code": number,
        "carrier": carrier,
        "status": status,
        "updated_at": (at or clock.now()).isoformat(),
        "location": place,
    }
    body = orjson.dumps({"object": "Event", "description": "tracker.updated", "result": tracker})
    id = id or ids.new_id("evt")
    stamp = str(int(clock.timestamp()) if signed_at is None else signed_at)
    signature = standard_signature(secret, id, stamp, body)
    return body, {"webhook-id": id, "webhook-timestamp": stamp, "webhook-signature": signature}


async def tell(hook: str, carrier: str, number: str, status: str) -> int:
    """Send a callback; the status of the answer."""
    body, headers = callback(carrier, number, status)
    async with ClientSession() as http, http.post(hook, data=body, headers=headers) as answer:
        return answer.status


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m devstack.carrier", description=__doc__)
    parser.add_argument("--hook", default="http://127.0.0.1:8000/hooks/carrier", help="Address to post to.")
    parser.add_argument("carrier", help="DHL, UPS and so on, as the parcel has it.")
    parser.add_argument("number", help="Tracking number of the parcel.")
    parser.add_argument("status", help="Word of the tracking service, such as in_transit or delivered.")
    given = parser.parse_args()
    status = asyncio.run(tell(given.hook, given.carrier, given.number, given.status))
    parser.exit(status >= 300, f"{status}\n")


if __name__ == "__main__":
    main()
