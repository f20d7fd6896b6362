"""Callbacks of providers over HTTP: `/hooks/{provider}`, signature first, answered at once."""

import structlog
from aiohttp import web
from prometheus_client import Counter

from core import callbacks
from core.callbacks import Callback, Forged, Webhooks
from core.context import Services

logger = structlog.get_logger(__name__)

PATH = "/hooks/{provider}"
CALLBACKS = Counter(
    "landfall_provider_callbacks_total", "Events of providers by result.", ["provider", "result"]
)


async def receive(services: Services, request: web.Request) -> web.Response:
    """Take the events of a callback: 401 for a forged one, 200 for what has come before or is unknown."""
    provider = request.match_info["provider"]
    webhook = services.get(Webhooks).by_provider.get(provider)
    if webhook is None:
        raise web.HTTPNotFound
    callback = Callback(_url(services, request), request.headers, await request.read())
    try:
        told = webhook.read(callback)
    except Forged:
        CALLBACKS.labels(provider, "forged").inc()
        logger.warning("callback forged", provider=provider)
        raise web.HTTPUnauthorized from None
    for event in told.events:
        new = await callbacks.take(services, provider, event)
        CALLBACKS.labels(provider, "taken" if new else "repeated").inc()
    return web.Response(text=told.body, content_type=told.mime)


def _url(services: Services, request: web.Request) -> str:
    """The address as the provider knows it: proxies may have changed what arrives here."""
    public = services.settings.public_url.rstrip("/")
    return f"{public or f'{request.scheme}://{request.host}'}{request.raw_path}"
