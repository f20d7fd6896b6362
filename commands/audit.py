"""Keys that sign the audit logs, and their rotation."""

from typing import Annotated, Any

import typer

from server.cli.base import deployment, group, out, refusal, run

audit_key_app = group("audit-key", "Keys that sign the checkpoints of audit logs.")


@audit_key_app.command("list")
def list_keys(
    org: Annotated[
        str, typer.Option(help="Organization whose log the verifier keys are of; each log has its own.")
    ] = "personal",
) -> None:
    """List the verifier keys of a log, oldest first; the last one signs."""
    configured = deployment()
    from resolvers.audit import log_keys
    from server import lifespan

    async def read() -> list[dict[str, Any]]:
        async with lifespan.services(configured) as services:
            return await log_keys.shown(services, org)

    for key in run(read()):
        out.print(key["verifier_key"], highlight=False, soft_wrap=True)
        out.print(f"  {_described(key)}", highlight=False)


def _described(key: dict[str, Any]) -> str:
    size, distrusted = key["from_entry_count"], key["distrusted_at"]
    told = [f"made {key['created_at']:%Y-%m-%d %H:%M} UTC"]
    told.append("has signed nothing of this log" if size is None else f"signs from {size:,} entries on")
    if distrusted:
        told.append(f"distrusted since {distrusted:%Y-%m-%d %H:%M} UTC")
    return ", ".join(told)


@audit_key_app.command("rotate")
def rotate_key(
    distrust: Annotated[
        bool, typer.Option(help="Have no older key vouch for the new one: one of them was stolen.")
    ] = False,
) -> None:
    """Sign audit logs with a new key from the next checkpoint on, which introduces it."""
    configured = deployment()
    from pymongo.errors import DuplicateKeyError

    from core.context import Context
    from resolvers.audit import key_rotation
    from server import lifespan

    async def rotate() -> str:
        async with lifespan.services(configured) as services:
            ctx = Context(services)
            return await ctx.unit(lambda: key_rotation.rotate(ctx, distrust=distrust))

    try:
        made = run(rotate())
    except key_rotation.TooMany as reason:
        raise refusal(reason) from None
    except DuplicateKeyError:
        raise refusal("Another rotation came first: `landfall audit-key list` shows its key.") from None
    out.print(f"{made} signs from the next checkpoint of each log on.", highlight=False)
    if distrust:
        out.print("No older key vouches for it: tell auditors its verifier key by another way.")
