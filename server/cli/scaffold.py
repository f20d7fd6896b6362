"""Files of a new system, for contributors."""

from pathlib import Path
from typing import Annotated

import typer

from server.cli.base import app, out, refusal


@app.command("new-system")
def new_system(
    name: Annotated[str, typer.Argument(help="One word in the singular, lower case: `pin`.")],
) -> None:
    """Write the files of a new system into this clone, with a test that passes."""
    from devstack import new_system as scaffold

    try:
        written = scaffold.write(name, Path())
    except scaffold.NotWritten as reason:
        raise refusal(reason) from None
    for path in written:
        out.print(str(path), highlight=False)
    out.print("Now: make schema, make lint, make test.", highlight=False)
