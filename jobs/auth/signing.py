"""Rotation of the signing keys of access tokens."""

from datetime import timedelta

from core.context import Services
from core.jobs import task
from resolvers.auth import signing


@task("auth.rotate_signing_keys", every=timedelta(hours=1))
async def rotate_signing_keys(services: Services) -> None:
    """A new key every thirty days; the old one is published for a day more."""
    await signing.rotate(services.db, services.crypto)
