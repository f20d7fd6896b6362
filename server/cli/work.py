"""Background work that failed, and documents that apps may name."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from server.cli.base import deployment, group, out, refusal, run

jobs_app = group("jobs", "Background work that failed for good.")
operations_app = group("operations", "Documents that apps may name instead of sending.")


@jobs_app.command("dead-letters")
def dead() -> None:
    """List the dead-letter queue: jobs that failed for good."""
    configured = deployment()
    from core import jobs
    from server import lifespan

    async def list_dead() -> list[jobs.Job]:
        async with lifespan.services(configured) as services:
            return await jobs.dead_letters(services.db)

    table = Table("Id", "Task", "Arguments", "Attempts", "Error")
    for job in run(list_dead()):
        arguments = json.dumps(job["arguments"])
        table.add_row(job["_id"], job["task"], arguments, str(job["attempts"]), job["error"])
    out.print(table)


@jobs_app.command("retry")
def retry(id: str) -> None:
    """Retry a job of the dead-letter queue."""
    configured = deployment()
    from core import jobs
    from server import lifespan

    async def retry_dead() -> bool:
        async with lifespan.services(configured) as services:
            return await jobs.retry(services.db, id)

    if not run(retry_dead()):
        raise refusal(f"There is no dead job {id}.")
    out.print(f"{id} will be tried again.")


@operations_app.command("add")
def add_operations(
    files: Annotated[list[Path], typer.Argument(help="Manifests of Apollo, Relay or graphql-codegen.")],
) -> None:
    """Register the operations of an app's build; one that does not fit the schema is refused with all."""
    configured = deployment()
    from server import lifespan, operation_manifest

    found = []
    for file in files:
        try:
            found += operation_manifest.read(file.read_bytes(), lifespan.make_schema(configured))
        except (OSError, ValueError) as problem:
            raise refusal(f"{file}: {problem}") from None

    async def add() -> int:
        async with lifespan.services(configured) as services:
            return await operation_manifest.add(services.db, found)

    out.print(f"{run(add()):,} new of {len(found):,} operations.")
