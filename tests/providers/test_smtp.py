"""Mail, delivered to a real mail server."""

import asyncio
import warnings
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

from core.ports import DeliveryFailed, FailureCode, MailAttachment, Permanent, Retryable
from devstack.process import free_port
from providers.smtp import Smtp


class Mailbox:
    """Takes mail, but not for `full`, `busy` and `spam@example.com`."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.port = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, _: Any) -> str:
        if address == "full@example.com":
            return f"552 The mailbox of {address} is full"
        if address == "busy@example.com":
            return f"450 {address} is being read"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        if envelope.rcpt_tos == ["spam@example.com"]:
            return "554 Looks like spam"
        self.envelopes.append(envelope)
        return "250 OK"


def signed_in(server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"ada", b"p@ss"), handled=False)


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    box = Mailbox()

    def protocol() -> SMTP:
        with warnings.catch_warnings():
            # It asks for a password without TLS; the connection never leaves this machine.
            warnings.simplefilter("ignore")
            return SMTP(
                box, hostname="localhost", authenticator=signed_in, auth_required=True, auth_require_tls=False
            )

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    yield box
    server.close()
    await server.wait_closed()


async def test_a_message_arrives(mailbox: Mailbox) -> None:
    mailer = Smtp(f"smtp://ada:p%40ss@127.0.0.1:{mailbox.port}", "Landfall <noreply@landfall.example>")
    sent = await mailer.send(to="grace@example.com", subject="Grüße", text="Your code is 123456.\nÄ")
    [envelope] = mailbox.envelopes
    assert envelope.rcpt_tos == ["grace@example.com"]
    message = message_from_bytes(envelope.content, policy=default)
    assert (message["To"], message["Subject"]) == ("grace@example.com", "Grüße")
    assert message["From"] == "Landfall <noreply@landfall.example>"
    assert message["Message-ID"] == f"<{sent.provider_ref}>"
    assert sent.provider_ref.endswith("@landfall.example")
    assert message.get_content().replace("\r\n", "\n").strip() == "Your code is 123456.\nÄ"


async def test_a_mail_that_is_sent_again_has_the_same_message_id(mailbox: Mailbox) -> None:
    mailer = Smtp(f"smtp://ada:p%40ss@127.0.0.1:{mailbox.port}", "Landfall <noreply@landfall.example>")
    mail = {"to": "grace@example.com", "subject": "News", "text": "Ship sails"}
    refs = [(await mailer.send(**mail, key=key)).provider_ref for key in ("d_1", "d_1", "d_2", "")]
    assert refs[:3] == ["d_1@landfall.example", "d_1@landfall.example", "d_2@landfall.example"]
    sent = [message_from_bytes(each.content, policy=default)["Message-ID"] for each in mailbox.envelopes]
    assert sent == [f"<{ref}>" for ref in refs]
    assert len(set(sent)) == 3


async def test_a_message_has_html_headers_and_attachments(mailbox: Mailbox) -> None:
    mailer = Smtp(f"smtp://ada:p%40ss@127.0.0.1:{mailbox.port}", "noreply@landfall.example")
    await mailer.send(
        to="grace@example.com",
        subject="Tea",
        text="Tea at four.",
        html="<p>Tea at four.</p>",
        headers={"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
        attachments=[MailAttachment("tea.ics", "text/calendar", b"BEGIN:VCALENDAR")],
    )
    [envelope] = mailbox.envelopes
    message = message_from_bytes(envelope.content, policy=default)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text, page = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert page is not None
    assert (text.get_content().strip(), page.get_content().strip()) == ("Tea at four.", "<p>Tea at four.</p>")
    [file] = message.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == ("tea.ics", "text/calendar")
    assert file.get_content() == "BEGIN:VCALENDAR"


async def test_a_long_url_to_unsubscribe_arrives_as_it_is(mailbox: Mailbox) -> None:
    mailer = Smtp(f"smtp://ada:p%40ss@127.0.0.1:{mailbox.port}", "noreply@landfall.example")
    url = f"<https://notifications.landfall.example/n/recipient_{'0' * 26}/unsubscribe/{'a-_' * 8}>"
    headers = {"List-Unsubscribe": url, "X-About": "Grüße"}
    await mailer.send(to="grace@example.com", subject="Tea", text="Tea", headers=headers)
    [envelope] = mailbox.envelopes
    assert isinstance(envelope.content, bytes)
    # Mail programs look for a URL, and decode nothing.
    assert f"\r\nList-Unsubscribe: {url}\r\n".encode() in envelope.content
    assert message_from_bytes(envelope.content, policy=default)["X-About"] == "Grüße"


async def test_a_header_stays_one(mailbox: Mailbox) -> None:
    mailer = Smtp(f"smtp://ada:p%40ss@127.0.0.1:{mailbox.port}", "noreply@landfall.example")
    with pytest.raises(ValueError, match="linefeed"):
        await mailer.send(to="a@b.example", subject="s", text="t", headers={"X-A": "b\r\nBcc: c@d.example"})


@pytest.mark.parametrize(
    ("login", "to", "code"),
    [
        ("ada:p%40ss", "full@example.com", FailureCode.UNREACHABLE),
        ("ada:p%40ss", "spam@example.com", FailureCode.REFUSED),
        ("ada:p%40ss", "busy@example.com", None),
        ("ada:wrong", "grace@example.com", None),
    ],
)
async def test_a_refusal_fails_without_naming_the_address(
    mailbox: Mailbox, login: str, to: str, code: FailureCode | None
) -> None:
    with pytest.raises(DeliveryFailed) as failed:
        await Smtp(f"smtp://{login}@127.0.0.1:{mailbox.port}", "a@b.example").send(
            to=to, subject="s", text="t"
        )
    assert str(failed.value).startswith("The mail server did not take it: SMTP")
    assert to not in str(failed.value)
    assert (failed.value.code if isinstance(failed.value, Permanent) else None) == code


async def test_no_server_is_a_failure() -> None:
    away = Smtp(f"smtp://127.0.0.1:{free_port()}", "a@b.example")
    with pytest.raises(Retryable):
        await away.send(to="x@y.example", subject="s", text="t")
