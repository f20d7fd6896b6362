"""Accounts and roles that the operator gives: the first administrator has nobody else to turn to."""

import sys
from typing import Annotated

import typer

from server.cli.base import app, deployment, group, out, refusal, run
from stores.auth import Role

users_app = group("users", "Accounts made by the operator.")

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
    from server import assembly

    async def assign() -> list[Role] | None:
        async with assembly.services(configured) as services:
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
    from core.errors import Refused
    from resolvers.auth import founding
    from server import assembly

    async def create() -> list[Role]:
        async with assembly.services(configured) as services:
            ctx = Context(services)
            ready = await founding.prepare(ctx, email=email, password=password)
            return await ctx.unit(lambda: founding.create(ctx, account=ready, roles=wanted, name=name))

    try:
        assigned = run(create())
    except Refused as reason:
        raise refusal(reason.message) from None
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
