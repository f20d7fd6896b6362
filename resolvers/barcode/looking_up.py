"""Lookup of codes: what each is, which product it is of, and how that is known."""

from collections.abc import Mapping, Sequence
from typing import Any

from core import clock, messages
from core.context import Context
from core.errors import BadUserInput, UserError
from core.messages import gettext_noop
from core.security.limits import Rate
from core.storage.loader import by_id
from core.values.text import Opaque
from loaders.barcode import MappingsByGtin, OpenSubmissionByGtin
from resolvers.barcode import carriers, metrics
from resolvers.barcode.carriers import LONGEST_CODE, Barcode
from resolvers.barcode.sealing import choice_place, gtin_index, opened_submission
from resolvers.catalog import visible_products
from stores import barcode as store
from stores.barcode import (
    BarcodeFormat,
    BarcodeLookupStatus,
    BarcodeMapping,
    BarcodeRejectReason,
    BarcodeSource,
    PackagingLevel,
)

LOOKUP_RATE = Rate("barcode-lookups", 120, 60)
ANONYMOUS_RATE = Rate("barcode-lookups-address", 30, 60)
MOST_CODES = 100
EXACT = 1.0
FOUND_SECONDS, NOT_FOUND_SECONDS = 300, 60
"""Seconds for which a lookup may be kept."""

FAULTS: Mapping[BarcodeRejectReason, str] = {
    BarcodeRejectReason.NOT_DIGITS: gettext_noop("The code has something in it that no barcode has."),
    BarcodeRejectReason.LENGTH: gettext_noop("No barcode has so many digits."),
    BarcodeRejectReason.CHECK_DIGIT: gettext_noop("The last digit does not fit the others."),
}
NO_ARTICLE = gettext_noop("The code is not one of a product.")
OF_ONE_SHOP = gettext_noop("The number is one of a single shop or region.")
CASE_OF = gettext_noop("case of {gtin}")
SEVERAL = gettext_noop("Several products have this code: choose yours.")

Document = Mapping[str, Any]
Lookup = dict[str, Any]


async def barcode_lookup(ctx: Context, *, code: Opaque, format: BarcodeFormat | None = None) -> Lookup:
    """Lookup of a code; open to everybody."""
    await _limit(ctx)
    [found] = await resolve(ctx, [carriers.read(_short(code), format)])
    return found


async def barcode_lookups(ctx: Context, *, codes: list[Opaque]) -> list[Lookup]:
    """Lookups of some codes, in their order; one that comes twice is answered alike."""
    if len(codes) > MOST_CODES:
        raise BadUserInput(f"At most {MOST_CODES} codes.")
    await _limit(ctx)
    known = {code: carriers.read(_short(code)) for code in dict.fromkeys(codes)}
    found = dict(zip(known, await resolve(ctx, list(known.values())), strict=True))
    return [found[code] for code in codes]


async def _limit(ctx: Context) -> None:
    if ctx.viewer is None:
        await ctx.limit_request(ANONYMOUS_RATE, ctx.network)
    else:
        await ctx.limit_request(LOOKUP_RATE)


def _short(code: str) -> str:
    if len(code) > LONGEST_CODE:
        raise BadUserInput(f"A code has at most {LONGEST_CODE} characters.")
    return code


def checked(code: str, format: BarcodeFormat | None) -> Barcode:
    """The code of a mutation's input; refused where it is none of an article."""
    if len(code) > LONGEST_CODE:
        raise UserError("TOO_LONG", "At most {limit} characters.", field=["code"], limit=LONGEST_CODE)
    barcode = carriers.read(code, format)
    if barcode.fault is not None:
        message = FAULTS[barcode.fault]
        raise UserError("INVALID_FORMAT", message, field=["code"])
    if barcode.gtin is None:
        raise UserError("BARCODE_UNSUPPORTED", NO_ARTICLE, field=["code"])
    return barcode


def number_of(barcode: Barcode) -> str:
    """The number of a code that was checked."""
    assert barcode.gtin is not None
    return barcode.gtin.digits


async def resolve(ctx: Context, barcodes: Sequence[Barcode], *, chosen: bool = True) -> list[Lookup]:
    """Lookups of codes, read together; those with candidates as the viewer chose before, if `chosen`."""
    wanted = [each for barcode in barcodes for each in _numbers(barcode)]
    indexes = {gtin: gtin_index(ctx.services.crypto, gtin) for gtin in dict.fromkeys(wanted)}
    rows = await ctx.load_many(MappingsByGtin, list(indexes.values()))
    mapped = dict(zip(indexes, rows, strict=True))
    product_ids = list(dict.fromkeys(row["product_id"] for found in rows for row in found))
    products = dict(zip(product_ids, await visible_products(ctx, product_ids), strict=True))
    candidates = {
        gtin: [each for row in found if (each := _candidate(row, products))] for gtin, found in mapped.items()
    }
    lookups = [_lookup(barcode, candidates) for barcode in barcodes]
    if ctx.viewer is not None:
        await _submitted(ctx, lookups)
    if ctx.viewer is not None and chosen:
        await _chosen(ctx, lookups, indexes)
    await _external(ctx, lookups)
    for each in lookups:
        metrics.LOOKUPS.labels(each["status"], each["source"] or "").inc()
    return lookups


def _numbers(barcode: Barcode) -> list[str]:
    if barcode.gtin is None or barcode.gtin.restricted:
        return []
    inner = barcode.gtin.contained
    return [barcode.gtin.digits, *([inner] if inner else [])]


def _candidate(row: BarcodeMapping, products: Mapping[str, Any]) -> dict[str, Any] | None:
    """The product of a mapping; None for one that is hidden, or has lost the variant."""
    product = products.get(row["product_id"])
    variants = product["variants"] if product else ()
    variant = next((each for each in variants if each["_id"] == row["variant_id"]), None)
    if variant is None:
        return None
    return {
        "product": product,
        "variant": variant,
        "confidence": row["confidence"],
        "packaging": PackagingLevel.EACH,
        "source": row["mapping_source"],
        "version": row["version"],
    }


def _lookup(barcode: Barcode, candidates: Mapping[str, list[dict[str, Any]]]) -> Lookup:
    """Lookup of a code as everybody has it."""
    lookup = _unmatched(barcode)
    if barcode.fault is not None:
        return lookup | {"status": BarcodeLookupStatus.INVALID, "note": FAULTS[barcode.fault]}
    if barcode.gtin is None:
        return lookup | {"status": BarcodeLookupStatus.UNSUPPORTED, "note": NO_ARTICLE}
    if barcode.gtin.restricted:
        return lookup | {"status": BarcodeLookupStatus.RESTRICTED, "note": OF_ONE_SHOP}
    found = candidates[barcode.gtin.digits]
    if len(found) == 1:
        return lookup | _match(found[0])
    if found:
        return lookup | {"status": BarcodeLookupStatus.AMBIGUOUS, "candidates": found, "note": SEVERAL}
    if inner := barcode.gtin.contained:
        cases = [{**each, "packaging": PackagingLevel.CASE} for each in candidates[inner]]
        return lookup | {"candidates": cases, "note": CASE_OF, "note_values": {"gtin": inner}}
    return lookup


def _unmatched(barcode: Barcode) -> Lookup:
    return {
        "code": barcode.text,
        "gtin": barcode.gtin and barcode.gtin.digits,
        "format": barcode.format,
        "status": BarcodeLookupStatus.UNMATCHED,
        "product": None,
        "variant": None,
        "elements": carriers.plain(barcode.elements),
        "candidates": [],
        "confidence": None,
        "source": None,
        "external": None,
        "note": None,
        "note_values": {},
        "viewer_submission": None,
        "mapping_version": None,
        "checked_at": clock.now(),
    }


def _match(found: Document, source: BarcodeSource | None = None) -> dict[str, Any]:
    return {
        "status": BarcodeLookupStatus.MATCHED,
        "product": found["product"],
        "variant": found["variant"],
        "candidates": [],
        "confidence": found["confidence"],
        "source": source or found["source"],
        "note": None,
        "note_values": {},
        "mapping_version": found["version"],
    }


async def _submitted(ctx: Context, lookups: Sequence[Lookup]) -> None:
    """Say which codes the viewer has submitted."""
    unknown = [each for each in lookups if each["status"] == BarcodeLookupStatus.UNMATCHED]
    rows = await ctx.load_many(OpenSubmissionByGtin, [each["gtin"] for each in unknown])
    for lookup, row in zip(unknown, rows, strict=True):
        if row is not None:
            lookup["status"] = BarcodeLookupStatus.PENDING_REVIEW
            lookup["viewer_submission"] = opened_submission(ctx.services.crypto, row)


async def _chosen(ctx: Context, lookups: Sequence[Lookup], indexes: Mapping[str, str]) -> None:
    """Match codes that the viewer has chosen a product for before."""
    several = [each for each in lookups if each["candidates"]]
    ids = [store.choice_id(ctx.viewer_id, indexes[each["gtin"]]) for each in several]
    for lookup, row in zip(several, await ctx.load_many(by_id(store.choices), ids), strict=True):
        variant_id = row and ctx.services.crypto.open(row["sealed"], place=choice_place(row["_id"]))
        if found := candidate(lookup, variant_id):
            lookup |= _match(found, BarcodeSource.USER_CHOICE)


def candidate(lookup: Document, variant_id: str | None) -> dict[str, Any] | None:
    """The candidate with this variant; None where there is none."""
    return next((each for each in lookup["candidates"] if each["variant"]["_id"] == variant_id), None)


def choose(lookup: Document, variant_id: str) -> Lookup:
    """The lookup with the variant that its viewer chose; INVALID_INPUT for one that is no candidate."""
    found = candidate(lookup, variant_id)
    if found is None:
        raise UserError("INVALID_INPUT", "Choose one of the candidates.", field=["productVariantId"])
    return {**lookup, **_match(found, BarcodeSource.USER_CHOICE)}


async def _external(ctx: Context, lookups: Sequence[Lookup]) -> None:
    """Names by a source outside of the shop, where they were asked for before; never waited for."""
    unknown = [
        each
        for each in lookups
        if each["gtin"]
        and each["status"] in (BarcodeLookupStatus.UNMATCHED, BarcodeLookupStatus.PENDING_REVIEW)
    ]
    rows = await ctx.load_many(by_id(store.external_names), [each["gtin"] for each in unknown])
    for lookup, row in zip(unknown, rows, strict=True):
        if row is not None and row["name"]:
            lookup |= {"external": row, "source": BarcodeSource.EXTERNAL}


def cache_seconds(lookup: Document) -> int:
    found = lookup["status"] in (BarcodeLookupStatus.MATCHED, BarcodeLookupStatus.AMBIGUOUS)
    return FOUND_SECONDS if found else NOT_FOUND_SECONDS


def note(ctx: Context, lookup: Document) -> str | None:
    """The note in the caller's language."""
    return lookup["note"] and messages.text(lookup["note"], lookup["note_values"], ctx.language)
