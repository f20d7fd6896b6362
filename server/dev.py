"""`landfall dev`: everything on this machine, and nothing left behind."""

import socket
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console

from core import logs
from core.settings import Environment, Settings
from devstack import examples
from providers import carrier_webhook, stripe_gateway
from server import interrupts, lifespan, process, worker

out = Console(highlight=False)

FIRST_PORT, LAST_PORT = 8000, 8020


class Problem(RuntimeError):
    """Something is in the way; the message says what."""


def run(configured: Settings, *, port: int | None, data_dir: Path | None, demo: float | None) -> None:
    """Until Ctrl-C; `demo` is how much demo data an empty database gets, 1 as much as anybody needs."""
    started = time.monotonic()
    if configured.env is Environment.PRODUCTION:
        raise Problem("`landfall dev` has demo accounts with known passwords: use `landfall serve`.")
    configured = _with(configured, port=_port(configured, port))
    if data_dir is not None:
        configured = _with(configured, data_dir=data_dir, media_dir=data_dir / "media")
    logs.configure(configured)
    with ExitStack() as stack:
        configured = _with_carrier(_with_gateway(stack, _with_servers(stack, configured)))
        interrupts.run(_serve(configured, demo=demo, started=started))
    out.print("Stopped.")


def _with_servers(stack: ExitStack, configured: Settings) -> Settings:
    """Embedded servers for those the settings do not name."""
    if configured.mongo_url and configured.redis_url:
        return configured
    from devstack.servers import DataDirBusy, MissingBinary, StartFailed, embedded

    out.print("Starting MongoDB and Redis ...")
    try:
        servers = stack.enter_context(embedded(configured.data_dir))
    except (DataDirBusy, MissingBinary, StartFailed) as reason:
        raise Problem(str(reason)) from None
    return _with(
        configured,
        mongo_url=configured.mongo_url or servers.mongo_url,
        redis_url=configured.redis_url or servers.redis_url,
    )


def _with_gateway(stack: ExitStack, configured: Settings) -> Settings:
    """A payment gateway that pretends, unless the settings name a real one."""
    if stripe_gateway.is_set_up(configured):
        return configured
    from devstack.gateway import KEY, SECRET
    from devstack.gateway.process import EmbeddedGateway

    hook = f"http://{configured.host}:{configured.port}/hooks/stripe" if configured.port else ""
    gateway = stack.enter_context(EmbeddedGateway(configured.data_dir / "gateway", hook=hook).running())
    return _with(configured, stripe_key=KEY, stripe_url=gateway.url, stripe_hook_secret=SECRET)


def _with_carrier(configured: Settings) -> Settings:
    """The secret of a carrier that pretends, unless the settings name a real one's."""
    if carrier_webhook.is_set_up(configured):
        return configured
    from devstack import carrier

    return _with(configured, carrier_hook_secret=carrier.SECRET)


async def _serve(configured: Settings, *, demo: float | None, started: float) -> None:
    out.print("Preparing collections and the schema ...")
    async with lifespan.services(configured) as services:
        if demo is not None:
            await _fill(services, demo)
        async with worker.working(services), process.listening(services) as port:
            stop = process.told_to_stop()
            _welcome(configured, port, demo=demo is not None, seconds=time.monotonic() - started)
            await stop.wait()
            out.print("\nStopping ...")


async def _fill(services: Any, scale: float) -> None:
    from devstack import seed, seed_acts

    if not await seed.seeded(services.db):
        size = seed.Size().scaled(scale)
        out.print(
            f"Loading demo data: {size.people:,} people, {size.posts:,} posts, {size.products:,} products; "
            f"about {max(2, 10 * scale):.0f} seconds, once ...",
            soft_wrap=True,
        )
        kept = services.settings.media_dir
        await seed.seed(services.db, kept, services.crypto, size=size, until=seed.lately())
        await seed_acts.fill(services)


def _port(configured: Settings, asked: int | None) -> int:
    """The port asked for if it is free; else the first free one from the default on."""
    if asked is not None:
        if asked and not _free(configured.host, asked):
            raise Problem(f"Port {asked} is taken: choose another with --port, or leave it out.")
        return asked
    first = configured.port or FIRST_PORT
    for candidate in range(first, first + LAST_PORT - FIRST_PORT):
        if _free(configured.host, candidate):
            if candidate != first:
                out.print(f"Port {first} is taken; using {candidate}.")
            return candidate
    raise Problem(f"No free port from {first} on: choose one with --port.")


def _free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _with(configured: Settings, **changes: Any) -> Settings:
    return configured.model_copy(update=changes)


def _welcome(configured: Settings, port: int, *, demo: bool, seconds: float) -> None:
    address = f"http://{configured.host}:{port}"
    out.print(f"\n[bold]Landfall[/bold] is ready in {seconds:.1f} s\n")
    out.print(f"  Demo app   {address}/app")
    out.print(f"  GraphiQL   {address}/graphql")
    out.print(f"  Outbox     {address}/dev/outbox")
    if demo:
        out.print("\n  Sign in as")
        for user in examples.DEMO_USERS:
            out.print(f"    {user['email']:<20} {user['password']}  {user.get('role', '')}".rstrip())
        out.print("\n  Paste this into GraphiQL:")
        out.print(f"    {examples.FIRST}\n", soft_wrap=True)
    else:
        out.print("\n  Nobody is here yet: sign up in GraphiQL's account panel; the code is in the outbox.")
        out.print("  The first administrator: landfall roles ADDRESS ADMIN\n", soft_wrap=True)
    out.print("  For `landfall doctor`, `users` and `roles`, in another terminal first:")
    urls = f"LANDFALL_MONGO_URL='{configured.mongo_url}' LANDFALL_REDIS_URL='{configured.redis_url}'"
    out.print(f"    export {urls}\n", soft_wrap=True)
    out.print("  Ctrl-C stops everything.\n")
