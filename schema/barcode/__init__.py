"""The barcode scanner, as clients see it."""

from core import nodes
from core.audit import Audited
from core.graphql import Edge, Page, connection, local, mutation, node, query
from core.graphql.common import Node
from core.ids import Id
from resolvers.barcode import batch, history, looking_up, recording, submitting, warmup
from schema.barcode.reviews import ReviewCase, ReviewMutations, ReviewQueries
from schema.barcode.stacks import Stack, StackItem, StackMutations, StacksOfViewer
from schema.barcode.types import (
    BarcodeLookup,
    BarcodeMapping,
    BarcodeReject,
    BarcodeSubmission,
    ScanRecord,
    ScanRecordInput,
    ScanRecordResult,
)

__all__ = [
    "BarcodeMapping",
    "BarcodeReject",
    "BarcodeSubmission",
    "Mutation",
    "Query",
    "ReviewCase",
    "ScanRecord",
    "ScannerArea",
    "Stack",
    "StackItem",
    "Viewer",
]

KEPT = looking_up.NOT_FOUND_SECONDS
"""Seconds for which anybody may keep a lookup: who keeps it for others does not look into it."""
CODE = "Code as it was scanned or typed, 1 to 200 characters, GS1 separators included."
FORMAT = "Format that the scanner told; guessed when left out."


@node("scanner")
class ScannerArea(Node):
    """Scans of the viewer, and what goes with them."""

    scans: Page[ScanRecord] = connection(history.viewer_scans, reads=["_id"])
    """Scans of yours, latest first; at most the 5,000 latest of two years."""
    submissions: Page[BarcodeSubmission] = connection(submitting.viewer_submissions, reads=["_id"])
    """Codes that you submitted for review, latest first."""
    warmup: Page[BarcodeMapping] = connection(warmup.viewer_warmup, reads=["_id"])
    """Mappings to keep on the device, by number, at most 1,000: of your stacks, wishlist and recent
    purchases. Rebuilt once in an hour at most."""


class Query(ReviewQueries):
    barcode_lookup: BarcodeLookup = query(
        looking_up.barcode_lookup, max_age=looking_up.NOT_FOUND_SECONDS, code=CODE, format=FORMAT
    )
    """Lookup of one code, typed or scanned, in any format; open to everybody."""
    barcode_lookups: list[BarcodeLookup] = query(
        looking_up.barcode_lookups,
        max_age=looking_up.NOT_FOUND_SECONDS,
        codes="Codes as they were scanned or typed, at most 100.",
    )
    """Lookups of at most 100 codes, in the order of the codes; one that comes twice is answered alike."""
    barcode_mapping: BarcodeMapping | None = query(nodes.reader("barcode_mapping"))
    """Mapping of a number by its id; null when there is none, or it was withdrawn."""
    scan_record: ScanRecord | None = query(nodes.reader("scan_record"))
    """Scan of yours by its id; null when there is none."""
    barcode_submission: BarcodeSubmission | None = query(nodes.reader("barcode_submission"))
    """Submission of yours by its id; null when there is none."""
    stack: Stack | None = query(nodes.reader("stack"))
    """Stack of yours by its id; null when there is none."""
    stack_item: StackItem | None = query(nodes.reader("stack_item"))
    """Product in a stack of yours by its id; null when there is none."""


class Viewer(StacksOfViewer):
    scanner: ScannerArea = local(history.scanner)
    """Scans, submissions and mappings to keep, of the viewer."""


class Mutation(StackMutations, ReviewMutations):
    record_scan = mutation(
        recording.record_scan,
        refuses="BARCODE_UNSUPPORTED INVALID_FORMAT OUT_OF_RANGE TOO_LONG",
        returns={
            "scan_record": (ScanRecord, "Scan as stored, or the one that it repeats; null when refused."),
            "scan_record_edge": Edge[ScanRecord],
            "lookup": (BarcodeLookup, "Lookup of the code; null when refused."),
            "deduplicated": (
                bool,
                "True if the scan repeats another of the code, which is shown; null when refused.",
            ),
            "corrected": (
                bool,
                "True if the product is another than the app had shown; null when refused.",
            ),
            "deleted_scan_record_id": (
                Id,
                "Id of the scan that was sent, to be forgotten since it repeats another; else null.",
            ),
        },
        secrets=("lookup",),
        reissue=recording.looked_up_again,
        code=CODE,
        format=FORMAT,
        product_id="Id of the product that the app showed; none when left out.",
        product_variant_id="Id of the variant that the person chose among several; none when left out.",
        matched_from="Origin of the match that the app showed.",
        scanned_at="Time of the scan by the device's clock, at most 90 days ago; more than 5 minutes ahead "
        "it is taken to be now.",
        time_zone="Time zone of the device, such as `Europe/Vienna`.",
        device_id="Id of the device that scanned; that of the session when left out.",
    )
    """Record a scan, whose code the server looks up itself. The same code on the same device within ten
    seconds is the same scan."""
    record_scans = mutation(
        batch.record_scans,
        refuses="BARCODE_UNSUPPORTED ID_TAKEN INVALID_FORMAT OUT_OF_RANGE REQUIRED TOO_LONG TOO_MANY",
        returns={
            "results": (
                list[ScanRecordResult],
                "Outcome of each scan, in the order of the input; null when the batch is refused.",
            )
        },
        takes={"scans": list[ScanRecordInput]},
        transaction=False,
        receipt=False,
        scans="Scans to record, 1 to 100: each by itself, so that one that is refused stops no other.",
    )
    """Record scans that were made without a connection: each once, however often it is sent. After the first
    one that has to come again all others are DEFERRED."""
    delete_scan_record = mutation(history.delete_scan_record, returns={"deleted_scan_record_id": Id})
    """Delete a scan from your history, for good."""
    delete_scan_history = mutation(
        history.delete_scan_history,
        returns={"deleted_count": (int, "Number of scans that were deleted; null when refused.")},
        transaction=False,
        audit=Audited("barcode.history_cleared", "DATA_MODIFIED", inputs=("to",)),
        to="Time up to which scans are deleted, excluded; all of them when left out.",
    )
    """Delete your scans for good, all or those before a time; devices learn by delta which."""
    set_scan_product = mutation(
        history.set_scan_product,
        refuses="WRONG_STATUS",
        returns={
            "scan_record": ScanRecord,
            "lookup": (BarcodeLookup, "Lookup of the code as you see it from now on; null when refused."),
        },
        secrets=("lookup",),
        reissue=recording.looked_up_again,
        product_variant_id="Id of the variant that it is: one of the candidates of the code.",
    )
    """Set the product of a scan whose code is of several, or of a case; for you alone, and for later scans
    of the code too."""
    submit_barcode = mutation(
        submitting.submit_barcode,
        refuses="BARCODE_RESTRICTED BARCODE_UNSUPPORTED INVALID_FORMAT SUBMISSION_LIMIT TOO_LONG TOO_MANY "
        "UPLOAD_NOT_READY UPLOAD_REJECTED",
        returns={
            "barcode_submission": (BarcodeSubmission, "Submission as it is now; null when refused."),
            "barcode_submission_edge": (
                Edge[BarcodeSubmission],
                "Edge of the submission among yours, latest first; null when refused.",
            ),
            "lookup": (BarcodeLookup, "Lookup of the code; null when refused."),
        },
        secrets=("lookup",),
        reissue=recording.looked_up_again,
        code=CODE,
        format=FORMAT,
        upload_ids="Ids of your uploads with the purpose BARCODE_PHOTO, completed, at most 3.",
        context="Remarks about the product, at most 500 characters.",
        scan_record_id="Id of the scan that found no product, one of yours.",
    )
    """Submit a code that nobody knows for review, at most 20 a day. A code that is known meanwhile is MATCHED
    at once; an open submission of yours for the same code takes what is new in this one."""
    update_barcode_submission = mutation(
        submitting.update_barcode_submission,
        refuses="TOO_LONG TOO_MANY UPLOAD_NOT_READY UPLOAD_REJECTED WRONG_STATUS",
        returns={"barcode_submission": BarcodeSubmission},
        upload_ids="Ids of the uploads of all photos, at most 3: those shown already, and new ones.",
        context="Remarks about the product, at most 500 characters.",
    )
    """Update a submission while it is PENDING or NEEDS_INFO; what was asked for makes it PENDING again."""
    delete_barcode_submission = mutation(
        submitting.delete_barcode_submission, returns={"deleted_barcode_submission_id": Id}
    )
    """Delete a submission of yours for good, with its photos."""
