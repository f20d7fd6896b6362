"""Enums of the barcode scanner: formats, statuses, decisions."""

from enum import StrEnum


class BarcodeFormat(StrEnum):
    """Format of a scanned code."""

    UPC_A = "UPC_A"
    """Twelve digits, as on goods of North America."""
    UPC_E = "UPC_E"
    """Eight digits that stand for a UPC-A with zeros left out."""
    EAN_13 = "EAN_13"
    """Thirteen digits, those of books and magazines included."""
    EAN_8 = "EAN_8"
    """Eight digits, on small packages."""
    GTIN_14 = "GTIN_14"
    """Fourteen digits, as on cases of goods."""
    GS1_ELEMENTS = "GS1_ELEMENTS"
    """GS1 element strings, as in GS1-128 and GS1 DataMatrix, or written with brackets."""
    GS1_DIGITAL_LINK = "GS1_DIGITAL_LINK"
    """Web address that holds the number, as GS1 Digital Link."""


class BarcodeLookupStatus(StrEnum):
    """Status of what a code was found to be."""

    MATCHED = "MATCHED"
    """The code is of one product, or you chose one for it."""
    UNMATCHED = "UNMATCHED"
    """Nobody knows the product of the code: submit it, so that it is looked into."""
    AMBIGUOUS = "AMBIGUOUS"
    """The code is of several products, which are the candidates to choose from."""
    PENDING_REVIEW = "PENDING_REVIEW"
    """Nobody knows the product yet, and your submission of the code is open."""
    RESTRICTED = "RESTRICTED"
    """The number is one of a single shop or region: it is not the same product elsewhere."""
    UNSUPPORTED = "UNSUPPORTED"
    """The code is well-formed, and not of a product: an asset, for example."""
    INVALID = "INVALID"
    """The code is damaged or mistyped; `note` says in what way."""


class BarcodeSource(StrEnum):
    """Source of the match of a code with a product."""

    CATALOG = "CATALOG"
    """The catalog, whose supplier listed the code for the product."""
    REVIEW = "REVIEW"
    """The staff of the shop, who looked into the code or set its product."""
    USER_CHOICE = "USER_CHOICE"
    """Your own choice among several products; nobody else sees it."""
    EXTERNAL = "EXTERNAL"
    """A source outside of the shop, which knows a name and no product of the catalog."""


class BarcodeMappingStatus(StrEnum):
    """Status of a barcode mapping."""

    ACTIVE = "ACTIVE"
    """The code leads to the product; it can be withdrawn."""
    WITHDRAWN = "WITHDRAWN"
    """The code leads to the product no longer; it can be set again."""


class BarcodeRejectReason(StrEnum):
    """Reason for which a code of the catalog became no mapping."""

    NOT_DIGITS = "NOT_DIGITS"
    """The code has something else than digits in it."""
    LENGTH = "LENGTH"
    """The code has not 8, 12, 13 or 14 digits."""
    CHECK_DIGIT = "CHECK_DIGIT"
    """The last digit does not fit the others."""
    RESTRICTED = "RESTRICTED"
    """The number is one of a single shop or region."""
    TAKEN = "TAKEN"
    """The number is mapped to another variant."""


class PackagingLevel(StrEnum):
    """Packaging level of what was scanned."""

    EACH = "EACH"
    """The article itself was scanned."""
    CASE = "CASE"
    """A case that contains the article was scanned."""


class ScanStatus(StrEnum):
    """Status of a scan: what its code was found to be."""

    MATCHED = "MATCHED"
    """The product of the code is known; UNMATCHED follows where its mapping is withdrawn."""
    UNMATCHED = "UNMATCHED"
    """The product of the code is not known yet; MATCHED follows when it is."""
    AMBIGUOUS = "AMBIGUOUS"
    """The code is of several products; MATCHED follows when one is chosen."""
    RESTRICTED = "RESTRICTED"
    """The number is one of a single shop or region; it stays so."""


class ScanOrigin(StrEnum):
    """Origin of the match that the app showed when a code was scanned."""

    LOCAL_CACHE = "LOCAL_CACHE"
    """The app had the product in its own cache."""
    CATALOG_API = "CATALOG_API"
    """The app asked the server."""
    MANUAL = "MANUAL"
    """The code was typed in."""


class ScanResultStatus(StrEnum):
    """Status of one scan of a batch."""

    CREATED = "CREATED"
    """The scan was stored."""
    DUPLICATE = "DUPLICATE"
    """The scan repeats another one of the last ten seconds, which is shown: forget the one that was sent."""
    CORRECTED = "CORRECTED"
    """The scan was stored with another product than the app had shown."""
    REJECTED = "REJECTED"
    """The scan was refused for good: forget it."""
    DEFERRED = "DEFERRED"
    """The scan was not stored yet: send it again."""


class BarcodeSubmissionStatus(StrEnum):
    """Status of a submitted code on its way through the review."""

    PENDING = "PENDING"
    """The submission waits for a reviewer."""
    NEEDS_INFO = "NEEDS_INFO"
    """A reviewer asks for a photo or a remark: update the submission, which is PENDING then."""
    REVIEWED = "REVIEWED"
    """A reviewer has seen it, and the product is being made."""
    MATCHED = "MATCHED"
    """The product of the code was found. Final."""
    REJECTED = "REJECTED"
    """The code leads to no product; it may be submitted again after 30 days. Final."""


class ReviewCaseDecision(StrEnum):
    """Decision of a reviewer on a code."""

    MATCH = "MATCH"
    """The code is of the variant that is named."""
    REJECT = "REJECT"
    """The code is of no product of the catalog."""
    NEEDS_INFO = "NEEDS_INFO"
    """Those who submitted the code are asked for more."""
    REVIEWED = "REVIEWED"
    """The code was looked into, and its product is being made."""


class StackItemSource(StrEnum):
    """Source from which a product came into a stack."""

    SCAN = "SCAN"
    """The product was scanned."""
    SEARCH = "SEARCH"
    """The product was searched for."""
    ORDER = "ORDER"
    """The product was ordered."""
    MANUAL = "MANUAL"
    """The product was added by hand."""
