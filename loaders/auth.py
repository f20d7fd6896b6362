"""People, sessions and keys by id."""

from core.loader import Loader, in_order
from stores import auth as store
from stores.auth import AuthKey, Session, User


class UserById(Loader[str, User | None]):
    async def batch_load_fn(self, keys: list[str]) -> list[User | None]:
        return in_order(keys, await store.users.by_ids(self.db, keys, fields=self.fields))


class SessionById(Loader[str, Session | None]):
    async def batch_load_fn(self, keys: list[str]) -> list[Session | None]:
        return in_order(keys, await store.sessions.by_ids(self.db, keys, fields=self.fields))


class AuthKeyById(Loader[str, AuthKey | None]):
    async def batch_load_fn(self, keys: list[str]) -> list[AuthKey | None]:
        return in_order(keys, await store.auth_keys.by_ids(self.db, keys, fields=self.fields))
