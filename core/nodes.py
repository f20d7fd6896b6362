"""Access guards: the one way to get a thing with an id, each type's with its access check."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NewType, TypeVar, cast

from core import grants
from core.context import NO_TOKEN, Context
from core.errors import NotFound, Unauthenticated, UserError
from core.grants import GrantRole
from core.hooks import Hook
from core.ids import Id, checked, prefix_of
from core.messages import gettext_noop
from core.storage.loader import by_id, own_by_id
from core.storage.store import Collection

Document = Mapping[str, Any]
Guard = Callable[[Context, Sequence[str]], Awaitable[Sequence[Document | None]]]
Scopes = Callable[[Context], Awaitable[Sequence[str]]]
Owner = str | Callable[[Context, Document], Awaitable[bool]]
"""The field of a document that holds its owner's id, or a question."""

D = TypeVar("D", bound=Guard)
S = TypeVar("S", bound=Scopes)
T = TypeVar("T", bound=Document)

SyncTypeName = NewType("SyncTypeName", str)
"""A value of the schema's `SyncType` enum."""

GONE = gettext_noop("It does not exist, or you may not see it.")

GUARDS: dict[str, Guard] = {}
SYNCED: dict[str, str] = {}
"""Sync types by their UPPER_SNAKE name, with the prefix of their ids."""
DOCUMENTS: dict[str, str] = {}
"""By prefix of a synced type, the collection of its documents."""
reader_scopes = Hook[[Context], Sequence[str]]("nodes.reader_scopes")
"""Asked for the scopes whose changes the viewer may read."""
Recorder = Callable[[Context, Sequence[str], Sequence[str]], Awaitable[None]]
READ: dict[str, Recorder] = {}
"""By prefix, who is told of what was read by its id: ids that were shown, and those that were not."""
OWNERS: dict[str, Owner] = {}
"""Of types whose ids clients mint, how one tells whose a thing is."""


def guard(
    prefix: str, *, sync: str | None = None, collection: str | None = None, owner: Owner | None = None
) -> Callable[[D], D]:
    """Register how things with this prefix are got, in the order of their ids, None for unseen ones.

    `sync` names the type in `viewer.changes`, and `collection` is that of its documents then; `owner`
    belongs to types whose ids clients mint: who sends their own thing again, under a new key, is shown it.
    """

    def register(function: D) -> D:
        if prefix in GUARDS:
            raise ValueError(f"Two access guards are registered for {prefix!r}.")
        GUARDS[prefix] = function
        if sync is not None:
            if collection is None:
                raise ValueError(f"Say in which collection the documents of {prefix!r} are.")
            SYNCED[sync], DOCUMENTS[prefix] = prefix, collection
        if owner is not None:
            OWNERS[prefix] = owner
        return function

    return register


def owned(store: Collection[T]) -> Callable[[Context, Sequence[str]], Awaitable[list[T | None]]]:
    """Access guard of documents that their owner alone may see."""
    owner, prefix = store.owner, store.prefix
    assert owner is not None
    assert prefix is not None

    # On their shard alone, where they lie on one.
    loader = own_by_id(store) if store.shard_key == owner else by_id(store)

    async def visible(ctx: Context, wanted: Sequence[str]) -> list[T | None]:
        found = await ctx.load_many(loader, wanted)
        viewer = ctx.viewer_id_or_none
        return [each if each and each[owner] == viewer else None for each in found]

    sync = prefix.upper() if store.synced else None
    return guard(prefix, sync=sync, collection=store.name, owner=owner)(visible)


def for_roles(
    store: Collection[T], *roles: GrantRole, owner: Owner | None = None
) -> Callable[[Context, Sequence[str]], Awaitable[list[T | None]]]:
    """Access guard of documents that those who hold one of the roles may see, and nobody else."""
    assert store.prefix is not None

    async def visible(ctx: Context, wanted: Sequence[str]) -> list[T | None]:
        if not await grants.holds(ctx, *roles):
            return [None for _ in wanted]
        return list(await ctx.load_many(by_id(store), wanted))

    return guard(store.prefix, owner=owner)(visible)


async def for_update(ctx: Context, store: Collection[T], id: str, *, field: str | None = None) -> T:
    """An entity to act on, through its access guard; NOT_FOUND as a user error when there is none."""
    prefix = str(store.prefix)
    [found] = await GUARDS[prefix](ctx, [checked(id, prefix)])
    if found is None:
        raise UserError("NOT_FOUND", GONE, field=[field or f"{prefix}_id"])
    return cast("T", found)


def reader(prefix: str) -> Callable[..., Awaitable[Document | None]]:
    """Resolver of a root field that reads one thing by its id, through its access guard."""

    async def read(ctx: Context, *, id: Id) -> Document | None:
        return (await read_by_id(ctx, [checked(id, prefix)])).get(id)

    return read


async def read_by_id(ctx: Context, ids: Sequence[str]) -> dict[str, Document]:
    """Those of the ids that the viewer may see, for who asks by name: of some types that is on record."""
    found = await visible(ctx, ids)
    if len(found) < len(set(ids)):
        check_token(ctx)
    by_prefix: dict[str, list[str]] = {}
    for id in dict.fromkeys(ids):
        by_prefix.setdefault(prefix_of(id), []).append(id)
    for prefix in by_prefix.keys() & READ.keys():
        asked = by_prefix[prefix]
        shown = [id for id in asked if id in found]
        await READ[prefix](ctx, shown, [id for id in asked if id not in found])
    return found


def check_token(ctx: Context) -> None:
    """UNAUTHENTICATED if the request sent a token that is not good: a new one may show what is hidden now."""
    if ctx.viewer is None and ctx.refusal != NO_TOKEN:
        raise Unauthenticated(ctx.refusal)


async def to_watch(ctx: Context, id: str, prefix: str) -> Document:
    """A thing to follow by a stream; NOT_FOUND when it does not exist or is hidden."""
    [found] = await GUARDS[prefix](ctx, [checked(id, prefix)])
    if found is None:
        check_token(ctx)
        raise NotFound(GONE)
    return found


async def scopes_of(ctx: Context) -> list[str]:
    return [scope for scopes in await reader_scopes.at_once(ctx) for scope in scopes]


async def visible(ctx: Context, ids: Sequence[str]) -> dict[str, Document]:
    """Those of the ids that exist and the viewer may see; one call per type."""
    by_prefix: dict[str, list[str]] = {}
    for id in dict.fromkeys(ids):
        by_prefix.setdefault(prefix_of(id), []).append(id)
    found: dict[str, Document] = {}
    for prefix, wanted in by_prefix.items():
        if prefix in GUARDS:
            documents = await GUARDS[prefix](ctx, wanted)
            found |= {id: document for id, document in zip(wanted, documents, strict=True) if document}
    return found


async def own(ctx: Context, id: str) -> Document | None:
    """The thing with this id, if the viewer may see it and it is theirs."""
    owner = OWNERS.get(prefix_of(id))
    if owner is None or ctx.viewer is None:
        return None
    document = (await visible(ctx, [id])).get(id)
    if document is None:
        return None
    mine = document.get(owner) == ctx.viewer_id if isinstance(owner, str) else await owner(ctx, document)
    return document if mine else None
