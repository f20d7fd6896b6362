"""Ranking experiments: set by administrators, applied by every process at once."""

import asyncio
import contextlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from pymongo.errors import PyMongoError

from core import cancellation
from core.context import Context
from core.errors import UserError, check_version
from core.storage.mongo import Database
from core.sync.listeners import SlowConsumer
from core.sync.live import Live
from resolvers.feed.moderating import checked_reason
from resolvers.feed.ranking import Ranking
from stores import feed as store

logger = structlog.get_logger(__name__)

SCOPE = "feed:experiment"
RETRY_SECONDS = 1.0
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")

Document = Mapping[str, Any]


class Experiments:
    """Applies the experiment last set to this process's ranking; without one, the setting."""

    def __init__(self, db: Database, live: Live, ranking: Ranking) -> None:
        self._db = db
        self._live = live
        self._ranking = ranking
        self._known = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._follow(), name="experiments")
        await self._known.wait()

    async def stop(self) -> None:
        await cancellation.end([self._task])

    async def _follow(self) -> None:
        while True:
            try:
                async for _ in self._live.follow([SCOPE], authorize=self._load):
                    await self._load()
            except SlowConsumer:
                continue
            except PyMongoError as error:
                logger.warning("experiment not read", error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    async def _load(self) -> None:
        kept = await store.experiments.by_id(self._db, store.CURRENT)
        if kept is not None:
            try:
                self._ranking.try_out(kept["experiment"])
            except ValueError as problem:
                # A variant that this version does not have (any more): what was ranked by stays.
                logger.error("experiment unknown", experiment=kept["experiment"], problem=str(problem))
        self._known.set()


async def set_feed_experiment(
    ctx: Context,
    *,
    name: str | None = None,
    variants: Sequence[Document] = (),
    reason: str,
    expected_version: int | None = None,
) -> dict[str, Any]:
    """Begin an experiment in place of the present one; without a name, end it."""
    checked_reason(reason)
    current = await _current(ctx)
    shown = current if current["name"] else None
    check_version(expected_version, current["version"], feed_experiment=shown)
    text = _text(name, variants)
    try:
        ranker = ctx.services.get(Ranking).made(text)
    except ValueError as problem:
        raise UserError(
            "INVALID_INPUT",
            "The ranking does not take this: {problem}",
            field=["variants"],
            values={"problem": str(problem)},
        ) from None
    change = {"experiment": text, "set_by": ctx.viewer_id, "set_at": ctx.tx.now}
    kept = await ctx.tx.put(store.experiments, store.CURRENT, change)
    ctx.tx.notice(SCOPE, scopes=[SCOPE])
    return {"feed_experiment": _shown(ranker, kept["version"])}


def _text(name: str | None, variants: Sequence[Document]) -> str:
    if name is None:
        if variants:
            raise UserError("REQUIRED", "Variants are of an experiment with a name.", field=["name"])
        return ""
    if not NAME.fullmatch(name):
        raise UserError("INVALID_FORMAT", "Small letters, digits and dashes.", field=["name"])
    shares = {each["name"]: each["share_percent"] for each in variants if NAME.fullmatch(each["name"])}
    if not shares or len(shares) < len(variants):
        raise UserError("INVALID_INPUT", "Give each variant once.", field=["variants"])
    return f"{name}:{','.join(f'{variant}={share}' for variant, share in shares.items())}"


async def feed_experiment(ctx: Context) -> dict[str, Any] | None:
    """The ranking experiment; None when none is running."""
    current = await _current(ctx)
    return current if current["name"] else None


async def _current(ctx: Context) -> dict[str, Any]:
    """The experiment with its version, which is 0 for one of the settings; without a name when none is."""
    kept = await store.experiments.by_id(ctx.db, store.CURRENT)
    version = kept["version"] if kept else 0
    ranking = ctx.services.get(Ranking)
    ranker = ranking.ranker
    if kept:
        # What is stored, which this process may not have taken up yet; what it cannot make is not applied.
        with contextlib.suppress(ValueError):
            ranker = ranking.made(kept["experiment"])
    return _shown(ranker, version) or {"name": None, "variants": [], "version": version}


def _shown(ranker: Any, version: int) -> dict[str, Any] | None:
    if not ranker.experiment:
        return None
    shares = [{"name": name, "share": share} for name, share in ranker.variants.items()]
    return {"name": ranker.experiment, "variants": shares, "version": version}
