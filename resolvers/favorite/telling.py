"""News of targets, to those who saved them: at most one of a kind in an hour, and ten on a day of theirs.

Whoever knows of an event tells it once, by `target_event`; who is told is decided for each follower, in the
unit of work that notifies them. One more within the hour waits as a job, and goes out at its end if it is
still true. The day's number is a document of its own for each person, so that nobody waits for another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from core import ids, jobs, zones
from core.context import Context, Services
from core.hooks import Hook
from core.messages import gettext_noop
from core.values.money import decimal
from resolvers import notification
from resolvers.favorite import metrics, notes
from resolvers.favorite.kinds import KINDS, Kind
from resolvers.notification import NotificationChannel, code_template
from stores import auth as accounts
from stores import favorite as store
from stores.favorite import Favorite, FavoriteKindName, FavoriteStatus, FavoriteTargetEventKind

HOUR = timedelta(hours=1)
MOST_A_DAY = 10
DROP_PERCENT = 5
"""Least drop of a price that is told, of the price when it was saved."""
BATCH = 500
CHUNK = 50
"""Followers of one unit of work: more would hold up what they do themselves."""

SOURCE = notification.notification_source(
    "FAVORITE", "News of your favorites: availability, cancellations, promotions, prices and stock."
)
TITLES = {
    FavoriteTargetEventKind.AVAILABILITY: gettext_noop("{name} has an appointment free"),
    FavoriteTargetEventKind.CANCELLATION: gettext_noop("Somebody canceled an appointment with {name}"),
    FavoriteTargetEventKind.PROMOTION: gettext_noop("There is a promotion of {name}"),
    FavoriteTargetEventKind.PRICE_DROP: gettext_noop("{name} costs less now"),
    FavoriteTargetEventKind.BACK_IN_STOCK: gettext_noop("{name} is back in stock"),
}
TEXTS = {FavoriteTargetEventKind.PRICE_DROP: gettext_noop("It costs {price} {currency}.")}
TEMPLATES = {
    event: code_template(f"favorite.{event.lower()}", title=title, message=TEXTS.get(event, ""))
    for event, title in TITLES.items()
}
CHOICES = {
    FavoriteTargetEventKind.AVAILABILITY: "availability",
    FavoriteTargetEventKind.CANCELLATION: "cancellations",
    FavoriteTargetEventKind.PROMOTION: "promotions",
    FavoriteTargetEventKind.PRICE_DROP: "price_drop",
    FavoriteTargetEventKind.BACK_IN_STOCK: "back_in_stock",
}
"""By event, the choice of the favorite that lets it through."""

Data = Mapping[str, Any]

still_true = Hook[[Services, str, FavoriteTargetEventKind, Data], bool]("favorite.still_true")
"""Asked by what is told later whether an event of a target still holds; one who says no is enough."""


@dataclass(frozen=True, slots=True)
class News:
    """News of a target as it is now; `price` and `currency` of what has one."""

    event_id: str
    event: FavoriteTargetEventKind
    at: datetime
    target_id: str
    variables: Mapping[str, Any]
    data: Data
    price: int | None
    currency: str | None


async def target_event(
    ctx: Context,
    kind: FavoriteKindName,
    target_id: str,
    event: FavoriteTargetEventKind,
    data: Data | None = None,
) -> None:
    """Tell the followers of a target of an event, with the transaction that makes it: jobs do the rest.

    `data` may have a `link_url`, and what `still_true` is asked with.
    """
    await jobs.enqueue(
        ctx.tx,
        "favorite.tell_followers",
        event_id=ids.new_id("event"),
        kind=kind,
        target_id=target_id,
        event=event,
        at=ctx.tx.now,
        data=dict(data or {}),
    )


async def tell_followers(
    services: Services, *, event_id: str, kind: str, target_id: str, event: str, at: datetime, data: Data
) -> None:
    """Decide for each follower of a target whether they are told now, later or not at all."""
    news = await _news(services, KINDS[kind], target_id, FavoriteTargetEventKind(event), at, data, event_id)
    if news is None:
        return
    followers = {"target_id": target_id, "status": FavoriteStatus.SAVED}
    async for rows in store.favorites.batches(services.db, followers, size=BATCH, fields=("user_id",)):
        for start in range(0, len(rows), CHUNK):
            await _tell(services, rows[start : start + CHUNK], news)


async def tell_later(
    services: Services,
    *,
    event_id: str,
    favorite_id: str,
    user_id: str,
    event: str,
    at: datetime,
    data: Data,
) -> None:
    """Tell one follower at the end of the hour what was too soon, as it is then."""
    row = await store.favorites.by_id(services.db, {"_id": favorite_id, "user_id": user_id})
    if row is None:
        return
    kind, target_id = KINDS[row["kind"]], row["target_id"]
    news = await _news(services, kind, target_id, FavoriteTargetEventKind(event), at, data, event_id)
    if news is not None:
        await _tell(services, [row], news)


async def _news(
    services: Services,
    kind: Kind,
    target_id: str,
    event: FavoriteTargetEventKind,
    at: datetime,
    data: Data,
    event_id: str,
) -> News | None:
    """News of a target as it is now; None where they are none any more."""
    [target] = await kind.read(Context(services), [target_id])
    if target is None or kind.withdrawn(target):
        return None
    if event == FavoriteTargetEventKind.BACK_IN_STOCK and not kind.in_stock(target):
        return None
    if not all(await still_true(services, target_id, event, data)):
        return None
    price, currency = kind.price(target) or (None, None)
    variables: dict[str, Any] = {"name": kind.title(target)}
    if price is not None and currency is not None:
        variables |= {"price": decimal(price, currency), "currency": currency}
    return News(event_id, event, at, target_id, variables, data, price, currency)


async def _tell(services: Services, rows: Sequence[Favorite], news: News) -> None:
    # Before the transaction, in which each read would be a command of its own.
    users = {
        each["_id"]: each
        for each in await accounts.users.by_ids(services.db, [row["user_id"] for row in rows])
    }
    zones_of = {id: each["time_zone"] for id, each in users.items()}
    ctx = Context(services)
    await ctx.unit(partial(_tell_all, ctx, [row["_id"] for row in rows], zones_of, news))


async def _tell_all(
    ctx: Context, favorite_ids: Sequence[str], zones_of: Mapping[str, str], news: News
) -> None:
    favorites = await store.favorites.by_ids(ctx.db, favorite_ids)
    told = [
        each["user_id"]
        for each in favorites
        if each["user_id"] in zones_of and await _decide(ctx, each, zones_of[each["user_id"]], news)
    ]
    await notification.notify(
        ctx,
        source=SOURCE,
        dedupe_key=f"{news.event}:{news.event_id}",
        user_ids=told,
        template_key=TEMPLATES[news.event],
        variables=news.variables,
        channels=[NotificationChannel.PUSH],
        subject_id=news.target_id,
        link_url=news.data.get("link_url"),
        push={"data": {"kind": news.event, "targetId": news.target_id}},
    )


async def _decide(ctx: Context, favorite: Favorite, zone: str, news: News) -> bool:
    """True if the follower is told now; what is told within the hour before waits for its end."""
    if not _concerns(favorite, news):
        return False
    last = favorite["last_notices"].get(news.event)
    if last is not None and last["event_id"] == news.event_id:
        return False
    if last is not None and last["at"] + HOUR > ctx.tx.now:
        await _wait(ctx, favorite, news, last["at"] + HOUR)
        return False
    if not await _counts(ctx, favorite["user_id"], zone):
        _note_outcome(ctx, news, "DROPPED")
        return False
    notice = {"at": ctx.tx.now, "event_id": news.event_id, "link_url": news.data.get("link_url")}
    kept: dict[str, Any] = {f"last_notices.{news.event}": notice}
    if news.event == FavoriteTargetEventKind.PRICE_DROP:
        kept["told_price"] = news.price
    told = await ctx.tx.update(store.favorites, favorite, set=kept, touch=False)
    assert told is not None
    # None of its fields shows it.
    ctx.tx.skip_log(told)
    notes.log(ctx, news.event, favorite)
    _note_outcome(ctx, news, "TOLD")
    return True


def _concerns(favorite: Favorite, news: News) -> bool:
    """True if the follower wants such news, and a price is low enough to be told of.

    Whoever saved the target after the event has seen it as it is.
    """
    if favorite["status"] != FavoriteStatus.SAVED or favorite["saved_at"] > news.at:
        return False
    if not _wants(favorite, news.event):
        return False
    if news.event != FavoriteTargetEventKind.PRICE_DROP:
        return True
    saved, told = favorite["price_when_saved"], favorite["told_price"]
    if news.price is None or saved is None or favorite["currency"] != news.currency:
        return False
    low_enough = news.price * 100 <= saved * (100 - DROP_PERCENT)
    return low_enough and (told is None or news.price < told)


def _wants(favorite: Favorite, event: FavoriteTargetEventKind) -> bool:
    choices: Mapping[str, Any] = favorite["notices"]
    return bool(choices[CHOICES[event]])


async def _wait(ctx: Context, favorite: Favorite, news: News, until: datetime) -> None:
    """Tell at the end of the hour, in the place of what waits already.

    Its key names the favorite, not the target: keys of jobs are in the log.
    """
    await jobs.enqueue(
        ctx.tx,
        "favorite.tell_later",
        key=f"{favorite['_id']}:{news.event}",
        due_at=until,
        event_id=news.event_id,
        favorite_id=favorite["_id"],
        user_id=favorite["user_id"],
        event=news.event,
        at=news.at,
        data=dict(news.data),
    )
    _note_outcome(ctx, news, "DELAYED")


async def _counts(ctx: Context, user_id: str, zone: str) -> bool:
    """Count one more notice of a person's day; False where it had as many as it may."""
    today = zones.wall_time(zone, ctx.tx.now).date().isoformat()
    key = store.key_of_count(user_id, today)
    known = await store.favorite_notice_counts.by_id(ctx.db, key)
    if known is not None and known["count"] >= MOST_A_DAY:
        return False
    until = {"expires_at": ctx.tx.now + store.COUNTS_KEPT}
    await ctx.tx.update(
        store.favorite_notice_counts, key, set=until, inc={"count": 1}, touch=False, initial={}
    )
    return True


def _note_outcome(ctx: Context, news: News, outcome: str) -> None:
    ctx.tx.after_commit(partial(_noted, news.event, outcome))


async def _noted(event: str, outcome: str) -> None:
    metrics.NOTICES.labels(event, outcome).inc()
