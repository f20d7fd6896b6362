"""Commands that run Landfall, and those about what it serves."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from server.cli.base import (
    APP_SNAPSHOT,
    DELTA,
    SNAPSHOT,
    app,
    deployment,
    environment,
    interrupted,
    out,
    refusal,
    run,
)

Port = Annotated[int | None, typer.Option(min=0, max=65_535, help="Port; 0 takes a free one.")]
Host = Annotated[str | None, typer.Option(help="Address to listen on; 0.0.0.0 is all of this machine.")]
Scale = Annotated[
    float, typer.Option(help="Of demo data: 1 is 200 people, 2,000 posts, 8,000 comments, 800 products.")
]


@app.command()
def dev(
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port; by default 8000, or the next free one.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where databases, keys and media are kept.")] = None,
    demo: Annotated[bool, typer.Option(help="Load demo data into an empty database.")] = True,
    scale: Scale = 1.0,
) -> None:
    """Run everything on this machine, with embedded databases and demo data."""
    configured = environment()
    out.print("Starting Landfall ...", highlight=False)
    from core.services import NotReady
    from server import dev as development
    from server import interrupts

    interrupts.orderly()
    try:
        development.run(configured, port=port, data_dir=data_dir, demo=scale if demo else None)
    except (development.Problem, NotReady) as reason:
        raise refusal(reason) from None
    except KeyboardInterrupt:
        raise interrupted() from None


@app.command()
def serve(host: Host = None, port: Port = None) -> None:
    """Serve GraphQL on the configured MongoDB and Redis."""
    configured = deployment(host=host, port=port)
    from server import process

    run(process.serve(configured))


@app.command()
def worker() -> None:
    """Run background work on the configured MongoDB and Redis."""
    configured = deployment()
    from server import process

    run(process.work(configured))


@app.command()
def schema(
    write: Annotated[
        bool, typer.Option("--write", help="Write schema.graphql, app.graphql and delta.graphql in schema/.")
    ] = False,
    for_apps: Annotated[bool, typer.Option("--app", help="Leave out what is for staff.")] = False,
    delta: Annotated[
        bool, typer.Option("--delta", help="Print the document that syncs every entity instead.")
    ] = False,
) -> None:
    """Print the schema in SDL."""
    from core.graphql.delta_document import delta_document
    from core.settings import Settings
    from server import lifespan

    made = lifespan.make_schema(Settings())
    sdl, document = (made.for_apps() if for_apps else made.as_str()) + "\n", delta_document(made._schema)
    if write:
        SNAPSHOT.write_text(made.as_str() + "\n")
        APP_SNAPSHOT.write_text(made.for_apps() + "\n")
        DELTA.write_text(document)
    else:
        sys.stdout.write(document if delta else sdl)


@app.command()
def seed(scale: Scale = 1.0) -> None:
    """Load demo data into the configured database."""
    configured = deployment()
    from core.services import NotReady
    from devstack import seed as demo
    from devstack import seed_acts
    from server import lifespan

    async def fill() -> Any:
        async with lifespan.services(configured) as services:
            if await demo.seeded(services.db):
                raise NotReady("This database has demo data already.")
            size = demo.Size().scaled(scale)
            loaded = await demo.seed(
                services.db,
                configured.media_dir,
                services.crypto,
                size=size,
                until=demo.lately(),
                production=configured.production,
            )
            await seed_acts.fill(services)
            return loaded

    try:
        out.print(f"Loaded {run(fill())}.")
    except demo.SeedRefused as reason:
        raise refusal(reason) from None
