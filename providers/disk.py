"""Media files on disk, served by our own server."""

from pathlib import Path
from urllib.parse import quote


class DiskMedia:
    """Implements `core.ports.Media`."""

    def __init__(self, folder: Path, public_url: str) -> None:
        self.folder = folder
        self.public_url = public_url.rstrip("/")

    def url(self, file_name: str, *, origin: str) -> str:
        return f"{self.public_url or origin}/media/{quote(file_name)}"
