"""Keys that seal fields; a system's own keys join them."""

from typing import TYPE_CHECKING

from server.cli.base import deployment, group, out, refusal, run

if TYPE_CHECKING:
    from core.security.crypto import Keyring

keys_app = group("keys", "Keys that sign access tokens, and those that encrypt fields.")


@keys_app.command("seal")
def reencrypt() -> None:
    """Re-encrypt what former field keys encrypted; workers do it by themselves, this says when it is done."""
    configured = deployment()
    from core.security import key_rotation
    from server import lifespan

    async def seal() -> tuple[key_rotation.Run, "Keyring"]:
        async with lifespan.database(configured) as db:
            crypto = lifespan.field_keys(configured)
            return await key_rotation.reencrypt(db, crypto), crypto

    ran, crypto = run(seal())
    out.print(f"{ran.anew:,} texts are sealed with {crypto.current} now.")
    if ran.unreadable:
        raise refusal(f"{ran.unreadable:,} texts cannot be opened: the field key they need is missing.")
    if crypto.former and not ran.anew:
        out.print(f"Nothing is left of {', '.join(crypto.former)}: take them out of LANDFALL_FIELD_KEYS.")
    elif crypto.former:
        out.print("When no process that seals with an older key is running any more, do this again.")
