"""Reviews of products: moderated before they are shown."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from core import ids, jobs, paging
from core.audit import Act, record
from core.context import Context
from core.errors import UserError
from core.hooks import Hook
from core.ids import Id
from core.nodes import for_update
from core.paging import PageArgs
from core.security.limits import Rate
from core.storage.loader import by_id
from core.values.bounds import check_length
from core.values.text import Line
from loaders.auth import UserById
from loaders.catalog import OwnReview, ReviewPage, ReviewsByProduct
from resolvers import auth
from stores.catalog import people as store
from stores.catalog.kinds import ReviewDecision, ReviewSort, ReviewStatus
from stores.catalog.people import Review
from stores.catalog.products import products

REVIEW_RATE = Rate("reviews", 30, 3600)
LONGEST_TITLE, LONGEST_BODY, LONGEST_REASON = 120, 4_000, 500
WAITING_SORT = [("created_at", 1), ("_id", 1)]
UNTITLED = Line("")
GONE = "Somebody"
"""Name over reviews of deleted accounts."""

Document = Mapping[str, Any]

bought = Hook[[Context, str, str], bool]("catalog.bought")
"""True if a person bought a product: answered by the system that knows."""


class Submitted(TypedDict):
    review: Review
    review_edge: dict[str, Any]


class Judged(TypedDict):
    review: Review
    removed_review_id: Id


class Deleted(TypedDict):
    deleted_review_id: Id


DECIDED = {
    ReviewDecision.PUBLISH: ReviewStatus.PUBLISHED,
    ReviewDecision.REJECT: ReviewStatus.REJECTED,
}


async def submit_review(
    ctx: Context, *, id: Id | None = None, product_id: Id, rating: int, title: Line = UNTITLED, body: str = ""
) -> Submitted:
    """Submit a review; a second one replaces the first. It is moderated before others see it."""
    await ctx.limit(REVIEW_RATE)
    product = await for_update(ctx, products, product_id)
    said = _checked(rating, title, body)
    author = await ctx.load(UserById, ctx.viewer_id)
    said["author_name"] = auth.full_name(author) if author else GONE
    fields = {
        **said,
        "status": ReviewStatus.PENDING,
        "decided_reason": None,
        "verified_purchase": any(await bought(ctx, ctx.viewer_id, product_id)),
    }
    earlier = await store.review_by(ctx.db, product_id, ctx.viewer_id)
    if earlier is None:
        own = {"_id": ids.minted(id, "review"), "product_id": product["_id"], "user_id": ctx.viewer_id}
        review = await ctx.tx.insert(store.reviews, {**own, **fields})
    else:
        review = await ctx.tx.edit(store.reviews, earlier, fields)
    await _rate_anew(ctx, review)
    return {"review": review, "review_edge": edge_of(review)}


async def delete_review(ctx: Context, *, review_id: Id) -> Deleted:
    review = await ctx.load(by_id(store.reviews), ids.checked(review_id, "review"))
    if review is None or review["user_id"] != ctx.viewer_id:
        raise UserError("NOT_FOUND", "You have no such review.", field=["reviewId"])
    await erase(ctx, review)
    return {"deleted_review_id": review_id}


async def decide_review(
    ctx: Context, *, review_id: Id, decision: ReviewDecision, reason: str | None = None
) -> Judged:
    """Publish or reject a review."""
    review = await ctx.load(by_id(store.reviews), ids.checked(review_id, "review"))
    if review is None:
        raise UserError("NOT_FOUND", "There is no such review.", field=["reviewId"])
    check_length(reason or "", most=LONGEST_REASON, field="reason")
    status = DECIDED[decision]
    decided = {"status": status, "decided_reason": reason}
    updated = await ctx.tx.edit(store.reviews, review, decided)
    await _rate_anew(ctx, updated)
    act = Act(
        "catalog.review_decided",
        "DECISION_MADE",
        "CATALOG",
        resource_id=review_id,
        subject_id=review["user_id"],
        details={"before": {"status": review["status"]}, "after": {"status": status}},
        sensitive={"reason": reason} if reason else {},
    )
    await record(ctx, act)
    return {"review": updated, "removed_review_id": review_id}


async def erase(ctx: Context, review: Review) -> None:
    """Delete a review for good, and its rating with it."""
    if await ctx.tx.delete(store.reviews, review) is not None:
        await _rate_anew(ctx, review)


async def _rate_anew(ctx: Context, review: Review) -> None:
    await jobs.enqueue(ctx.tx, "catalog.rate", product_id=review["product_id"])


def _checked(rating: int, title: str, body: str) -> dict[str, Any]:
    if not 1 <= rating <= 5:
        raise UserError("OUT_OF_RANGE", "A rating is 1 to {limit} stars.", field=["rating"], limit=5)
    check_length(title, most=LONGEST_TITLE, field="title")
    check_length(body, most=LONGEST_BODY, field="body")
    return {"rating": rating, "title": title, "body": body}


async def reviews(
    ctx: Context, products: Sequence[Document], *, args: PageArgs, sort: ReviewSort = ReviewSort.NEWEST
) -> list[dict[str, Any]]:
    """Published reviews, and one's own in its place whatever its state."""
    order = store.REVIEW_SORTS[sort]
    listings = [listing_of(product["_id"], sort) for product in products]
    pages = [paging.parse_page(listing, order, args) for listing in listings]
    wanted = [ReviewPage(product["_id"], sort, page) for product, page in zip(products, pages, strict=True)]
    found = await ctx.load_many(ReviewsByProduct, wanted)
    own = await ctx.load_many(OwnReview, [product["_id"] for product in products])
    connections = []
    for listing, page, rows, mine in zip(listings, pages, found, own, strict=True):
        unseen = [mine] if mine is not None and mine["status"] != ReviewStatus.PUBLISHED else []
        shown = paging.slice_of([*rows, *unseen], order, page)
        connections.append(paging.connection(listing, order, page, shown))
    return connections


def listing_of(product_id: str, sort: ReviewSort) -> paging.Listing:
    return paging.Listing("reviews", product=product_id, sort=sort)


def edge_of(review: Review) -> dict[str, Any]:
    """Edge of a review among the product's, newest first."""
    listing = listing_of(review["product_id"], ReviewSort.NEWEST)
    return paging.edge_of(listing, store.REVIEW_SORTS[ReviewSort.NEWEST], review)


async def rate(ctx: Context, product_id: str) -> None:
    """Compute a product's rating from its published reviews."""
    histogram = await store.ratings(ctx.db, product_id)
    summary = summary_of(histogram)
    change = {"rating_summary": summary, "rating": summary["average"], "dirty": True}
    updated = await ctx.tx.update(products, product_id, set=change, version=False)
    if updated is not None:
        ctx.tx.skip_log(updated)


def summary_of(histogram: Sequence[int]) -> dict[str, Any]:
    count = sum(histogram)
    stars = sum(stars * number for stars, number in enumerate(histogram, start=1))
    average = round(stars / count, 2) if count else 0.0
    return {"average": average, "count": count, "histogram": list(histogram)}


async def pending_reviews(ctx: Context, *, args: PageArgs) -> dict[str, Any]:
    """Moderation queue of reviews, oldest first."""
    return await store.reviews.page(ctx.db, {"status": ReviewStatus.PENDING}, WAITING_SORT, args)


def is_own(ctx: Context, review: Document) -> bool:
    viewer = ctx.viewer
    return viewer is not None and viewer.user_id == review["user_id"]
