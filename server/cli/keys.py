"""Keys that sign and seal, and passwords that are known to others."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from server.cli.base import deployment, environment, group, out, refusal, run

if TYPE_CHECKING:
    from core.crypto import Keyring

keys_app = group("keys", "Keys that sign access tokens, and those that encrypt fields.")
passwords_app = group("passwords", "Passwords that nobody may choose.")


@keys_app.command("list")
def list_keys() -> None:
    """List the keys, oldest first."""
    configured = deployment()
    from server import assembly
    from stores import auth

    async def read() -> list[Any]:
        async with assembly.database(configured) as db:
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
    from server import assembly

    async def rotate() -> str | None:
        # Not the services: they do not start when the present key cannot be opened.
        async with assembly.database(configured) as db:
            crypto = assembly.field_keys(configured)
            return await signing.rotate(db, crypto, at_once=True, distrust=distrust)

    out.print(f"{run(rotate())} signs from now on.")


@keys_app.command("seal")
def seal_anew() -> None:
    """Seal anew what former field keys sealed; workers do it by themselves, this says when it is done."""
    configured = deployment()
    from core import sealing
    from server import assembly

    async def seal() -> tuple[sealing.Run, "Keyring"]:
        async with assembly.database(configured) as db:
            crypto = assembly.field_keys(configured)
            return await sealing.seal_anew(db, crypto), crypto

    ran, crypto = run(seal())
    out.print(f"{ran.anew:,} texts are sealed with {crypto.current} now.")
    if ran.unreadable:
        raise refusal(f"{ran.unreadable:,} texts cannot be opened: the field key they need is missing.")
    if crypto.former and not ran.anew:
        out.print(f"Nothing is left of {', '.join(crypto.former)}: take them out of LANDFALL_FIELD_KEYS.")
    elif crypto.former:
        out.print("When no process that seals with an older key is running any more, do this again.")


@passwords_app.command("renew")
def renew_passwords(
    file: Annotated[Path, typer.Argument(help="A list as Have I Been Pwned's downloader writes it.")],
) -> None:
    """Put a newly downloaded list of breached passwords in the place of the present one; once a month."""
    present = environment().breached_passwords_file
    from resolvers.auth import breached

    if present is None:
        raise refusal("Set LANDFALL_BREACHED_PASSWORDS_FILE to where the list is to lie.")
    try:
        count = breached.renew(file, present)
    except (OSError, ValueError) as wrong:
        raise refusal(f"{file}: {wrong}") from None
    out.print(f"{count:,} breached passwords are refused from now on.")
