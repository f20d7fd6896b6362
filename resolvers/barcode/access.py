"""Access guards of barcodes: mappings are for everybody, scans for who made them, cases for the staff."""

from collections.abc import Sequence
from typing import Any

from core import grants, nodes
from core.context import Context
from core.errors import ErrorKind, error_codes
from core.hooks import on
from core.nodes import guard, reader_scopes
from core.storage.loader import by_id, own_by_id
from resolvers.barcode.sealing import opened_scan, opened_submission
from stores import barcode as store
from stores.barcode import (
    MAPPING_STAFF,
    BarcodeMapping,
    BarcodeMappingStatus,
    gtin_scope,
)
from stores.catalog import BARCODE_REVIEWER, CATALOG_ADMIN

error_codes(
    ErrorKind.INVALID,
    BARCODE_UNSUPPORTED="The code is well-formed, and not of a product: an asset, for example.",
    BARCODE_RESTRICTED="The number is one of a single shop or region, which nobody maps for all.",
)
error_codes(
    ErrorKind.CONFLICT,
    BARCODE_ALREADY_MAPPED="The code is mapped to another product, which the payload shows.",
)
error_codes(
    ErrorKind.CONFLICT,
    retryable=True,
    CASE_CLAIMED="Another reviewer works on the case: try again after `retryAfterSeconds`.",
)
error_codes(
    ErrorKind.LIMIT,
    retryable=True,
    SUBMISSION_LIMIT="You have submitted as many codes as you may within a day: try again later.",
)

own_stacks = nodes.owned(store.stacks)
own_items = nodes.owned(store.items)
cases_for_staff = nodes.for_roles(store.cases, BARCODE_REVIEWER)
rejects_for_staff = nodes.for_roles(store.rejects, CATALOG_ADMIN)


@on(reader_scopes)
async def kept_scopes(ctx: Context) -> list[str]:
    """Scopes of the mappings that the viewer's devices keep."""
    kept = await ctx.load(by_id(store.warmup_sets), ctx.viewer_id)
    return [gtin_scope(each) for each in kept["gtin_indexes"]] if kept else []


@guard("barcode_mapping", sync="BARCODE_MAPPING", collection=store.mappings.name)
async def visible_mappings(ctx: Context, wanted: Sequence[str]) -> list[BarcodeMapping | None]:
    """Mappings, which are public while they are active."""
    found = await ctx.load_many(by_id(store.mappings), wanted)
    if all(each is None or each["status"] == BarcodeMappingStatus.ACTIVE for each in found):
        return found
    staff = await grants.holds(ctx, *MAPPING_STAFF)
    return [
        each if each and (staff or each["status"] == BarcodeMappingStatus.ACTIVE) else None for each in found
    ]


@guard("scan_record", sync="SCAN_RECORD", collection=store.scans.name, owner="user_id")
async def own_scans(ctx: Context, wanted: Sequence[str]) -> list[dict[str, Any] | None]:
    found = await ctx.load_many(own_by_id(store.scans), wanted)
    return [each and opened_scan(ctx.services.crypto, each) for each in found]


@guard("barcode_submission", sync="BARCODE_SUBMISSION", collection=store.submissions.name, owner="user_id")
async def visible_submissions(ctx: Context, wanted: Sequence[str]) -> list[dict[str, Any] | None]:
    """Submissions of the viewer, and all of them for reviewers."""
    if ctx.viewer is None:
        return [None for _ in wanted]
    reviewer = await grants.holds(ctx, BARCODE_REVIEWER)
    loader = by_id(store.submissions) if reviewer else own_by_id(store.submissions)
    found = await ctx.load_many(loader, wanted)
    return [each and opened_submission(ctx.services.crypto, each) for each in found]
