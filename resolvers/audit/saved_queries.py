"""Saved audit queries: a person's own, on all their devices."""

from collections.abc import Mapping
from typing import Any, TypedDict

from core import grants, ids, nodes
from core.context import Context
from core.errors import UserError
from core.ids import Id
from core.paging import LONGEST_VALUE, MAX_VALUES, NEWEST, PageArgs
from core.values.bounds import check_count, check_length
from resolvers.audit.filtering import AuditEntryFilter, as_written
from stores import audit as store
from stores.audit import SavedAuditQuery

MOST_SAVED = 100
LONGEST_NAME = 100

own_queries = nodes.owned(store.saved_queries)


class Saved(TypedDict):
    saved_audit_query: SavedAuditQuery
    saved_audit_query_edge: dict[str, Any]


class Deleted(TypedDict):
    deleted_saved_audit_query_id: Id


async def viewer_queries(ctx: Context, viewer: Mapping[str, Any], *, args: PageArgs) -> dict[str, Any]:
    """Connection of the viewer's own, newest first."""
    return await store.saved_queries.page(ctx.db, {"owner_id": ctx.viewer_id}, NEWEST, args)


async def save_audit_query(
    ctx: Context,
    *,
    id: Id | None = None,
    saved_audit_query_id: Id | None = None,
    name: str,
    filter: AuditEntryFilter,
    expected_version: int | None = None,
) -> Saved:
    """Save a new query, or another name and filter for one that is there."""
    org_id = grants.need_organization(ctx)
    name = name.strip()
    check_length(name, least=1, most=LONGEST_NAME, field="name")
    fields = {"name": name, "filter": _written(filter)}
    if saved_audit_query_id is not None:
        known = await nodes.for_update(ctx, store.saved_queries, saved_audit_query_id)
        return _saved(
            await ctx.tx.edit(store.saved_queries, known, fields, expected_version=expected_version)
        )
    own = {"owner_id": ctx.viewer_id}
    if len(await store.saved_queries.find(ctx.db, own, limit=MOST_SAVED, fields=["_id"])) >= MOST_SAVED:
        raise UserError("LIMIT_REACHED", "At most {limit} saved queries.", limit=MOST_SAVED)
    made = {"_id": ids.minted(id, "saved_audit_query"), **own, "org_id": org_id, **fields}
    return _saved(await ctx.tx.insert(store.saved_queries, made))


async def delete_audit_query(ctx: Context, *, saved_audit_query_id: Id) -> Deleted:
    grants.need_organization(ctx)
    found = await nodes.for_update(ctx, store.saved_queries, saved_audit_query_id)
    await ctx.tx.delete(store.saved_queries, found)
    return {"deleted_saved_audit_query_id": saved_audit_query_id}


def _saved(query: SavedAuditQuery) -> Saved:
    edge = store.saved_queries.edge({"owner_id": query["owner_id"]}, NEWEST, query)
    return {"saved_audit_query": query, "saved_audit_query_edge": edge}


def _written(filter: AuditEntryFilter) -> dict[str, Any]:
    """Filter as clients write it; bounded, since it is kept."""
    given = as_written(filter)
    for name, value in given.items():
        values = value if isinstance(value, list) else [value]
        check_count(values, most=MAX_VALUES, field=name)
        for each in values:
            check_length(str(each), most=LONGEST_VALUE, field=name)
    return given
