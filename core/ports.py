"""What Landfall asks of the outside; `providers/` implements these."""

from typing import Protocol


class Mailer(Protocol):
    """Delivers a message to an email address."""

    async def send(self, *, to: str, subject: str, text: str) -> None: ...


class Media(Protocol):
    """Where media files can be fetched from; `origin` is how the client reached us."""

    def url(self, file_name: str, *, origin: str) -> str: ...
