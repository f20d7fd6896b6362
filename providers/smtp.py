"""Mail by SMTP, for production."""

from email.message import EmailMessage
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

import aiosmtplib
from aiosmtplib.errors import SMTPException

from core.ports import DeliveryFailed

TIMEOUT_SECONDS = 10.0


class Smtp:
    """Implements `core.ports.Mailer`; `smtp://user:password@host:587` or `smtps://host:465`."""

    def __init__(self, url: str, sender: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("Write it as smtp://user:password@host:587, or smtps://.")
        self._encrypted = parts.scheme == "smtps"
        self._host = parts.hostname
        self._port = parts.port or (465 if self._encrypted else 587)
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._sender = sender
        self._domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"

    async def send(self, *, to: str, subject: str, text: str) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, to, subject
        message.set_content(text)
        try:
            await aiosmtplib.send(
                message,
                hostname=self._host,
                port=self._port,
                username=self._user or None,
                password=self._password or None,
                use_tls=self._encrypted,
                # Asking for this machine's name may hang on a name server.
                local_hostname=self._domain,
                timeout=TIMEOUT_SECONDS,
            )
        except (SMTPException, OSError, TimeoutError) as error:
            # The server's own words name the address.
            raise DeliveryFailed(f"The mail server did not take it: {type(error).__name__}.") from None
