"""Change recorder of a unit of work: changes are logged when it commits, and reach devices from there."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.storage.store import Collection
from core.sync.changes import MEMBERSHIP, NOTE, Change, user_scope


class UnloggedChange(RuntimeError):
    """A synced document was written without `changed`, `removed` or `skip_log`: a bug of the resolver."""


class ChangeRecorder:
    """Change recorder: the entries of the log that a unit of work makes; of an entry the last one counts."""

    def __init__(self) -> None:
        self._changes: dict[str, Change] = {}
        self._before: dict[str, Change | None] = {}
        """By document, what was to be logged before its last write logged itself."""
        self._unlogged: set[str] = set()

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

    @property
    def changed_ids(self) -> list[str]:
        return list(self._changes)

    @property
    def written_changes(self) -> Iterable[Change]:
        return self._changes.values()

    def check_recorded(self) -> None:
        """UnloggedChange while a synced document is written and not recorded."""
        if self._unlogged:
            raise UnloggedChange(f"Written without a log entry: {sorted(self._unlogged)}")

    def written(
        self,
        store: Collection[Any],
        document: Mapping[str, Any],
        *,
        created: bool = False,
        deleted: bool = False,
    ) -> None:
        """Log an entity that says who reads it; what else is synced, its resolver must log."""
        id = document["_id"]
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


def _type_name(id: str) -> str:
    return id.rpartition("_")[0].upper()
