"""Services of the feed: ranking and snapshots of this process."""

from collections.abc import AsyncIterator

from redis.asyncio import Redis

from core.redis_batches import RedisBatches
from core.services import service
from core.storage.mongo import Database
from core.sync.live import Live
from ports.feed import Classifier, FeedSettings, Previewer, Rankers
from resolvers.feed.background import KeyedTasks
from resolvers.feed.experimenting import Experiments
from resolvers.feed.links import Previews
from resolvers.feed.moderating import Moderation
from resolvers.feed.ranking import Ranking
from resolvers.feed.snapshots import Snapshots


@service
async def behind() -> AsyncIterator[KeyedTasks]:
    made = KeyedTasks()
    try:
        yield made
    finally:
        await made.stop()


@service
async def snapshots(redis: Redis, batches: RedisBatches) -> AsyncIterator[Snapshots]:
    yield Snapshots(redis, batches)


@service
async def ranking(rankers: Rankers, settings: FeedSettings) -> AsyncIterator[Ranking]:
    yield Ranking(rankers(settings.feed_experiment), rankers)


@service
async def experiments(db: Database, live: Live, ranking: Ranking) -> AsyncIterator[Experiments]:
    made = Experiments(db, live, ranking)
    try:
        await made.start()
        yield made
    finally:
        await made.stop()


@service
async def previews(previewer: Previewer, settings: FeedSettings) -> AsyncIterator[Previews]:
    yield Previews(previewer if settings.link_previews else None)


@service
async def moderation(classifier: Classifier) -> AsyncIterator[Moderation]:
    yield Moderation(classifier)
