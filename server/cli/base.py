"""Root of the command line: the application, its settings, and its exit with one sentence.

The heavy parts of Landfall are imported by the commands that need them: help, the version and bad settings
are printed at once.
"""

import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console

from core import discovery
from core.settings import Settings, of_systems
from server import VERSION, interrupts, variables

T = TypeVar("T")

app = typer.Typer(
    help="Landfall: a GraphQL backend-for-frontend for mobile apps that lose their connection.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out = Console()
problem = Console(stderr=True)

SNAPSHOT = Path(__file__).parents[2] / "schema" / "schema.graphql"
APP_SNAPSHOT = SNAPSHOT.with_name("app.graphql")
"""The schema without what is for staff."""
DELTA = SNAPSHOT.with_name("delta.graphql")
"""The document that syncs every entity, for clients."""


def group(name: str, help: str) -> typer.Typer:
    """A command of several commands."""
    made = typer.Typer(help=help, no_args_is_help=True)
    app.add_typer(made, name=name)
    return made


def _version(wanted: bool) -> None:
    if wanted:
        out.print(f"Landfall {VERSION}", highlight=False)
        raise typer.Exit


@app.callback()
def landfall(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Landfall: a GraphQL backend-for-frontend for mobile apps that lose their connection."""


def refusal(reason: object) -> typer.Exit:
    """Says why on stderr, as it is and on one line; to be raised."""
    problem.print(str(reason), style="red", markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(1)


def warn(text: str) -> None:
    problem.print(text, style="yellow", markup=False, highlight=False, soft_wrap=True)


def environment(**given: Any) -> Settings:
    """The settings, those of the command line before those of the environment.

    A bad one ends with its name and exit code 1; a variable that is none is warned of.
    """
    try:
        configured = Settings(**{name: value for name, value in given.items() if value is not None})
        discovery.systems("ports")
        of_systems(configured)
    except ValidationError as error:
        # The values themselves may be secret.
        raise refusal("\n".join(map(variables.problem, error.errors()))) from None
    except SettingsError as error:
        raise refusal(variables.unreadable(error)) from None
    for name in variables.unknown():
        warn(variables.warning(name))
    return configured


def deployment(**given: Any) -> Settings:
    """The settings of a command that needs MongoDB and Redis, whose addresses can be right."""
    from core import logs
    from core.services import NotReady
    from server import starting

    configured = environment(**given)
    logs.configure(configured)
    try:
        starting.check_addresses(configured)
    except NotReady as reason:
        raise refusal(reason) from None
    return configured


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run it; a missing server or setting ends with a sentence and exit code 1."""
    from core.services import NotReady

    try:
        return interrupts.run(work)
    except NotReady as reason:
        raise refusal(reason) from None
    except KeyboardInterrupt:
        raise interrupted() from None


def interrupted() -> typer.Exit:
    """Ctrl-C before there was anything to stop; to be raised."""
    sys.stderr.write(interrupts.STOPPED)
    return typer.Exit(interrupts.EXIT_CODE)
