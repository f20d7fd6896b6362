"""Scans as they are recorded: resolved anew by the server, repeats within ten seconds once."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypedDict

from core import clock, ids, nodes, zones
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


@dataclass(frozen=True, slots=True)
class Claimed:
    """Windows that scans of one unit share, by their ids, and the scans in them that one may repeat."""

    windows: dict[str, ScanWindow]
    scans: dict[str, list[ScanRecord]]

    def record(self, window: ScanWindow, scan: ScanRecord) -> None:
        """Remember a scan, for those of the unit that come after it."""
        self.windows[window["_id"]] = window
        self.scans.setdefault(window["_id"], []).append(scan)

    def covering(self, window: ScanWindow, at: datetime) -> ScanRecord | None:
        """The scan in whose window of ten seconds the moment is."""
        if not _may_repeat(window, at):
            return None
        near = [
            each for each in self.scans.get(window["_id"], ()) if at - store.REPEAT < each["scanned_at"] <= at
        ]
        return max(near, key=lambda each: each["scanned_at"], default=None)


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
    ctx: Context,
    barcode: Barcode,
    lookup: Lookup,
    *,
    id: str | None,
    said: Mapping[str, Any],
    claimed: Claimed | None = None,
) -> Recorded:
    """Store a scan of what was looked up, or show the one that it repeats.

    Scans of one unit share what was `claimed` for them: what one leaves there the next one sees.
    """
    scanned_at = checked_moment(ctx, said["scanned_at"])
    if said["time_zone"] not in zones.names():
        raise UserError("INVALID_FORMAT", "There is no such time zone.", field=["timeZone"])
    device = _device(ctx, said)
    index = gtin_index(ctx.services.crypto, number_of(barcode))
    minted = ids.minted(id, "scan_record")
    window_id = store.window_id(ctx.viewer_id, device, index)
    window = claimed.windows[window_id] if claimed else await _claimed(ctx, window_id)
    repeated = None
    if claimed:
        repeated = claimed.covering(window, scanned_at)
    elif _may_repeat(window, scanned_at):
        repeated = await store.covering(ctx.db, ctx.viewer_id, device, index, scanned_at)
    if repeated is not None:
        return _deduplicated(ctx, repeated, lookup, id)
    if (variant_id := said["product_variant_id"]) is not None:
        lookup = choose(lookup, variant_id)
        await keep_choice(ctx, index, variant_id)
    scan = await _insert(ctx, minted, lookup, device, index, {**said, "scanned_at": scanned_at})
    if window["scanned_at"] is None or scanned_at > window["scanned_at"]:
        window = {**window, "scan_id": scan["_id"], "scanned_at": scanned_at}
        ctx.tx.late.replace(store.windows, window["_id"], window)
    if claimed:
        claimed.record(window, scan)
    shown_id = lookup["product"] and lookup["product"]["_id"]
    corrected = said["product_id"] is not None and said["product_id"] != shown_id
    _count(ctx, "corrected" if corrected else "created")
    return _payload(ctx, scan, lookup, corrected=corrected)


def checked_moment(ctx: Context, at: datetime) -> datetime:
    """Moment of a scan by the clock of its device; OUT_OF_RANGE for more than 90 days ago."""
    now = ctx.tx.now
    if at < now - store.OLDEST_SCAN:
        raise UserError(
            "OUT_OF_RANGE", "At most {limit} days ago.", field=["scannedAt"], limit=store.OLDEST_SCAN.days
        )
    # Those of one unit are compared with each other before they were stored.
    return now if at > now + AHEAD else clock.cut(at)


async def claim(ctx: Context, scans: Iterable[tuple[Barcode, Mapping[str, Any]]]) -> Claimed:
    """Windows of scans, which no other transaction claims at the same time, and the scans they may repeat."""
    moments: dict[str, list[datetime]] = {}
    named: dict[str, tuple[str, str]] = {}
    for barcode, said in scans:
        with suppress(UserError):
            # One that is refused is refused by itself.
            device, at = _device(ctx, said), checked_moment(ctx, said["scanned_at"])
            index = gtin_index(ctx.services.crypto, number_of(barcode))
            id = store.window_id(ctx.viewer_id, device, index)
            named[id] = (device, index)
            moments.setdefault(id, []).append(at)
    fresh, kept = _initial(ctx)
    change = {"$set": kept, "$inc": {"claims": 1}, "$setOnInsert": fresh}
    windows = {each["_id"]: each for each in await store.windows.upsert_each(ctx.db, named, change)}
    near = [(*named[id], at) for id, ats in moments.items() for at in ats if _may_repeat(windows[id], at)]
    earlier: dict[str, list[ScanRecord]] = {}
    for scan in await store.all_covering(ctx.db, ctx.viewer_id, near):
        id = store.window_id(ctx.viewer_id, scan["device_id"], scan["gtin_index"])
        earlier.setdefault(id, []).append(scan)
    return Claimed(windows, earlier)


async def _claimed(ctx: Context, id: str) -> ScanWindow:
    """One window, in one command."""
    fresh, kept = _initial(ctx)
    window = await ctx.tx.update(store.windows, id, set=kept, inc={"claims": 1}, initial=fresh, touch=False)
    assert window is not None
    return window


def _initial(ctx: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fields that a window begins with, and those that every claim renews."""
    fresh = {"user_id": ctx.viewer_id, "scan_id": None, "scanned_at": None}
    return fresh, {"expires_at": ctx.tx.now + store.WINDOWS_KEPT}


def _device(ctx: Context, said: Mapping[str, Any]) -> str:
    return auth.device_id(said["device_id"]) if said.get("device_id") else ctx.signed_in.device_id


def _may_repeat(window: ScanWindow, at: datetime) -> bool:
    """False for a scan after all of its window; the first of a window counts, which ends before 10 s."""
    latest = window["scanned_at"]
    return latest is not None and at < latest + store.REPEAT


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
    _count(ctx, "repeated")
    payload = _payload(ctx, scan, lookup, deduplicated=True)
    return {**payload, "deleted_scan_record_id": Id(sent_id) if sent_id else None}


def _count(ctx: Context, outcome: str) -> None:
    """Count a scan once it is kept: its unit may run again, or be given up with its group."""

    async def count() -> None:
        metrics.SCANS.labels(outcome).inc()

    ctx.tx.after_commit(count)


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
