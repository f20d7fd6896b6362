"""Accounts and roles that the operator gives, keys that sign access tokens, and passwords known to others.

The first administrator has nobody else to turn to.
"""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from ports.auth import AuthSettings
from server.cli.base import app, deployment, environment, group, out, refusal, run
from server.cli.keys import keys_app
from stores.auth import Role

users_app = group("users", "Accounts made by the operator.")
passwords_app = group("passwords", "Passwords that nobody may choose.")

ROLES = ", ".join(Role)


@app.command()
def roles(
    email: Annotated[str, typer.Argument(help="Address they signed up with.")],
    given: Annotated[
        list[str], typer.Argument(metavar="ROLE...", help=f"All roles the person shall have: {ROLES}.")
    ],
    org: Annotated[str | None, typer.Option(help="Organisation they belong to.")] = None,
) -> None:
    """Give a person roles."""
    configured, wanted = deployment(), _roles(given)
    from core.context import Context
    from resolvers.auth import founding
    from server import lifespan

    async def assign() -> list[Role] | None:
        async with lifespan.services(configured) as services:
            ctx = Context(services)
            return await ctx.unit(lambda: founding.give_roles(ctx, email=email, roles=wanted, org=org))

    assigned = run(assign())
    if assigned is None:
        raise refusal(f"Nobody signed up as {email}.")
    out.print(f"{email} is {', '.join(assigned)}.", highlight=False)


@users_app.command("create")
def create_user(
    email: Annotated[str, typer.Argument(help="Address to sign in with.")],
    given: Annotated[
        list[str] | None, typer.Argument(metavar="[ROLE]...", help=f"Roles beside MEMBER: {ROLES}.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="First name.")] = None,
) -> None:
    """Make an account that can sign in at once; its password is asked for, or read from a pipe."""
    configured, wanted = deployment(), _roles(given or [])
    password = _password()
    from core.context import Context
    from core.errors import UserError
    from resolvers.auth import founding
    from server import lifespan

    async def create() -> list[Role]:
        async with lifespan.services(configured) as services:
            ctx = Context(services)
            ready = await founding.prepare(ctx, email=email, password=password)
            return await ctx.unit(lambda: founding.create(ctx, account=ready, roles=wanted, name=name))

    try:
        assigned = run(create())
    except UserError as reason:
        raise refusal(str(reason)) from None
    out.print(f"{email} can sign in, and is {', '.join(assigned)}.", highlight=False)


def _roles(given: list[str]) -> list[Role]:
    """The roles of that name, however it is written."""
    unknown = [each for each in given if each.upper() not in set(Role)]
    if unknown:
        raise refusal(f"There is no role {unknown[0]}; there are {ROLES}.")
    return [Role(each.upper()) for each in given]


def _password() -> str:
    """From a person twice, from a pipe once; never from the command line, which others can read."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")


@keys_app.command("list")
def list_keys() -> None:
    """List the keys, oldest first."""
    configured = deployment()
    from server import lifespan
    from stores import auth

    async def read() -> list[Any]:
        async with lifespan.database(configured) as db:
            return await auth.all_signing_keys(db)

    table = Table("Key", "Signs from", "Can sign")
    for key in run(read()):
        table.add_row(
            key["_id"], f"{key['signs_from']:%Y-%m-%d %H:%M} UTC", "yes" if key["private"] else "no"
        )
    out.print(table)


@keys_app.command("rotate")
def rotate_keys(
    distrust: Annotated[bool, typer.Option(help="Refuse every token that older keys signed.")] = False,
) -> None:
    """Sign with a new key from now on; every process knows it within a minute."""
    configured = deployment()
    from resolvers.auth import signing
    from server import lifespan

    async def rotate() -> str | None:
        # Not the services: they do not start when the present key cannot be opened.
        async with lifespan.database(configured) as db:
            crypto = lifespan.field_keys(configured)
            return await signing.rotate(db, crypto, at_once=True, distrust=distrust)

    out.print(f"{run(rotate())} signs from now on.")


@passwords_app.command("renew")
def renew_passwords(
    file: Annotated[Path, typer.Argument(help="A list as Have I Been Pwned's downloader writes it.")],
) -> None:
    """Put a newly downloaded list of breached passwords in the place of the present one; once a month."""
    present = AuthSettings.beside(environment()).breached_passwords_file
    from resolvers.auth import breached

    if present is None:
        raise refusal("Set LANDFALL_BREACHED_PASSWORDS_FILE to where the list is to lie.")
    try:
        count = breached.renew(file, present)
    except (OSError, ValueError) as wrong:
        raise refusal(f"{file}: {wrong}") from None
    out.print(f"{count:,} breached passwords are refused from now on.")
