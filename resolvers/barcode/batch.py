"""Batches of scans that were made without a connection: each is an act of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypedDict

from core.context import Context
from core.errors import ERROR_CODES, ErrorKind, UserError
from core.mutations import batches
from core.mutations.batches import Item
from core.mutations.idempotency import Mutation
from core.mutations.references import Payload
from core.security.limits import Rate
from core.values.bounds import check_count
from resolvers.barcode import metrics, recording, warmup
from resolvers.barcode.carriers import Barcode
from resolvers.barcode.looking_up import Lookup, checked, resolve
from resolvers.barcode.recording import Claimed
from stores.barcode import ScanResultStatus

BATCH_RATE = Rate("barcode-batches", 30, 60)
MOST_SCANS = 100
OPTIONAL = ("format", "product_id", "product_variant_id", "device_id")

Row = Mapping[str, Any]


class RecordedAll(TypedDict):
    results: list[dict[str, Any]]


async def record_scans(ctx: Context, *, scans: Sequence[Row]) -> RecordedAll:
    """Record scans, the first made first; results in the order in which they were sent."""
    check_count(scans, least=1, most=MOST_SCANS, field="scans")
    if any(each.get("id") is None for each in scans):
        raise UserError("REQUIRED", "Mint an id, which makes a retry safe.", field=["scans", "id"])
    await ctx.limit(BATCH_RATE)
    metrics.BATCH_SIZE.observe(len(scans))
    known = await _looked_up(ctx, scans)
    lookups: dict[str, Lookup] = {}

    async def record(ctx: Context, *, scan: Row, prepared: Claimed | None = None) -> Payload:
        barcode, lookup = known.get(_named(scan)) or (_checked(scan), None)
        if lookup is None:
            [lookup] = await resolve(ctx, [barcode])
        said = dict.fromkeys(OPTIONAL) | dict(scan)
        recorded = await recording.store_scan(
            ctx, barcode, lookup, id=scan["id"], said=said, claimed=prepared
        )
        lookups[scan["id"]] = recorded["lookup"]
        # No receipt keeps what somebody scanned.
        return {name: value for name, value in recorded.items() if name != "lookup"}

    async def claim(ctx: Context, group: Sequence[Row]) -> Claimed:
        # Scans go together: all that one decides by are its window and the scans before it, which those of
        # its unit share. Operations on a cart do not: each reads the cart that the one before it has written.
        return await recording.claim(ctx, ((known[_named(each["scan"])][0], each["scan"]) for each in group))

    in_order = sorted(scans, key=lambda each: each["scanned_at"])
    items = [Item(each["id"], {"scan": each}, alone=_named(each) not in known) for each in in_order]
    payloads = await batches.run(ctx, replace(RECORD, resolver=record), items, together=claim)
    await ctx.unit(partial(warmup.plan, ctx, ctx.viewer_id))
    by_id = {payload["idempotency_key"]: payload for payload in payloads}

    def result(scan: Row) -> dict[str, Any]:
        _, looked_up = known.get(_named(scan), (None, None))
        return _result(by_id[scan["id"]], lookups.get(scan["id"], looked_up))

    return {"results": list(map(result, scans))}


async def _looked_up(ctx: Context, scans: Sequence[Row]) -> dict[Any, tuple[Barcode, Lookup]]:
    """Lookups of all codes of a batch, read together; those that are no codes are refused one by one."""
    barcodes: dict[Any, Barcode] = {}
    for each in scans:
        try:
            barcodes[_named(each)] = _checked(each)
        except UserError:
            continue
    lookups = await resolve(ctx, list(barcodes.values()))
    return {name: (barcodes[name], found) for name, found in zip(barcodes, lookups, strict=True)}


def _named(scan: Row) -> tuple[str, Any]:
    return scan["code"], scan.get("format")


def _checked(scan: Row) -> Barcode:
    return checked(scan["code"], scan.get("format"))


async def _unset(ctx: Context, *, scan: Row) -> Payload:
    raise NotImplementedError("Each batch has its own, with what it looked up.")


RECORD = Mutation(
    "recordScan of a batch",
    _unset,
    refuses=frozenset({"BARCODE_UNSUPPORTED", "ID_TAKEN", "INVALID_FORMAT", "OUT_OF_RANGE", "TOO_LONG"}),
)


def _result(payload: Mapping[str, Any], lookup: Lookup | None) -> dict[str, Any]:
    return {
        "scan_record": None,
        "scan_record_edge": None,
        "lookup": None if payload["errors"] else lookup,
        **payload,
        "item_id": payload["idempotency_key"],
        "status": _status(payload),
    }


def _status(payload: Mapping[str, Any]) -> ScanResultStatus:
    for error in payload["errors"]:
        later = ERROR_CODES[error["code"]].kind is ErrorKind.TRANSIENT
        return ScanResultStatus.DEFERRED if later else ScanResultStatus.REJECTED
    if payload["deduplicated"]:
        return ScanResultStatus.DUPLICATE
    return ScanResultStatus.CORRECTED if payload["corrected"] else ScanResultStatus.CREATED
