"""Review of submitted codes, and mappings, for the staff."""

from datetime import datetime

from core import nodes
from core.audit import Audited
from core.graphql import Page, connection, derived, mutation, node, query, type_, visible
from core.graphql.common import Node
from resolvers.barcode import mapping, reviewing
from schema.auth import User
from schema.barcode.types import BarcodeMapping, BarcodeReject, BarcodeSubmission
from schema.catalog import Product, ProductVariant
from stores.barcode import BarcodeSubmissionStatus
from stores.catalog import BARCODE_REVIEWER, CATALOG_ADMIN


@node("review_case")
class ReviewCase(Node):
    """Case of a number that people submitted: all submissions follow its decision; for staff."""

    version: int
    """Version of the case, raised by each decision and claim; send it as `expectedVersion`."""
    created_at: datetime
    """Time of the first submission of the number."""
    updated_at: datetime
    """Time of the last change of the case."""
    gtin: str
    """Number in normal form: a GTIN of 14 digits."""
    submissions: Page[BarcodeSubmission] = connection(reviewing.case_submissions, reads=["_id"])
    """Submissions of the number, latest first."""
    submission_count: int
    """Number of people who submitted the number."""
    scan_count: int
    """Number of unmatched scans of the number, counted daily, up to 10,000."""
    photo_codes: list[str]
    """Codes that were read from the photos, in normal form where they are numbers, at most 20."""
    photo_codes_differ: bool = derived(reviewing.photo_codes_differ, "photo_codes", "gtin")
    """True if a photo shows another code than the one that was submitted."""
    status: BarcodeSubmissionStatus
    """Status of the case, which its submissions follow."""
    assignee: User | None = visible("assignee_id")
    """Reviewer who claimed the case last; null when nobody has."""
    leased_until: datetime | None
    """Time until which the case is its assignee's alone; null when it is not claimed."""
    product: Product | None = visible("product_id")
    """Product that the number was matched with; null when there is none."""
    variant: ProductVariant | None = visible("variant_id")
    """Variant that the number was matched with; null when there is none."""
    decision_reason: str | None
    """Reason of the decision; null when there is none."""
    decided_at: datetime | None
    """Time of the final decision; null while the case is open."""


@type_
class ReviewQueries:
    """Reading cases, mappings and rejects."""

    review_case: ReviewCase | None = query(nodes.reader("review_case"), roles=(BARCODE_REVIEWER,))
    """Case of a submitted number by its id; null when there is none."""
    barcode_review_queue: Page[ReviewCase] = query(reviewing.review_queue, roles=(BARCODE_REVIEWER,))
    """Cases of submitted codes, those first that most people submitted, then the oldest."""
    barcode_rejects: Page[BarcodeReject] = query(mapping.barcode_rejects, roles=(CATALOG_ADMIN,))
    """Codes of the catalog that became no mapping, latest seen first."""


@type_
class ReviewMutations:
    """Deciding on submitted codes, and on mappings."""

    claim_review_case = mutation(
        reviewing.claim_review_case,
        roles=(BARCODE_REVIEWER,),
        refuses="CASE_CLAIMED CONFLICT",
        returns={"review_case": (ReviewCase, "The case as it is now; null when there is none.")},
        audit=Audited("barcode.case_claimed", "DECISION_MADE", "CATALOG", resource="review_case_id"),
    )
    """Claim a case, to have it alone for 30 minutes; a second claim of yours begins them anew."""
    decide_review_case = mutation(
        reviewing.decide_review_case,
        roles=(BARCODE_REVIEWER,),
        refuses="BARCODE_ALREADY_MAPPED CASE_CLAIMED LIMIT_REACHED REQUIRED TOO_LONG WRONG_STATUS",
        returns={
            "review_case": ReviewCase,
            "product": (Product, "Product that has the code already, when refused for that; else null."),
        },
        audit=Audited("barcode.case_decided", "DECISION_MADE", "CATALOG", resource="review_case_id"),
        decision="Decision on the case; after MATCH and REJECT there is no other.",
        product_variant_id="Id of the variant that the code is of, needed for MATCH.",
        reason="Reason that those who submitted the code are told, at most 500 characters; needed for REJECT "
        "and NEEDS_INFO.",
        allow_multiple="True to map the code beside another product that has it.",
    )
    """Decide on the code of a case. All submissions and scans of the code follow within seconds, and those
    who submitted it are told."""
    set_barcode_mapping = mutation(
        mapping.set_barcode_mapping,
        roles=(CATALOG_ADMIN,),
        refuses="BARCODE_ALREADY_MAPPED BARCODE_RESTRICTED BARCODE_UNSUPPORTED INVALID_FORMAT LIMIT_REACHED "
        "TOO_LONG",
        returns={
            "barcode_mapping": BarcodeMapping,
            "product": (Product, "Product that has the code already, when refused for that; else null."),
        },
        audit=Audited("barcode.mapping_set", "DATA_MODIFIED", "CATALOG"),
        code="Code to map, at most 200 characters, in any format.",
        format="Format of the code; guessed when left out.",
        product_variant_id="Id of the variant that the code is of.",
        allow_multiple="True to map the code beside another product that has it: lookups are AMBIGUOUS then.",
        expected_version="Version of the mapping that was edited, 0 when there was none: CONFLICT if there "
        "is a newer one. The last writer wins when left out.",
    )
    """Set the product of a code for everybody; what the catalog lists changes it no longer. Scans and
    submissions of the code follow within seconds."""
    withdraw_barcode_mapping = mutation(
        mapping.withdraw_barcode_mapping,
        roles=(CATALOG_ADMIN,),
        returns={"barcode_mapping": BarcodeMapping},
        audit=Audited("barcode.mapping_withdrawn", "DATA_MODIFIED", "CATALOG", resource="barcode_mapping_id"),
        expected_version="Version of the mapping that was edited: CONFLICT if there is a newer one. The last "
        "writer wins when left out.",
    )
    """Withdraw the mapping of a code: devices forget it, and scans of the code are unmatched again. It can be
    set anew."""
