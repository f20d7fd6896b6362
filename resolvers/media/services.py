"""Services of media, for systems whose records show uploads."""

from collections.abc import AsyncIterator

from core import uploads
from core.services import service
from resolvers.media.linking import MediaUploads


@service
async def upload_service() -> AsyncIterator[uploads.UploadService]:
    yield MediaUploads()
