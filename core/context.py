"""Request context: the viewer, the services, the loaders and the unit of work a resolver runs with."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import structlog
from redis.asyncio import Redis

from core import deadline, messages, outages
from core.bearer_tokens import Bearers, BearerToken, malformed
from core.errors import DoneElsewhere, RateLimited, Unauthenticated, UserError
from core.mutations.flush import Flush
from core.ports import Mailer, ObjectStore, Pusher, SmsSender
from core.security.crypto import Keyring
from core.security.limits import Limits, Rate, Verdict
from core.security.networks import network_of
from core.security.sliding_window import SlidingWindowCounter
from core.settings import Settings
from core.storage.folding import Folder
from core.storage.loader import Loader
from core.storage.mongo import Database
from core.storage.transactions import run as run_unit
from core.storage.unit import Unit
from core.sync.live import Live
from core.sync.log_offset import Signer

logger = structlog.get_logger(__name__)

K = TypeVar("K")
V = TypeVar("V")
R = TypeVar("R")

PERSONAL = "personal"
"""The organisation of people who belong to none."""

NO_TOKEN = "NO_TOKEN"
"""Reason of a refusal for want of an access token, bad or good."""

_RUNNING: set[asyncio.Task[Any]] = set()
"""Units under way: the event loop itself would let go of one that nobody waits for."""


def _ended(unit: "asyncio.Task[Any]") -> None:
    """Let go of a unit. How it failed is taken note of: who waited for it may be gone with the process."""
    _RUNNING.discard(unit)
    if not unit.cancelled():
        unit.exception()


def _unwatched(unit: asyncio.Task[Any]) -> None:
    """The end of a unit whose request is gone: neither a refusal nor an outage is news to anybody."""
    error = None if unit.cancelled() else unit.exception()
    expected = error is None or isinstance(error, (UserError, DoneElsewhere))
    if error is not None and not expected and outages.fault_of(error) is None:
        logger.error("bug", exc_info=error)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Signer of the request: the claims of a valid access token."""

    user_id: str
    session_id: str
    device_id: str
    roles: frozenset[str] = frozenset()
    org: str = PERSONAL
    authenticated_at: float = 0.0
    """When they last proved who they are, in seconds since the epoch."""
    issued_at: float = 0.0
    """When the token was made."""
    factors: tuple[str, ...] = ()
    """Factors that were proven in the session, in their order."""
    factor_count: int = 0
    """Number of factors that they are worth: a key counts as two."""


@dataclass(slots=True)
class Services:
    """Services of the process: they live as long as it does."""

    settings: Settings
    db: Database
    redis: "Redis"
    live: Live
    counters: Folder
    limits: Limits
    window_counter: SlidingWindowCounter
    signer: Signer
    crypto: Keyring
    mailer: Mailer
    sms_senders: tuple[SmsSender, ...]
    """The SMS provider, and the one that steps in for it."""
    pusher: Pusher
    objects: ObjectStore
    extra: dict[Any, Any] = field(default_factory=dict)
    """By type: what systems keep (`core.services`)."""
    wake: Callable[[], None] = lambda: None
    """Tells workers that jobs were enqueued."""

    def get(self, kind: Callable[..., V]) -> V:
        """The service of this type; a protocol is a type too."""
        return cast("V", self.extra[kind])


class Context:
    """One operation's context: viewer, reads in batches, and inside a mutation the unit of work."""

    def __init__(
        self,
        services: Services,
        *,
        viewer: Viewer | None = None,
        refusal: str = NO_TOKEN,
        request_id: str = "",
        address: str = "",
        origin: str = "",
        accept_language: str = "",
        user_agent: str = "",
        bearers: Bearers | None = None,
    ) -> None:
        self.services = services
        self.viewer = viewer
        self.bearers: Bearers = bearers or {}
        self.refusal = refusal
        self.request_id = request_id
        self.address = address
        self.accept_language = accept_language
        self.user_agent = user_agent
        # A request's own word for where it came to is anybody's to write.
        self.origin = services.settings.public_url.rstrip("/") or origin
        self.verdicts: list[Verdict] = []
        self.connection_params: dict[str, Any] | None = None
        self.completed_mutations: dict[str, Any] = {}
        """Outcomes of the operation's root mutations that ran already, by response key."""
        self.idempotency_key = ""
        """Key of the mutation that runs: ids that are made of it are the same when it is done again."""
        self._flush: Flush | None = None
        self.reading: Any = None
        """The operation's document as it was parsed and validated, where that is known."""
        self._operation_id = ""
        self.served = 0
        """Objects that were put into the answer."""
        self._unit: Unit | None = None
        self._counted: list[Verdict] = []
        self._counts = 0
        self._loaders: dict[tuple[type[Loader[Any, Any]], Sequence[str]], Loader[Any, Any]] = {}

    @property
    def flush(self) -> Flush:
        """The mutations that this one is among; operations of one array share it."""
        if self._flush is None:
            self._flush = Flush()
        return self._flush

    def join(self, other: "Context") -> None:
        """Go on with the flush of another operation."""
        self._flush = other.flush

    def end_flush(self) -> None:
        """No more mutations come."""
        if self._flush is not None:
            self._flush.end()

    def fork(self) -> "Context":
        """The same request for another operation: sockets and batches carry many."""
        forked = Context(
            self.services,
            viewer=self.viewer,
            refusal=self.refusal,
            request_id=self.request_id,
            address=self.address,
            origin=self.origin,
            accept_language=self.accept_language,
            user_agent=self.user_agent,
            bearers=self.bearers,
        )
        forked.verdicts = self.verdicts
        return forked

    @property
    def operation_id(self) -> str:
        """Id of this operation, which no caller chooses, as they do that of their request."""
        if not self._operation_id:
            self._operation_id = f"{random.getrandbits(128):032x}"
        return self._operation_id

    def begin_again(self, other: "Context") -> None:
        """Be the same operation as another context, if that has begun to answer it."""
        self._operation_id = other._operation_id

    @property
    def viewer_id(self) -> str:
        """The signed-in user's id, or UNAUTHENTICATED."""
        return self.signed_in.user_id

    @property
    def signed_in(self) -> Viewer:
        if self.viewer is None:
            raise Unauthenticated(self.refusal)
        return self.viewer

    @property
    def viewer_id_or_none(self) -> str | None:
        return self.viewer.user_id if self.viewer else None

    def bearer(self, kind: BearerToken) -> str | None:
        """Hash of the device's bearer token, None where it sent none; BAD_USER_INPUT for a malformed one."""
        if kind not in self.bearers:
            return None
        hashed = self.bearers[kind]
        if hashed is None:
            raise malformed(kind.header)
        return hashed

    @property
    def org(self) -> str:
        """The viewer's organisation: what systems scope by that keep one's things from another's."""
        return self.signed_in.org

    @property
    def language(self) -> str:
        """Language of the messages that the caller is shown."""
        return messages.language(self.accept_language)

    @property
    def network(self) -> str:
        """Network prefix of the caller's address: rate limits and records of places count by it."""
        return network_of(self.address)

    @property
    def db(self) -> Database:
        """Where to read: inside a mutation, its transaction."""
        return self._unit.db if self._unit is not None else self.services.db

    @property
    def writes(self) -> bool:
        """True inside a unit of work."""
        return self._unit is not None

    @property
    def tx(self) -> Unit:
        if self._unit is None:
            raise RuntimeError("Only a mutation writes.")
        return self._unit

    def load(self, loader: type[Loader[Any, V]], key: Any) -> "asyncio.Future[V]":
        return self.loader(loader).load(key)

    async def load_many(self, loader: type[Loader[Any, V]], keys: Sequence[Any]) -> list[V]:
        return await self.loader(loader).load_many(keys)

    async def load_level(
        self, loader: type[Loader[Any, V]], keys: Sequence[Any], fields: Sequence[str] = ()
    ) -> list[V]:
        """The values of all parents of a level, read at once: for `batched` resolvers.

        `fields` are keys that are enough, of loaders that can leave out others; all, when empty.
        """
        found = await self.loader(loader, fields).fetch(keys)
        return [found[key] for key in keys]

    def loader(self, loader: type[Loader[Any, V]], fields: Sequence[str] = ()) -> Loader[Any, V]:
        """The request's loader of a kind; one that reads `fields` alone is apart from one that reads all."""
        kind = (loader, fields)
        found = self._loaders.get(kind)
        if found is None:
            found = self._loaders[kind] = loader(self.db, self._asker(), fields)
        return found

    def _asker(self) -> Callable[[], str | None]:
        """Return a function that gives the viewer's id without holding the context.

        The context holds its loaders: loaders that held it too would keep a request that is over, with all it
        read, until the garbage collector runs.
        """
        viewer_id = self.viewer_id_or_none
        return lambda: viewer_id

    def refresh(self) -> None:
        """Forget what was loaded: something was written, or a stream shows a later moment."""
        if self._loaders:
            self._loaders = {}

    async def unit(self, work: Callable[[], Awaitable[R]]) -> R:
        """Run `work` as one transaction; it may run twice. Afterwards readers are woken.

        It goes on to its end when the request is cancelled: a phone that hangs up must not leave a commit
        without what follows from it.
        """
        running = deadline.apart(self._run(work))
        _RUNNING.add(running)
        running.add_done_callback(_ended)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            running.add_done_callback(_unwatched)
            raise

    async def _run(self, work: Callable[[], Awaitable[R]]) -> R:
        self._counted = []

        async def within(unit: Unit) -> R:
            self._unit = unit
            self._counts = 0
            self.refresh()
            try:
                return await work()
            finally:
                self._unit = None
                self.refresh()

        counters = self.services.counters
        result, unit = await run_unit(self.services.db, within, counters.contention)
        self.services.live.hint(unit)
        if unit.jobs:
            self.services.wake()
        if unit.deltas:
            await counters.fold(unit.deltas)
        for afterwards in unit.after_commit_hooks:
            await afterwards()
        return result

    async def limit(self, rate: Rate, subject: str | None = None) -> None:
        """Count this request of the viewer (or `subject`); a RATE_LIMITED refusal when it is one too many."""
        verdict = await self._verdict(rate, subject)
        if not verdict.allowed:
            raise UserError("RATE_LIMITED", "Too often.", retry_after_seconds=verdict.retry_after)

    async def limit_request(self, rate: Rate, subject: str | None = None) -> None:
        """The same outside mutations: RATE_LIMITED as a GraphQL error."""
        verdict = await self._verdict(rate, subject)
        if not verdict.allowed:
            raise RateLimited(verdict.retry_after)

    async def _verdict(self, rate: Rate, subject: str | None) -> Verdict:
        place, self._counts = self._counts, self._counts + 1
        if self._unit is not None and place < len(self._counted):
            # The transaction runs again: this request was counted when it ran first.
            return self._counted[place]
        verdict = await self.services.limits.take(rate, subject or self.viewer_id)
        self.verdicts.append(verdict)
        if self._unit is not None:
            self._counted.append(verdict)
        return verdict
