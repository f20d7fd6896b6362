"""Demo of what people do by themselves, through the resolvers: acts on record, carts as of today, scans."""

from core.context import Services
from devstack import seed_audit, seed_cart, seed_scans


async def fill(services: Services) -> None:
    """Let the demo's people do it, once the rest of the demo is there."""
    await seed_audit.fill(services)
    await seed_cart.fill(services)
    await seed_scans.fill(services)
