"""The unit of work: everything a mutation writes, in one transaction with its log entries.

A resolver may run twice, so it changes nothing outside its unit; what must happen afterwards is registered
with `after_commit`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from pymongo.errors import DuplicateKeyError, PyMongoError

from core import clock, ids
from core.errors import UserError, check_version
from core.storage import mongo
from core.storage.contention import Contention, Held
from core.storage.counters import Counters, deltas, with_moved
from core.storage.edits import Edits
from core.storage.late_writes import LateWrites
from core.storage.mongo import Database, Refusal
from core.storage.store import Collection, Target
from core.sync import changes
from core.sync.changes import MEMBERSHIP, NOTE, Change, user_scope

T = TypeVar("T", bound=Mapping[str, Any])


class UnloggedChange(RuntimeError):
    """A synced document was written without `changed`, `removed` or `skip_log`: a bug of the resolver."""


class Unit:
    """Unit of work: a resolver's writes, as `ctx.tx`."""

    def __init__(
        self,
        db: Database,
        contention: Contention | None = None,
        held: Held | None = None,
        queued: Held | None = None,
    ) -> None:
        self.db = db
        self._contention = contention or Contention()
        self._held = held or Held(self._contention)
        self._queued = queued or Held(self._contention)
        self.now = clock.now()
        """The moment of everything it writes."""
        self.jobs = 0
        """Number of jobs it enqueued: a worker may be woken for them."""
        self.deltas: dict[tuple[str, str], list[dict[str, Any]]] = {}
        """By counter and document that were moved by deltas, the copies that are about to be shown."""
        self.counts: set[str] = set()
        """Keys of the counters that were moved in their documents."""
        self.contended: set[str] = set()
        """Keys of the in-process locks it needs that others held."""
        self._changes: dict[str, Change] = {}
        self._before: dict[str, Change | None] = {}
        """By document, what was to be logged before its last write logged itself."""
        self.late = LateWrites()
        """Writes of what nobody reads in this unit."""
        self.edits = Edits()
        self._unlogged: set[str] = set()
        self._new: set[str] = set()
        """Ids that MongoDB keeps unique on one shard alone: the log keeps them so on all."""
        self._afterwards: list[Callable[[], Awaitable[object]]] = []

    async def insert(
        self, store: Collection[T], document: Mapping[str, Any], *, taken: Refusal | None = None
    ) -> T:
        """Store a new document; ID_TAKEN when a client minted an id that is in use.

        It travels with the unit's next command, which raises what it meets: of a unique index besides that of
        ids, what `taken` makes of it.
        """
        stamps = {"created_at": self.now, "updated_at": self.now} if store.synced else {}
        whole = {**({"version": 1} if store.versioned else {}), **stamps, **document}
        self.db.write_ahead(
            {"insert": store.name, "documents": [whole]}, lambda error: _refused(error, taken)
        )
        if store.prefix is not None and store.shard_key not in (None, "_id"):
            self._new.add(whole["_id"])
        self._wrote(store, whole, created=True)
        return cast("T", whole)

    async def edit(
        self,
        store: Collection[T],
        entity: Mapping[str, Any],
        changes: Mapping[str, Any],
        *,
        expected_version: int | None = None,
    ) -> T:
        """Change an entity as its editor saw it; CONFLICT, with the current one, if that has changed.

        WRONG_STATUS, or the code of the collection's `moves`, if its state may not become that one.
        """
        check_version(expected_version, entity.get("version", 0), **{str(store.prefix): entity})
        if not changes:
            return cast("T", entity)
        changed = await self.update(store, entity, set=changes)
        if changed is None:
            raise await self._unchanged(store, entity)
        self.edits.note(entity, changed)
        if store.scopes is not None and (scopes := list(store.scopes(changed))):
            self.changed(
                changed, scopes=scopes, audience_never_shrinks=scopes == list(store.scopes(cast("T", entity)))
            )
        return changed

    async def _unchanged(self, store: Collection[T], entity: Mapping[str, Any]) -> UserError:
        current = await store.by_id(self.db, entity)
        if current is None or store.moves is None:
            return UserError("NOT_FOUND", "It is gone.")
        return store.moves.refusal(current, **{str(store.prefix): current})

    async def update(
        self,
        store: Collection[T],
        target: Target,
        *,
        set: Mapping[str, Any] | None = None,
        inc: Mapping[str, int] | None = None,
        unset: Sequence[str] = (),
        where: Mapping[str, Any] | None = None,
        version: bool = True,
        touch: bool = True,
        initial: Mapping[str, Any] | None = None,
    ) -> T | None:
        """Change one document if it still matches `where`, and return it as it is now.

        `version=False` leaves the version alone: counters move without a conflict for an editor. With
        `touch=False` the moment of the last change stays too: for what shows in no field of the document, or
        is one person's business alone. One that is not there is made of `initial`, if that is given. A state
        is left only for one that may follow it.
        """
        moved = store.moves.condition(set, where or {}) if store.moves is not None and set else {}
        change: dict[str, Any] = {"$set": {**(set or {}), **({"updated_at": self.now} if touch else {})}}
        increments = {**(inc or {}), **({"version": 1} if store.versioned and version and touch else {})}
        if increments:
            change["$inc"] = increments
        if unset:
            change["$unset"] = dict.fromkeys(unset, "")
        answer = await self.db.write(
            {
                "findAndModify": store.name,
                "query": {**moved, **(where or {}), **store.key_of(target)},
                "update": {**change, "$setOnInsert": dict(initial)} if initial else change,
                "new": True,
                "upsert": initial is not None,
            }
        )
        if answer["value"] is not None:
            self._wrote(store, answer["value"])
        return cast("T | None", answer["value"])

    async def put(self, store: Collection[T], id: str, fields: Mapping[str, Any]) -> T:
        """Set fields of a document, which is made where there is none, and return it as it is now."""
        return cast("T", await self.update(store, id, set=fields, initial={}))

    async def delete(
        self, store: Collection[T], target: Target, *, where: Mapping[str, Any] | None = None
    ) -> T | None:
        """Delete one document if it still matches `where`, and return what it was."""
        query = {**(where or {}), **store.key_of(target)}
        answer = await self.db.write({"findAndModify": store.name, "query": query, "remove": True})
        if answer["value"] is not None:
            self._wrote(store, answer["value"], deleted=True)
        return cast("T | None", answer["value"])

    async def count(
        self,
        counters: Counters,
        id: str,
        by: Mapping[str, int],
        *,
        aspect: str | None = "counts",
        strict: bool = False,
        initial: Mapping[str, Any] | None = None,
    ) -> dict[str, Any] | None:
        """Move counters of a document that many may move at once, and return it as it is then; and log that.

        A `strict` counter is always moved in the document: two that decide by it conflict. With `initial` a
        document that is not there is made.
        """
        key = counters.key(id)
        alone = not self._contention.hot(key) and self._held.try_one(key)
        if not alone and not strict:
            return await self._delta(counters, id, by, {"aspect": aspect, "initial": initial})
        if not strict:
            self.counts.add(key)
        changed = await self.move_counters(counters, id, by, initial)
        if changed is not None:
            self.counted(counters, changed, aspect)
        return changed

    async def move_counters(
        self, counters: Counters, id: str, by: Mapping[str, int], initial: Mapping[str, Any] | None
    ) -> dict[str, Any] | None:
        """Move counters in the document, or where it was put away; None when it is gone."""
        changed = await self.update(counters.store, id, inc=by, version=counters.version, initial=initial)
        if changed is None and counters.archive is not None:
            return await self.update(counters.archive, id, inc=by, version=counters.version)
        return changed

    async def _delta(
        self, counters: Counters, id: str, by: Mapping[str, int], how: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        document = await counters.counted(self.db, id) or how["initial"]
        if document is None:
            return None
        moved = list(by.items())
        row = {"_id": ids.new_id("delta"), "counter": counters.store.name, "subject_id": id, "moved": moved}
        await self.insert(deltas, {**row, **how, "created_at": self.now})
        shown = with_moved(document, moved)
        self.deltas.setdefault((counters.store.name, id), []).append(shown)
        return shown

    def counted(self, counters: Counters, document: Mapping[str, Any], aspect: str | None) -> None:
        """Log that a document's counters moved, in place of the document itself."""
        self.skip_log(document)
        if counters.scopes is not None:
            scopes, never = counters.scopes(document), counters.audience_never_shrinks(document)
            self.changed(document, aspect=aspect, scopes=scopes, audience_never_shrinks=never)

    def contend(self, name: str) -> None:
        """Have something for oneself in this process, as the next number in a row: else run again in turn."""
        if not self._queued.try_one(name):
            self.contended.add(name)
            raise mongo.run_again(PyMongoError("Others come first."))

    async def lock_document(self, store: Collection[Any], target: Target) -> None:
        """Let no transaction that writes this document commit beside ours.

        Snapshots let two transactions each decide by what the other is about to change; they cannot both when
        one writes a document that the other claims.
        """
        await store.update_one(self.db, store.key_of(target), {"$inc": {"claims": 1}})

    def changed(
        self,
        entity: Mapping[str, Any],
        *,
        scopes: Iterable[str],
        aspect: str | None = None,
        created: bool = False,
        audience_never_shrinks: bool = False,
        detail: dict[str, Any] | None = None,
        brief: bool = False,
    ) -> None:
        """Log the entity's latest state for those who may see it.

        An `aspect` ("reactions") is logged beside the entity, so that one does not hide the other. Where the
        `audience_never_shrinks`, no scope is lost, so readers are woken without asking the log who they were.
        What is `brief` leaves the log after 90 days, without a word to those who keep it.
        """
        id = entity["_id"]
        self._log(
            Change(
                f"{aspect}:{id}" if aspect else id,
                _type_name(id),
                id,
                entity.get("version", 1),
                tuple(scopes),
                created=created,
                audience_never_shrinks=audience_never_shrinks,
                detail=detail,
                brief=brief,
            )
        )

    def changed_further(
        self,
        store: Collection[Any],
        document: Mapping[str, Any],
        *,
        created: bool = False,
        deleted: bool = False,
    ) -> None:
        """Log the further nodes of a document for their own readers; those without any are gone."""
        for each in store.further:
            shown, scopes = each.shown(document), () if deleted else tuple(each.scopes(document))
            if scopes:
                self.changed(shown, scopes=scopes, created=created, audience_never_shrinks=True)
            else:
                self.removed(shown)

    def removed(self, entity: Mapping[str, Any], *, aspects: Sequence[str] = ()) -> None:
        """Log a deletion; all who could see the entity learn of it."""
        id = entity["_id"]
        for name in (id, *(f"{aspect}:{id}" for aspect in aspects)):
            self._log(Change(name, _type_name(id), id, entity.get("version", 1), None, deleted=True))

    def granted(self, user_id: str, scope: str) -> None:
        """The person gained a scope: what it holds reaches their devices."""
        self._membership(user_id, scope, lost=False)

    def revoked(self, user_id: str, scope: str) -> None:
        """The person lost a scope: what it holds leaves their devices."""
        self._membership(user_id, scope, lost=True)

    def reshown(self, id: str, *, to: Iterable[str]) -> None:
        """An entity that did not change reads differently for these people (they parted from its author)."""
        for user_id in to:
            name, scopes = f"again:{user_id}:{id}", (user_scope(user_id),)
            self._changes[name] = Change(
                name, _type_name(id), id, 1, scopes, audience_never_shrinks=True, brief=True
            )

    def reread(self, user_id: str, scope: str) -> None:
        """Note that a scope reads differently for a person: its recent entries reach their devices again."""
        id, scopes = f"again:{user_id}:{scope}", (user_scope(user_id),)
        again = {"lost": False, "again": True}
        self._changes[id] = Change(
            id, MEMBERSHIP, id, 1, scopes, audience_never_shrinks=True, scope=scope, detail=again, brief=True
        )

    def notice(self, id: str, *, scopes: Iterable[str]) -> None:
        """Log something that is no entity, for live streams to look again (who blocks whom)."""
        self._changes[id] = Change(id, NOTE, id, 1, tuple(scopes))

    def skip_log(self, entity: Mapping[str, Any]) -> None:
        """The last write of this shows nobody anything new (a last-seen time): it has no entry."""
        id = entity["_id"]
        self._unlogged.discard(id)
        if id in self._before:
            before = self._before.pop(id)
            self._changes.pop(id, None)
            if before is not None:
                self._changes[id] = before

    def after_commit(self, work: Callable[[], Awaitable[object]]) -> None:
        self._afterwards.append(work)

    @property
    def after_commit_hooks(self) -> list[Callable[[], Awaitable[object]]]:
        return self._afterwards

    async def flush(self) -> None:
        """Write the log; called once, last, so that `at` is close to the commit."""
        if self._unlogged:
            raise UnloggedChange(f"Written without a log entry: {sorted(self._unlogged)}")
        log = changes.appending(self._changes.values(), new=self._new)
        try:
            await self.db.write_together([*self.late.commands(), *log])
        except DuplicateKeyError:
            if self.db.last_write in log:
                raise _taken() from None
            raise

    @property
    def changed_ids(self) -> list[str]:
        return list(self._changes)

    @property
    def written_changes(self) -> Iterable[Change]:
        return self._changes.values()

    def _log(self, change: Change) -> None:
        self._unlogged.discard(change.node)
        earlier = self._changes.get(change.id)
        if earlier is not None and earlier.created and not change.deleted:
            change = Change(**{**{name: getattr(change, name) for name in change.__slots__}, "created": True})
        self._changes[change.id] = change

    def _membership(self, user_id: str, scope: str, *, lost: bool) -> None:
        id = f"scope:{user_id}:{scope}"
        detail = {"lost": lost}
        self._changes[id] = Change(id, MEMBERSHIP, id, 1, (user_scope(user_id),), scope=scope, detail=detail)

    def _wrote(
        self,
        store: Collection[Any],
        document: Mapping[str, Any],
        *,
        created: bool = False,
        deleted: bool = False,
    ) -> None:
        """Log an entity that says who reads it; what else is synced, its resolver must log."""
        id, self.edits.wrote = document["_id"], True
        if store.scopes is None:
            if store.synced:
                self._unlogged.add(id)
            return
        self._before[id] = self._changes.get(id)
        scopes = () if deleted else tuple(store.scopes(document))
        if scopes:
            self.changed(
                document, scopes=scopes, created=created, audience_never_shrinks=store.audience_never_shrinks
            )
        else:
            self.removed(document, aspects=store.aspects)
        if created or not scopes:
            self.changed_further(store, document, created=created, deleted=deleted)


def _refused(error: PyMongoError, taken: Refusal | None) -> BaseException:
    if not isinstance(error, DuplicateKeyError):
        return error
    if (error.details or {}).get("keyPattern") == {"_id": 1}:
        return _taken()
    return taken(error) if taken else error


def _taken() -> UserError:
    return UserError("ID_TAKEN", "This id is in use.", field=["id"])


def _type_name(id: str) -> str:
    return id.rpartition("_")[0].upper()
