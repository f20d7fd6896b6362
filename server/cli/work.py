"""Background work that failed, and documents that apps may name."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from server.cli.base import deployment, group, out, refusal, run

jobs_app = group("jobs", "Background work that failed for good.")
operations_app = group("operations", "Documents that apps may name instead of sending.")


@jobs_app.command("dead")
def dead() -> None:
    """List the dead-letter queue: jobs that failed for good."""
    configured = deployment()
    from core import jobs
    from server import assembly

    async def list_dead() -> list[jobs.Errand]:
        async with assembly.services(configured) as services:
            return await jobs.dead(services.db)

    table = Table("Id", "Task", "Arguments", "Attempts", "Error")
    for errand in run(list_dead()):
        arguments = json.dumps(errand["arguments"])
        table.add_row(errand["_id"], errand["task"], arguments, str(errand["attempts"]), errand["error"])
    out.print(table)


@jobs_app.command("retry")
def retry(id: str) -> None:
    """Retry a job of the dead-letter queue."""
    configured = deployment()
    from core import jobs
    from server import assembly

    async def revive() -> bool:
        async with assembly.services(configured) as services:
            return await jobs.revive(services.db, id)

    if not run(revive()):
        raise refusal(f"There is no dead errand {id}.")
    out.print(f"{id} will be tried again.")


@operations_app.command("add")
def add_operations(
    files: Annotated[list[Path], typer.Argument(help="Manifests of Apollo, Relay or graphql-codegen.")],
) -> None:
    """Register the operations of an app's build; one that does not fit the schema is refused with all."""
    configured = deployment()
    from server import assembly, trusted

    found = []
    for file in files:
        try:
            found += trusted.read(file.read_bytes(), assembly.make_schema(configured))
        except (OSError, ValueError) as problem:
            raise refusal(f"{file}: {problem}") from None

    async def add() -> int:
        async with assembly.services(configured) as services:
            return await trusted.add(services.db, found)

    out.print(f"{run(add()):,} new of {len(found):,} operations.")
