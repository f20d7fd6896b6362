"""Mail by SMTP, for production."""

from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.policy import Policy
from email.utils import make_msgid, parseaddr
from urllib.parse import unquote, urlsplit

import aiosmtplib
from aiosmtplib.errors import (
    SMTPDataError,
    SMTPException,
    SMTPRecipientsRefused,
)

from core.ports import (
    NO_HEADERS,
    DeliveryFailed,
    FailureCode,
    MailAttachment,
    Permanent,
    Retryable,
    Sent,
)

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

    async def send(
        self,
        *,
        to: str,
        subject: str,
        text: str,
        html: str = "",
        headers: Mapping[str, str] = NO_HEADERS,
        attachments: Sequence[MailAttachment] = (),
        key: str = "",
    ) -> Sent:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, to, subject
        message["Message-ID"] = f"<{key}@{self._domain}>" if key else make_msgid(domain=self._domain)
        for name, value in headers.items():
            message[name] = _Whole(name, value) if value.isascii() and value.isprintable() else value
        message.set_content(text)
        if html:
            message.add_alternative(html, subtype="html")
        for each in attachments:
            kind, _, subtype = each.mime.partition("/")
            message.add_attachment(each.data, maintype=kind, subtype=subtype, filename=each.name)
        await self._deliver(message)
        return Sent(message["Message-ID"].strip("<>"))

    async def _deliver(self, message: EmailMessage) -> None:
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
            raise _failure(error) from None


class _Whole(str):
    """Header on one line: longer than 78 characters and without blanks, it is encoded word by word.

    Mail programs read no URL in that; lines may have 998 characters.
    """

    name: str

    def __new__(cls, name: str, value: str) -> "_Whole":
        whole = super().__new__(cls, value)
        whole.name = name
        return whole

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


def _failure(error: Exception) -> DeliveryFailed:
    """Permanent where the server says so (5xx) of address or content; its own words name the address."""
    text = f"The mail server did not take it: {type(error).__name__}."
    if isinstance(error, SMTPRecipientsRefused):
        gone = all(each.code >= 500 for each in error.recipients)
        return Permanent(FailureCode.UNREACHABLE, text) if gone else Retryable(text)
    if isinstance(error, SMTPDataError) and error.code >= 500:
        return Permanent(FailureCode.REFUSED, text)
    return Retryable(text)
