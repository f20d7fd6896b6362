"""Lookups, mappings, scans and stacks, as clients see them."""

from datetime import date, datetime
from decimal import Decimal

from core.graphql import (
    Edge,
    called,
    dated,
    derived,
    input_,
    key,
    local,
    many,
    node,
    personal,
    type_,
    visible,
)
from core.graphql.common import Entity, Node, UserError
from core.ids import Id
from core.values.text import Opaque
from loaders.media import MediaById
from resolvers.barcode import looking_up
from schema.catalog import Product, ProductVariant
from schema.media import Media
from stores.barcode import (
    BarcodeFormat,
    BarcodeLookupStatus,
    BarcodeMappingStatus,
    BarcodeRejectReason,
    BarcodeSource,
    BarcodeSubmissionStatus,
    PackagingLevel,
    ScanOrigin,
    ScanResultStatus,
    ScanStatus,
)

HIDDEN_PRODUCT = (
    "Products are not synced: one that is hidden or comes back shows when this is next told or read."
)


def _day(elements: dict[str, str | None]) -> date | None:
    written = elements["expires_on"]
    return date.fromisoformat(written) if written else None


@type_
class BarcodeElements:
    """Elements of a code that tell of one package: its batch, its expiry and the like."""

    batch: str | None
    """Batch or lot number of the package; null when the code has none."""
    serial: str | None
    """Serial number of the package; null when the code has none."""
    expires_on: date | None = derived(_day, "expires_on")
    """Day on which the package expires; null when the code has none, or one that is no day."""
    net_weight_kilograms: Decimal | None
    """Net weight of the package in kilograms; null when the code has none."""


@type_
class BarcodeCandidate:
    """Product that a code may be of."""

    product: Product
    """Product that the code may be of."""
    variant: ProductVariant
    """Variant of the product, whose id to choose."""
    confidence: float
    """Confidence that it is this one, 0 to 1."""
    packaging: PackagingLevel
    """Packaging level of what was scanned: the article, or a case of it."""


@type_
class ExternalArticle:
    """Article by a source outside of the shop, which is no product of the catalog."""

    name: str
    """Name of the article in the source."""
    brand: str
    """Brand of the article in the source; may be empty."""
    attribution: str
    """Attribution to show beside the name, as the source's license asks."""


@called("barcode mapping", "barcode mappings")
@node("barcode_mapping")
class BarcodeMapping(Entity):
    """Mapping of a number to the variant that has it; public while it is active."""

    gtin: str
    """Number in normal form: a GTIN of 14 digits."""
    product: Product | None = dated(visible("product_id"), HIDDEN_PRODUCT)
    """Product that the number is of; null when it is hidden from you."""
    variant: ProductVariant | None = dated(visible("variant_id"), HIDDEN_PRODUCT)
    """Variant that the number is of; null when it is hidden from you."""
    mapping_source: BarcodeSource
    """Source that made the mapping: the catalog, or the staff."""
    status: BarcodeMappingStatus
    """Status of the mapping; those that are withdrawn are for staff."""
    confidence: float
    """Confidence that the number is of this variant, 0 to 1; 1 is exact."""


@node("barcode_reject")
class BarcodeReject(Node):
    """Code of a variant in the catalog that became no mapping; for staff."""

    variant: ProductVariant | None = visible("variant_id")
    """Variant that has the code in the catalog; null when it is gone."""
    barcode: str = key("code")
    """Code as the catalog has it."""
    reject_reason: BarcodeRejectReason
    """Reason for which the code became no mapping."""
    rejected_at: datetime
    """Time at which the code was first seen with this reason."""


@node("scan_record")
class ScanRecord(Entity):
    """Scan of yours. What you scan is stored encrypted, and nobody else sees it."""

    barcode: str = key("code")
    """Code as it was scanned or typed, at most 200 characters."""
    gtin: str
    """Number in normal form: a GTIN of 14 digits."""
    elements: BarcodeElements | None
    """Batch, expiry and the like of the package; null when the code has none of them."""
    status: ScanStatus
    """Status of the scan: what its code was found to be."""
    product: Product | None = dated(visible("product_id"), HIDDEN_PRODUCT)
    """Product that was scanned; null while it is unknown, and when it is hidden."""
    variant: ProductVariant | None = dated(visible("variant_id"), HIDDEN_PRODUCT)
    """Variant that was scanned; null while it is unknown, and when it is hidden."""
    product_name: str | None
    """Brand and name of the product when it was matched; null while it is unknown."""
    matched_from: ScanOrigin
    """Origin of the match that the app showed, as the app said."""
    device_id: Id | None
    """Id of the device that scanned; null when the device is not known."""
    scanned_at: datetime
    """Time of the scan by the device's clock; the server's where that was more than 5 minutes ahead."""
    received_at: datetime
    """Time at which the server received the scan."""
    matched_at: datetime | None
    """Time at which the product was matched; null while it is unknown."""
    time_zone: str
    """Time zone in which it was scanned, as in the IANA database."""


@node("barcode_submission")
class BarcodeSubmission(Entity):
    """Code that you submitted for review; reviewers see it too, without your name."""

    barcode: str = key("code")
    """Code as it was scanned or typed, at most 200 characters."""
    gtin: str
    """Number in normal form: a GTIN of 14 digits."""
    images: list[Media] = many(MediaById, key="image_ids")
    """Photos that have been processed, at most 3; their URLs are good for five minutes."""
    context: str | None
    """Remarks about the code, at most 500 characters; null when there are none."""
    status: BarcodeSubmissionStatus
    """Status of the submission on its way through the review."""
    decision_reason: str | None
    """Reason of the decision, or what a reviewer asks for; null when there is none."""
    product: Product | None = dated(visible("product_id"), HIDDEN_PRODUCT)
    """Product that was found; null while there is none, and when it is hidden."""
    submitted_at: datetime
    """Time at which the code was submitted."""
    decided_at: datetime | None
    """Time of the final decision; null while the submission is open."""


@type_
class BarcodeLookup:
    """Lookup of a code: its kind, its number and its product."""

    code: str
    """Code as it was given."""
    gtin: str | None
    """Number in normal form, a GTIN of 14 digits; null for a code without one."""
    format: BarcodeFormat | None
    """Format of the code; null when it is none."""
    status: BarcodeLookupStatus
    """Status of what the code was found to be."""
    product: Product | None
    """Product of the code; null unless the status is MATCHED."""
    variant: ProductVariant | None
    """Variant of the code; null unless the status is MATCHED."""
    elements: BarcodeElements | None
    """Batch, expiry and the like of the package; null when the code has none of them."""
    candidates: list[BarcodeCandidate]
    """Products to choose from, at most 10: those of an AMBIGUOUS code, and those in a case that nobody
    knows."""
    confidence: float | None
    """Confidence of the match, 0 to 1, where 1 is exact; null when there is none."""
    source: BarcodeSource | None
    """Source that knows the code; null when none does."""
    external: ExternalArticle | None
    """Article by a source outside of the shop; null when none was asked or knows it."""
    note: str | None = local(looking_up.note, "note", "note_values")
    """Note on the status for people, in the language of `Accept-Language`, or in English; null when there is
    nothing to say."""
    viewer_submission: BarcodeSubmission | None = personal(key("viewer_submission"))
    """Submission of yours that is open for the code; null when there is none."""
    mapping_version: int | None
    """Version of the mapping that matched; null when none did."""
    checked_at: datetime
    """Time at which the code was looked up."""
    cache_seconds: int = derived(looking_up.cache_seconds, "status")
    """Seconds for which an app may keep the lookup: 300 for a match, 60 for what was not found."""


@input_
class ScanRecordInput:
    """Scan that was made without a connection."""

    id: Id | None
    """Id of the scan, minted by the app when it was made: the same id again makes no second scan. REQUIRED
    when left out."""
    code: Opaque
    """Code as it was scanned or typed, 1 to 200 characters, GS1 separators included."""
    format: BarcodeFormat | None
    """Format that the scanner told; guessed when left out."""
    product_id: Id | None
    """Id of the product that the app showed; none when left out."""
    product_variant_id: Id | None
    """Id of the variant that the person chose among several; none when left out."""
    matched_from: ScanOrigin
    """Origin of the match that the app showed."""
    scanned_at: datetime
    """Time of the scan by the device's clock, at most 90 days ago."""
    time_zone: str
    """Time zone of the device, such as `Europe/Vienna`."""
    device_id: Id | None
    """Id of the device that scanned; that of the session when left out."""


@type_
class ScanRecordResult:
    """Outcome of one scan of a batch."""

    item_id: Id
    """Id of the scan, as sent."""
    status: ScanResultStatus
    """Status of the scan: whether it was stored, and as what."""
    scan_record: ScanRecord | None
    """Scan as stored, or the one that it repeats; null when refused."""
    scan_record_edge: Edge[ScanRecord] | None
    """Edge of the scan record in your history; null when refused."""
    lookup: BarcodeLookup | None
    """Lookup of the code; null when refused."""
    replayed: bool
    """True if the scan was stored before, by an earlier batch."""
    errors: list[UserError]
    """Refusals of the scan, at most 1; fields are named within the scan."""
