"""Scans as they are recorded: resolved anew by the server, repeats within ten seconds once."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypedDict

from core import ids, nodes, zones
from core.context import Context
from core.errors import UserError
from core.ids import Id
from core.mutations.references import Payload, referenced_id
from core.security.limits import Rate
from core.values.text import Opaque
from resolvers import auth
from resolvers.barcode import carriers, metrics, warmup
from resolvers.barcode.carriers import Barcode
from resolvers.barcode.looking_up import Lookup, checked, choose, number_of, resolve
from resolvers.barcode.sealing import choice_place, gtin_index, opened_scan, scan_place
from stores import barcode as store
from stores.barcode import BarcodeFormat, BarcodeLookupStatus, ScanOrigin, ScanRecord, ScanStatus, ScanWindow

SCAN_RATE = Rate("barcode-scans", 120, 60)
AHEAD = timedelta(minutes=5)
"""Time by which a device's clock may be ahead; what is later is taken to be now."""

STATUSES: Mapping[BarcodeLookupStatus, ScanStatus] = {
    BarcodeLookupStatus.MATCHED: ScanStatus.MATCHED,
    BarcodeLookupStatus.UNMATCHED: ScanStatus.UNMATCHED,
    BarcodeLookupStatus.PENDING_REVIEW: ScanStatus.UNMATCHED,
    BarcodeLookupStatus.AMBIGUOUS: ScanStatus.AMBIGUOUS,
    BarcodeLookupStatus.RESTRICTED: ScanStatus.RESTRICTED,
}


class Recorded(TypedDict):
    scan_record: dict[str, Any]
    scan_record_edge: dict[str, Any]
    lookup: Lookup
    deduplicated: bool
    corrected: bool
    deleted_scan_record_id: Id | None


async def record_scan(
    ctx: Context,
    *,
    id: Id | None = None,
    code: Opaque,
    format: BarcodeFormat | None = None,
    product_id: Id | None = None,
    product_variant_id: Id | None = None,
    matched_from: ScanOrigin,
    scanned_at: datetime,
    time_zone: str,
    device_id: Id | None = None,
) -> Recorded:
    """Record a scan that was just made."""
    await ctx.limit(SCAN_RATE)
    barcode = checked(code, format)
    [lookup] = await resolve(ctx, [barcode])
    said = {
        "product_id": product_id,
        "product_variant_id": product_variant_id,
        "matched_from": matched_from,
        "scanned_at": scanned_at,
        "time_zone": time_zone,
        "device_id": device_id,
    }
    await warmup.plan(ctx, ctx.viewer_id)
    return await store_scan(ctx, barcode, lookup, id=id, said=said)


async def store_scan(
    ctx: Context, barcode: Barcode, lookup: Lookup, *, id: str | None, said: Mapping[str, Any]
) -> Recorded:
    """Store a scan of what was looked up, or show the one that it repeats."""
    scanned_at = checked_moment(ctx, said["scanned_at"])
    if said["time_zone"] not in zones.names():
        raise UserError("INVALID_FORMAT", "There is no such time zone.", field=["timeZone"])
    device = auth.device_id(said["device_id"]) if said["device_id"] else ctx.signed_in.device_id
    index = gtin_index(ctx.services.crypto, number_of(barcode))
    minted = ids.minted(id, "scan_record")
    window = await _claimed(ctx, device, index)
    repeated = await _repeated(ctx, window, device, index, scanned_at)
    if repeated is not None:
        return _deduplicated(ctx, repeated, lookup, id)
    if (variant_id := said["product_variant_id"]) is not None:
        lookup = choose(lookup, variant_id)
        await keep_choice(ctx, index, variant_id)
    scan = await _insert(ctx, minted, lookup, device, index, {**said, "scanned_at": scanned_at})
    if window["scanned_at"] is None or scanned_at > window["scanned_at"]:
        latest: ScanWindow = {**window, "scan_id": scan["_id"], "scanned_at": scanned_at}
        ctx.tx.late.replace(store.windows, window["_id"], latest)
    shown_id = lookup["product"] and lookup["product"]["_id"]
    corrected = said["product_id"] is not None and said["product_id"] != shown_id
    metrics.SCANS.labels("corrected" if corrected else "created").inc()
    return _payload(ctx, scan, lookup, corrected=corrected)


def checked_moment(ctx: Context, at: datetime) -> datetime:
    """Moment of a scan by the clock of its device; OUT_OF_RANGE for more than 90 days ago."""
    now = ctx.tx.now
    if at < now - store.OLDEST_SCAN:
        raise UserError(
            "OUT_OF_RANGE", "At most {limit} days ago.", field=["scannedAt"], limit=store.OLDEST_SCAN.days
        )
    return now if at > now + AHEAD else at


async def _claimed(ctx: Context, device: str, index: str) -> ScanWindow:
    """The window of the code on the device, which no other transaction claims at the same time."""
    id = store.window_id(ctx.viewer_id, device, index)
    fresh = {"user_id": ctx.viewer_id, "scan_id": None, "scanned_at": None}
    kept = {"expires_at": ctx.tx.now + store.WINDOWS_KEPT}
    window = await ctx.tx.update(store.windows, id, set=kept, inc={"claims": 1}, initial=fresh, touch=False)
    assert window is not None
    return window


async def _repeated(
    ctx: Context, window: ScanWindow, device: str, index: str, at: datetime
) -> ScanRecord | None:
    """The scan that one at this moment repeats; the first of its window counts, which ends before 10 s."""
    latest = window["scanned_at"]
    if latest is None or at >= latest + store.REPEAT:
        return None
    return await store.covering(ctx.db, ctx.viewer_id, device, index, at)


async def _insert(
    ctx: Context, id: str, lookup: Lookup, device: str, index: str, said: Mapping[str, Any]
) -> ScanRecord:
    status = STATUSES[lookup["status"]]
    values = {
        "code": lookup["code"],
        "gtin": lookup["gtin"],
        "elements": lookup["elements"],
        **match_of(lookup["product"], lookup["variant"]),
    }
    made = {
        "_id": id,
        "user_id": ctx.viewer_id,
        "device_id": device,
        "gtin_index": index,
        "status": status,
        "matched_from": said["matched_from"],
        "scanned_at": said["scanned_at"],
        "received_at": ctx.tx.now,
        "matched_at": ctx.tx.now if status == ScanStatus.MATCHED else None,
        "time_zone": said["time_zone"],
        "sealed": ctx.services.crypto.seal_values(values, place=scan_place(id)),
    }
    return await ctx.tx.insert(store.scans, made)


def match_of(product: Mapping[str, Any] | None, variant: Mapping[str, Any] | None) -> dict[str, Any]:
    """Encrypted values of a scan that say which product it is of."""
    return {
        "product_id": product and product["_id"],
        "variant_id": variant and variant["_id"],
        "product_name": product and f"{product['brand']} {product['name']}",
    }


async def keep_choice(ctx: Context, index: str, variant_id: str) -> None:
    """Keep what the viewer chose for a number, for later scans of it."""
    id = store.choice_id(ctx.viewer_id, index)
    chosen = {
        "user_id": ctx.viewer_id,
        "sealed": ctx.services.crypto.seal(variant_id, place=choice_place(id)),
        "created_at": ctx.tx.now,
    }
    await ctx.tx.update(store.choices, id, set=chosen, initial={}, touch=False)


def _deduplicated(ctx: Context, scan: ScanRecord, lookup: Lookup, sent_id: str | None) -> Recorded:
    metrics.SCANS.labels("repeated").inc()
    payload = _payload(ctx, scan, lookup, deduplicated=True)
    return {**payload, "deleted_scan_record_id": Id(sent_id) if sent_id else None}


def _payload(
    ctx: Context, scan: ScanRecord, lookup: Lookup, *, corrected: bool = False, deduplicated: bool = False
) -> Recorded:
    clear = opened_scan(ctx.services.crypto, scan)
    return {
        "scan_record": clear,
        "scan_record_edge": edge(ctx, clear),
        "lookup": lookup,
        "deduplicated": deduplicated,
        "corrected": corrected,
        "deleted_scan_record_id": None,
    }


def edge(ctx: Context, scan: Mapping[str, Any]) -> dict[str, Any]:
    return store.scans.edge({"user_id": ctx.viewer_id}, store.LATEST, scan)  # type: ignore[arg-type]


async def looked_up_again(ctx: Context, stored: Payload, at: datetime) -> Payload:
    """The lookup of a replay: no receipt keeps what somebody scanned or submitted."""
    named = (referenced_id(stored.get(name)) for name in ("scan_record", "barcode_submission"))
    found = await nodes.visible(ctx, [id for id in named if id is not None])
    for each in found.values():
        [lookup] = await resolve(ctx, [carriers.read(each["code"])])
        return {"lookup": lookup}
    return {}
