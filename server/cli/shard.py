"""`landfall shard`: spreads the collections over the shards of a cluster."""

from rich.table import Table

from server.cli.base import app, deployment, out, refusal, run


@app.command()
def shard() -> None:
    """Declare the collections' shard keys to the router of a sharded cluster; again is harmless."""
    configured = deployment()
    from server import lifespan, sharding

    async def declare() -> dict[str, str]:
        async with lifespan.database(configured) as db:
            return await sharding.declare(db)

    try:
        declared = run(declare())
    except sharding.NotSharded as reason:
        raise refusal(reason) from None
    table = Table("Collection", "Spread by the hash of")
    for name, key in sorted(declared.items()):
        table.add_row(name, key)
    out.print(table)
