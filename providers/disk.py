"""Media files on disk, served by our own server."""

from pathlib import Path
from urllib.parse import quote


class DiskMedia:
    """Implements `core.ports.Media`."""

    def __init__(self, folder: Path, base_url: str) -> None:
        self.folder = folder
        self.base_url = base_url.rstrip("/")

    def url(self, file_name: str) -> str:
        return f"{self.base_url}/media/{quote(file_name)}"
