"""A process of its own: the web server, or a worker, until it is told to stop."""

import asyncio
import errno
import gc
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from core.context import Services
from core.services import NotReady
from core.settings import Settings
from server import lifespan, worker
from server.app import CONNECTIONS, make_app
from server.connections import KEEP_ALIVE_SECONDS

logger = structlog.get_logger(__name__)

SHUTDOWN_SECONDS = 10.0
GC_THRESHOLDS = (20_000, 20, 20)


async def serve(settings: Settings) -> None:
    async with lifespan.services(settings) as services, worker.waking(services), listening(services) as port:
        stop = told_to_stop()
        settle()
        logger.info("serving", address=f"http://{settings.host}:{port}/graphql")
        await stop.wait()


async def work(settings: Settings) -> None:
    async with lifespan.services(settings) as services, worker.working(services):
        stop = told_to_stop()
        logger.info("working")
        await stop.wait()


@asynccontextmanager
async def listening(services: Services) -> AsyncIterator[int]:
    """The web server; yields its port."""
    settings = services.settings
    application = make_app(services, lifespan.make_schema(settings))
    runner = web.AppRunner(
        application,
        access_log=None,
        shutdown_timeout=SHUTDOWN_SECONDS,
        handler_cancellation=True,
        keepalive_timeout=KEEP_ALIVE_SECONDS,
    )
    await runner.setup()
    assert runner.server is not None
    application[CONNECTIONS].install(runner.server)
    try:
        site = web.TCPSite(runner, settings.host, settings.port, reuse_port=settings.production or None)
        await _start(site, settings)
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def _start(site: web.TCPSite, settings: Settings) -> None:
    """NotReady where the address cannot be listened on."""
    place = f"{settings.host}:{settings.port}"
    try:
        await site.start()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            said = f"Port {settings.port} is taken: choose another by --port or LANDFALL_PORT."
        elif error.errno == errno.EACCES:
            said = f"Listening on {place} is not allowed here: ports below 1024 need rights."
        else:
            said = f"Listening on {place} is not possible: {error.strerror or error}"
        raise NotReady(said) from None


def settle() -> None:
    """Spare the garbage collector what lives as long as the process, and most of its rounds.

    An answer is thousands of small objects without cycles; by default every 700 of them are looked through.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def told_to_stop() -> asyncio.Event:
    """Set by SIGINT or SIGTERM; to be called before the process is reported ready."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    return stop
