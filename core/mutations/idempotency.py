"""Replay protection: a mutation takes effect once per idempotency key, however often it is retried.

Its receipt is claimed first in the mutation's own transaction, so that it exists exactly when the write does.
It keeps the payload with references in place of entities (`core.mutations.references`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NotRequired, TypedDict

import orjson
from pymongo.errors import DuplicateKeyError, PyMongoError

from core import clock, nodes, request_notes
from core.audit import Audited
from core.context import Context
from core.errors import (
    ERROR_CODES,
    BadUserInput,
    DoneElsewhere,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    RequestError,
    UserError,
)
from core.ids import prefix_of
from core.messages import gettext_noop
from core.mutations import auditing, declared_codes, references
from core.mutations.references import Payload
from core.security import access
from core.storage import mongo
from core.storage.mongo import Database
from core.storage.store import collection, index

UNFIT = gettext_noop("The input is nested too deep, or has an integer that is too large.")
KEPT = timedelta(days=30)
LEASE = timedelta(seconds=60)
"""After this a mutation that calls external services is taken to have died, and may be retried."""
PATIENCE = 2.0
"""Seconds that a concurrent request with the same key waits for the first."""
LONGEST_KEY = 128

Resolver = Callable[..., Awaitable[Payload]]


class Receipt(TypedDict):
    _id: str
    mutation: str
    input_hash: NotRequired[str]
    """Missing on receipts of earlier versions whose inputs had other names: their key alone tells them."""
    state: Literal["RUNNING", "DONE"]
    payload: NotRequired[Payload]
    created_at: datetime
    expires_at: datetime


receipts = collection(
    "receipts", Receipt, indexes=[index("expires_at", expireAfterSeconds=0)], shard_key="_id"
)


def signed_in_owner(ctx: Context, arguments: Mapping[str, Any]) -> str:
    return ctx.viewer_id


@dataclass(frozen=True, slots=True)
class Mutation:
    """Idempotent mutation: its resolver, the GraphQL field's `name`, and the rules of its replay protection.

    `owner` says whose key it is; `secrets` are payload fields that are never stored, `reissue` gives them
    again on a replay from the stored payload; `receipt=False` is for ephemeral signals; `transaction=False`
    for those that call external services in the middle and compose their own units. The caller needs one of
    the `roles`; `fresh` needs a proof of identity of the last ten minutes (STEP_UP_REQUIRED). `refuses` are
    the codes of its refusals beside those of every mutation (`core.mutations.declared_codes.ALWAYS`).

    `audit` declares the act that is put on record, done or denied.

    `prepare` takes the same arguments and runs once before the transaction, for slow work (hashing) or for
    counting attempts; the resolver gets its result as `prepared`.
    """

    name: str
    resolver: Resolver
    owner: Callable[[Context, Mapping[str, Any]], str] = signed_in_owner
    receipt: bool = True
    transaction: bool = True
    secrets: tuple[str, ...] = ()
    reissue: Callable[[Context, Payload, datetime], Awaitable[Payload]] | None = None
    roles: Collection[str] = ()
    fresh: bool = False
    refuses: Collection[str] = ()
    prepare: Callable[..., Awaitable[Any]] | None = None
    audit: Audited | None = None

    async def check(self, ctx: Context) -> None:
        """Refuses who may not run it, or not now."""
        if self.roles:
            await access.need_roles(ctx, self.roles)
        if self.fresh:
            access.need_fresh(ctx)


class _Taken(DoneElsewhere):
    """The key has a receipt, or a concurrent request is writing one."""


async def run(ctx: Context, mutation: Mutation, key: str, arguments: Mapping[str, Any]) -> Payload:
    """The mutation's payload: of this run, or of the first one with this key."""
    if not 0 < len(key) <= LONGEST_KEY:
        raise BadUserInput(f"idempotencyKey must have 1 to {LONGEST_KEY} characters.")
    owner = mutation.owner(ctx, arguments)
    ctx.idempotency_key = key
    if not mutation.receipt:
        return _first(key, mutation, await _refusable(ctx, mutation, arguments))
    claim = _claim(ctx, mutation, f"{owner}:{key}", arguments)
    try:
        await mutation.check(ctx)
    except UserError as refusal:
        # A replay answers even if it is forbidden now: the write was done while it was allowed.
        replay = await _replay(ctx, mutation, claim)
        if replay is None:
            await auditing.failed(ctx, mutation.audit, arguments, claim["_id"], refusal)
            return _first(key, mutation, _refusal(refusal))
        return _answer(key, replay, replayed=True)
    known = ctx.flush.receipts.get(claim["_id"])
    if known is not None:
        return _answer(key, await _told(ctx, mutation, claim, known) or {}, replayed=True)
    # From here on something may be written.
    ctx.flush.entities = None
    if ctx.writes:
        return _first(key, mutation, await _in_group(ctx, mutation, claim, arguments))
    deadline = asyncio.get_running_loop().time() + PATIENCE
    ready = dict(arguments)
    while True:
        try:
            return _first(key, mutation, await _first_run(ctx, mutation, claim, ready))
        except _Taken:
            replay = await _replay(ctx, mutation, claim)
        if replay is not None:
            return _answer(key, replay, replayed=True)
        if asyncio.get_running_loop().time() > deadline:
            raise IdempotencyInProgress
        await asyncio.sleep(0.05)


async def forget(db: Database, owner: str) -> None:
    """Delete the receipts of a deleted person."""
    theirs = {"_id": {"$gte": f"{owner}:", "$lt": f"{owner};"}}
    await receipts.delete_all(db, theirs)


async def foresee(ctx: Context, keys: Iterable[tuple[Mutation, str, Mapping[str, Any]]]) -> None:
    """Read the receipts of a flush in one command, and what they refer to; those that are missing, or come
    later, are found one by one."""
    ids = [id for each in keys if (id := receipt_id(ctx, *each)) is not None]
    if len(ids) < 2:
        return
    now = clock.now()
    done = [
        receipt
        for receipt in await receipts.by_ids(ctx.db, ids)
        if receipt["state"] == "DONE" and "payload" in receipt and receipt["expires_at"] > now
    ]
    ctx.flush.receipts = {receipt["_id"]: receipt for receipt in done}
    if done:
        ctx.refresh()
        with suppress(Exception):
            # Where one of them cannot be shown, each act finds out for itself: it is no other's fault.
            ctx.flush.entities = await nodes.visible(
                ctx, references.ids_in([receipt["payload"] for receipt in done])
            )


def receipt_id(ctx: Context, mutation: Mutation, key: str, arguments: Mapping[str, Any]) -> str | None:
    """Id of the receipt of a mutation; None for one that has none."""
    try:
        return f"{mutation.owner(ctx, arguments)}:{key}" if mutation.receipt else None
    except RequestError:
        # Nobody is signed in: the mutation itself reports that.
        return None


async def _first_run(ctx: Context, mutation: Mutation, claim: Receipt, arguments: dict[str, Any]) -> Payload:
    try:
        await _prepare(ctx, mutation, claim, arguments)
        if mutation.transaction:
            return await _in_transaction(ctx, mutation, claim, arguments)
        return await _leased(ctx, mutation, claim, arguments)
    except UserError as refusal:
        await auditing.failed(ctx, mutation.audit, arguments, claim["_id"], refusal)
        payload = {**await _taken(ctx, refusal, arguments.get("id")), **_refusal(refusal)}
        if not refusal.retryable and not mutation.transaction:
            # The claim is taken already, and by us.
            await _finish(ctx, mutation, claim, payload)
        elif not refusal.retryable:
            await _take(ctx, _done(mutation, claim, payload))
        elif not mutation.transaction:
            await receipts.delete_one(ctx.services.db, {"_id": claim["_id"]})
        return payload
    except _Taken:
        raise
    except Exception as error:
        await auditing.failed(ctx, mutation.audit, arguments, claim["_id"], error)
        raise


async def _taken(ctx: Context, refusal: UserError, id: Any) -> Payload:
    """The caller's own entity under the id they minted: a retry under a new key succeeds.

    It is shown under the name of its type, as payloads show new entities.
    """
    if refusal.code != "ID_TAKEN" or not isinstance(id, str):
        return {}
    ctx.refresh()
    found = await nodes.own(ctx, id)
    return {prefix_of(id): found} if found else {}


async def _prepare(ctx: Context, mutation: Mutation, claim: Receipt, arguments: dict[str, Any]) -> None:
    """Run `prepare` once, however often the transaction is retried; not at all for a replay."""
    if mutation.prepare is None or "prepared" in arguments:
        return
    receipt = await receipts.by_id(ctx.db, claim["_id"])
    if receipt is not None and receipt["expires_at"] > clock.now():
        raise _Taken
    arguments["prepared"] = await mutation.prepare(ctx, **arguments)


async def _in_transaction(
    ctx: Context, mutation: Mutation, claim: Receipt, arguments: Mapping[str, Any]
) -> Payload:
    async def work() -> Payload:
        await _take(ctx, claim)
        payload = await mutation.resolver(ctx, **arguments)
        if not payload.get("errors"):
            await auditing.done(ctx, mutation.audit, arguments)
        ctx.tx.late.replace(receipts, claim["_id"], _done(mutation, claim, payload))
        return payload

    return await ctx.unit(work)


async def _in_group(
    ctx: Context, mutation: Mutation, claim: Receipt, arguments: Mapping[str, Any]
) -> Payload:
    """Run a mutation in the unit of its group: the receipts of all are claimed as they are written, last."""
    payload = await mutation.resolver(ctx, **arguments)
    ctx.tx.late.replace(receipts, claim["_id"], _done(mutation, claim, payload), where=_expired())
    return payload


async def _leased(ctx: Context, mutation: Mutation, claim: Receipt, arguments: Mapping[str, Any]) -> Payload:
    """Run a mutation outside a transaction: its receipt is a lease until the result is stored."""
    await _take(ctx, {**claim, "expires_at": clock.now() + LEASE})
    payload = await mutation.resolver(ctx, **arguments)
    if not payload.get("errors"):
        await auditing.done_apart(ctx, mutation.audit, arguments)
    await _finish(ctx, mutation, claim, payload)
    return payload


async def _take(ctx: Context, receipt: Receipt) -> None:
    """Claim the receipt; `_Taken` if there is one that has not expired."""
    query = {"_id": receipt["_id"], **_expired()}
    try:
        await receipts.update_one(ctx.db, query, _body(receipt), upsert=True)
    except DuplicateKeyError:
        raise _Taken from None
    except PyMongoError as error:
        if mongo.transient(error) and getattr(error, "code", None) == 112:
            raise _Taken from None
        raise


def _expired() -> dict[str, Any]:
    """Condition of receipts that may be claimed anew: an upsert under it finds the id of others taken."""
    return {"expires_at": {"$lte": clock.now()}}


async def _finish(ctx: Context, mutation: Mutation, claim: Receipt, payload: Payload) -> None:
    await receipts.update_one(ctx.db, {"_id": claim["_id"]}, _body(_done(mutation, claim, payload)))


def _done(mutation: Mutation, claim: Receipt, payload: Payload) -> Receipt:
    return {**claim, "state": "DONE", "payload": _stored(mutation, payload)}


def _body(receipt: Receipt) -> dict[str, Any]:
    return {name: value for name, value in receipt.items() if name != "_id"}


async def _replay(ctx: Context, mutation: Mutation, claim: Receipt) -> Payload | None:
    """Replay: the payload stored in the receipt; None while there is none."""
    receipt = await receipts.by_id(ctx.db, claim["_id"])
    if receipt is None or receipt["expires_at"] <= clock.now():
        return None
    return await _told(ctx, mutation, claim, receipt)


async def _told(ctx: Context, mutation: Mutation, claim: Receipt, receipt: Receipt) -> Payload | None:
    """Payload of a receipt that has not expired; None while its mutation runs."""
    same_input = receipt.get("input_hash", claim["input_hash"]) == claim["input_hash"]
    if not same_input or not _of_mutation(receipt, claim["mutation"]):
        raise IdempotencyKeyReused
    if receipt["state"] != "DONE" or "payload" not in receipt:
        return None
    payload = await references.restored(ctx, receipt["payload"])
    if payload.get("errors"):
        payload["errors"] = list(map(_final, payload["errors"]))
    if mutation.reissue is not None and not payload.get("errors"):
        try:
            payload |= await mutation.reissue(ctx, receipt["payload"], receipt["created_at"])
        except UserError as refusal:
            return _refusal(refusal)
    return payload


def _of_mutation(receipt: Receipt, name: str) -> bool:
    """True if the receipt is of the mutation with this GraphQL field.

    Receipts of older versions, which live for 30 days, are named by the path of their resolver instead: those
    are told apart by their input alone.
    """
    return receipt["mutation"] == name or "." in receipt["mutation"]


async def _refusable(ctx: Context, mutation: Mutation, arguments: Mapping[str, Any]) -> Payload:
    try:
        await mutation.check(ctx)
        return await mutation.resolver(ctx, **arguments)
    except UserError as refusal:
        return _refusal(refusal)


def _claim(ctx: Context, mutation: Mutation, id: str, arguments: Mapping[str, Any]) -> Receipt:
    now = clock.now()
    try:
        canonical = orjson.dumps(arguments, option=orjson.OPT_SORT_KEYS, default=str)
    except orjson.JSONEncodeError:
        raise BadUserInput(UNFIT) from None
    return {
        "_id": id,
        "mutation": mutation.name,
        # Keyed, because inputs hold passwords.
        "input_hash": ctx.services.signer.digest(canonical),
        "state": "RUNNING",
        "created_at": now,
        "expires_at": now + KEPT,
    }


def _refusal(refusal: UserError) -> Payload:
    return {**refusal.entities, "errors": [refusal.document]}


def refused(key: str, refusal: UserError) -> Payload:
    """The payload of a mutation that was not run."""
    return _answer(key, _refusal(refusal))


def _first(key: str, mutation: Mutation, payload: Payload) -> Payload:
    """The answer to a first run: it refuses only as its mutation declares."""
    declared_codes.check(mutation.name, mutation.refuses, payload.get("errors", ()))
    return _answer(key, payload)


def _answer(key: str, payload: Payload, *, replayed: bool = False) -> Payload:
    for error in payload.get("errors", ()):
        request_notes.code(error["code"])
    return {"errors": [], **payload, "idempotency_key": key, "replayed": replayed}


def _final(error: dict[str, Any]) -> dict[str, Any]:
    """A refusal that was stored is final, also where its code is one that this version does not know."""
    known = error["code"] in ERROR_CODES and not ERROR_CODES[error["code"]].retryable
    return error if known else {**error, "code": "FORBIDDEN", "retryable": False, "retry_after_seconds": None}


def _stored(mutation: Mutation, payload: Payload) -> Payload:
    return references.stored(payload, mutation.secrets)
