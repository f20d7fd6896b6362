"""Health check of the providers: the one in use behind each port of this process, in words."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from core.callbacks import Webhooks
from core.checkup import Finding
from core.context import Services
from core.ports import SlackPoster, TeamsPoster, VoiceCaller
from core.settings import Settings
from ports.auth import AuthSettings, Captcha
from ports.media import MediaProcessor, MediaSettings
from ports.order import PaymentSettings

PROVIDERS = {
    "Twilio": "sent by Twilio",
    "Vonage": "sent by Vonage",
    "Fcm": "sent by Firebase Cloud Messaging",
    "Outbox": "not sent, but shown at /dev/outbox",
    "OutboxSmsSender": "not sent, but shown at /dev/outbox",
    "OutboxPusher": "not sent, but shown at /dev/outbox",
    "OutboxVoiceCaller": "not made, but shown at /dev/outbox",
    "OutboxPoster": "not sent, but shown at /dev/outbox",
    "TwilioVoice": "made by Twilio",
    "Slack": "sent by the Slack app",
    "Teams": "sent to each person's flow",
    "UnsentTexts": "none are sent",
    "UnsentCalls": "none are made",
    "UnsentPosts": "none are sent",
    "UnsentPushes": "none are sent",
}


def findings(services: Services) -> Sequence[Finding]:
    """Findings on each port: the provider behind it."""
    settings, processor = services.settings, services.get(MediaProcessor)
    clamd = services.get(MediaSettings).clamd
    return [
        Finding("Media", settings.media_store or f"files in {settings.media_dir}"),
        Finding("HEIC", "taken" if processor.heic else "refused: pillow-heif is not installed"),
        Finding("Films", "taken" if processor.films else "refused: ffmpeg is missing or turned off"),
        Finding("Malware scanner", clamd or "built in: knows the test signature alone"),
        Finding("Mail", _mail(settings), _lacking(settings) if settings.production else None),
        Finding("Text messages", ", then ".join(map(_said, services.sms_senders))),
        Finding("Pushes", _said(services.pusher)),
        Finding("Calls", _said(services.get(VoiceCaller))),
        Finding("Slack", _said(services.get(SlackPoster))),
        Finding("Teams", _said(services.get(TeamsPoster))),
        Finding("Payments", *_payments(services.get(PaymentSettings))),
        Finding("Callbacks", _callbacks(services), _unheard(services)),
        Finding("CAPTCHAs", _captchas(services)),
    ]


def _lacking(settings: Settings) -> str | None:
    """Return the feature that people lack in production, and its setting; None if nothing is missing."""
    if not settings.smtp_url:
        return "Nobody can sign up or reset a password: no mail is sent. Set LANDFALL_SMTP_URL."
    if settings.mail_from == Settings.model_fields["mail_from"].default:
        return "Mail from noreply@localhost is refused by mail servers. Set LANDFALL_MAIL_FROM."
    return None


def _mail(settings: Settings) -> str:
    if settings.smtp_url:
        place = urlsplit(settings.smtp_url)
        return f"sent by {place.hostname} as {settings.mail_from}"
    return "no mail is sent" if settings.production else PROVIDERS["Outbox"]


def _said(provider: object) -> str:
    """The provider in words, whichever guard stands before it."""
    return PROVIDERS[type(getattr(provider, "provider", provider)).__name__]


def _callbacks(services: Services) -> str:
    found = sorted(services.get(Webhooks).by_provider)
    return f"taken of {', '.join(found)} at /hooks/..." if found else "none are taken"


def _unheard(services: Services) -> str | None:
    """Callbacks that cannot arrive: providers are told our address, and sign it."""
    if services.get(Webhooks).by_provider and not services.settings.public_url:
        return "Nobody learns what became of messages. Set LANDFALL_PUBLIC_URL."
    return None


def _payments(settings: PaymentSettings) -> tuple[str, str | None]:
    """Gateway that charges, and what is lacking: asking takes minutes, callbacks a second."""
    if not settings.stripe_key.get_secret_value():
        return "none are taken", None
    said = f"charged by {urlsplit(settings.stripe_url).hostname}"
    if settings.stripe_hook_secret.get_secret_value():
        return said, None
    return said, "Payments settle late: no callbacks are taken. Set LANDFALL_STRIPE_HOOK_SECRET."


def _captchas(services: Services) -> str:
    url = services.get(AuthSettings).captcha_url
    if url:
        return f"judged by {urlsplit(url).hostname}"
    return "the word `human`" if services.get(Captcha).asked else "none are asked for"
