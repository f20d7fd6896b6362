"""Services of media, for systems whose records show uploads."""

from collections.abc import AsyncIterator

from core import uploads
from core.services import service
from resolvers.media.linking import Desk


@service
async def desk() -> AsyncIterator[uploads.Desk]:
    yield Desk()
