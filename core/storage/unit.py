"""The unit of work: everything a mutation writes, in one transaction with its log entries.

A resolver may run twice, so it changes nothing outside its unit; what must happen afterwards is registered
with `after_commit`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from pymongo.errors import DuplicateKeyError, PyMongoError

from core import clock, ids
from core.errors import UserError, check_version
from core.storage import mongo
from core.storage.change_recorder import ChangeRecorder
from core.storage.contention import Contention, Held
from core.storage.counters import Counters, deltas, with_moved
from core.storage.edits import Edits
from core.storage.late_writes import LateWrites
from core.storage.mongo import Database, Refusal
from core.storage.store import Collection, Target
from core.sync import changes

T = TypeVar("T", bound=Mapping[str, Any])


class Unit(ChangeRecorder):
    """Unit of work: a resolver's writes, as `ctx.tx`."""

    def __init__(
        self,
        db: Database,
        contention: Contention | None = None,
        held: Held | None = None,
        queued: Held | None = None,
    ) -> None:
        super().__init__()
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
        self.late = LateWrites()
        """Writes of what nobody reads in this unit."""
        self.edits = Edits()
        self._new: set[str] = set()
        """Ids that MongoDB keeps unique on one shard alone: the log keeps them so on all."""
        self._afterwards: list[Callable[[], Awaitable[object]]] = []

    async def insert(
        self, store: Collection[T], document: Mapping[str, Any], *, taken: Refusal | None = None
    ) -> T:
        """Store a new document; ID_TAKEN when a client minted an id that is in use.

        It travels with the unit's next command, which raises what it meets; `taken` makes the error of a
        unique index that clients do not mint for.
        """
        stamps = {"created_at": self.now, "updated_at": self.now} if store.synced else {}
        whole = {**({"version": 1} if store.versioned else {}), **stamps, **document}
        command = {"insert": store.name, "documents": [whole]}
        await self.db.write_ahead(command, lambda error: _refused(store, error, taken))
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

    def after_commit(self, work: Callable[[], Awaitable[object]]) -> None:
        self._afterwards.append(work)

    @property
    def after_commit_hooks(self) -> list[Callable[[], Awaitable[object]]]:
        return self._afterwards

    async def flush(self) -> None:
        """Write the log; called once, last, so that `at` is close to the commit."""
        self.check_recorded()
        log = changes.appending(self.written_changes, new=self._new)
        try:
            await self.db.write_together([*self.late.commands(), *log])
        except DuplicateKeyError:
            if self.db.last_write in log:
                raise _taken() from None
            raise

    def _wrote(self, store: Collection[Any], document: Mapping[str, Any], **how: bool) -> None:
        self.edits.wrote = True
        self.written(store, document, **how)


def _refused(store: Collection[Any], error: PyMongoError, taken: Refusal | None) -> BaseException:
    if not isinstance(error, DuplicateKeyError):
        return error
    of_id = (error.details or {}).get("keyPattern") == {"_id": 1}
    if taken is not None and (store.prefix is None or not of_id):
        return taken(error)
    return _taken() if of_id else error


def _taken() -> UserError:
    return UserError("ID_TAKEN", "This id is in use.", field=["id"])
