"""Keys that seal fields; a system's own keys join them."""

from typing import TYPE_CHECKING

from server.cli.base import deployment, group, out, refusal, run

if TYPE_CHECKING:
    from core.crypto import Keyring

keys_app = group("keys", "Keys that sign access tokens, and those that encrypt fields.")


@keys_app.command("seal")
def seal_anew() -> None:
    """Re-encrypt what former field keys encrypted; workers do it by themselves, this says when it is done."""
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
