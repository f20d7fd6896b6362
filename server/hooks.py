"""Callbacks of providers over HTTP: `/hooks/{provider}`, signature first, answered at once."""

import math
from collections.abc import AsyncIterator

import structlog
from aiohttp import web
from prometheus_client import Counter

from core import callbacks, clock
from core.callbacks import Callback, Forged, Webhooks
from core.context import Services
from core.lru_cache import LruCache
from core.security.limits import Limits, Rate
from core.security.networks import network_of
from core.services import service
from server.signin import address_of

logger = structlog.get_logger(__name__)

PATH = "/hooks/{provider}"
FORGED_RATE = Rate("callbacks-forged", 20, 60)
"""Forged callbacks from one network; genuine ones have no rate."""
MOST_FORGERS = 10_000
CALLBACKS = Counter(
    "landfall_provider_callbacks_total", "Events of providers by result.", ["provider", "result"]
)


class Forgers:
    """Networks that sent too many forged callbacks, each until it may send again; in this process."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._until: LruCache[float] = LruCache(most=MOST_FORGERS, size=MOST_FORGERS)

    def left(self, network: str) -> int:
        """Seconds for which nothing from a network is read."""
        until = self._until.get(network) or 0.0
        return max(0, math.ceil(until - clock.timestamp()))

    async def note(self, network: str) -> None:
        """Count a forged callback."""
        verdict = await self._limits.take(FORGED_RATE, network)
        if not verdict.remaining:
            self._until.put(network, clock.timestamp() + verdict.retry_after, 1)


@service
async def forgers(limits: Limits) -> AsyncIterator[Forgers]:
    yield Forgers(limits)


async def receive(services: Services, request: web.Request) -> web.Response:
    """Take the events of a callback: 401 for a forged one, 200 for what has come before or is unknown.

    429, unread, from where too many forged ones came.
    """
    provider, network = request.match_info["provider"], network_of(address_of(services, request))
    if wait := services.get(Forgers).left(network):
        CALLBACKS.labels(provider, "unread").inc()
        raise web.HTTPTooManyRequests(headers={"Retry-After": str(wait)})
    webhook = services.get(Webhooks).by_provider.get(provider)
    if webhook is None:
        raise web.HTTPNotFound
    callback = Callback(_url(services, request), request.headers, await request.read())
    try:
        told = webhook.read(callback)
    except Forged:
        CALLBACKS.labels(provider, "forged").inc()
        logger.warning("callback forged", provider=provider)
        await services.get(Forgers).note(network)
        raise web.HTTPUnauthorized from None
    for event in told.events:
        new = await callbacks.take(services, provider, event)
        CALLBACKS.labels(provider, "taken" if new else "repeated").inc()
    return web.Response(text=told.body, content_type=told.mime)


def _url(services: Services, request: web.Request) -> str:
    """The address as the provider knows it: proxies may have changed what arrives here."""
    public = services.settings.public_url.rstrip("/")
    return f"{public or f'{request.scheme}://{request.host}'}{request.raw_path}"
