"""External services as the settings name them: mail, texts, pushes, CAPTCHAs; the outbox in development."""

from dataclasses import dataclass

from aiohttp import ClientSession
from redis.asyncio import Redis

from core.ports import Mailer, Pusher, SmsSender
from core.settings import Settings
from ports.auth import AuthSettings, Captcha, Risk
from providers import captcha, push, sms, unsent
from providers.outbox import Outbox, OutboxPusher, OutboxSmsSender
from providers.risk import PlainRisk
from providers.smtp import Smtp


@dataclass(frozen=True, slots=True)
class Providers:
    mailer: Mailer
    sms_senders: tuple[SmsSender, ...]
    pusher: Pusher
    captcha: Captcha | None
    risk: Risk
    outbox: Outbox | None


def chosen_providers(settings: Settings, redis: "Redis", http: ClientSession) -> Providers:
    """The providers; ValueError names a setting that cannot be right."""
    outbox = None if settings.production else Outbox(redis)
    mailer: Mailer
    if settings.smtp_url:
        try:
            mailer = Smtp(settings.smtp_url, settings.mail_from)
        except ValueError as problem:
            raise ValueError(f"LANDFALL_SMTP_URL: {problem}") from None
    else:
        mailer = outbox or unsent.UnsentMail()
    return Providers(
        mailer,
        _sms_senders(settings, http, outbox),
        _pusher(settings, http, outbox),
        _captcha(settings, http),
        PlainRisk(),
        outbox,
    )


def _sms_senders(settings: Settings, http: ClientSession, outbox: Outbox | None) -> tuple[SmsSender, ...]:
    """The first provider and the one that steps in for it."""
    named = {
        "LANDFALL_SMS_URL": settings.sms_url.get_secret_value(),
        "LANDFALL_SMS_BACKUP_URL": settings.sms_backup_url.get_secret_value(),
    }
    made = []
    for name, url in named.items():
        try:
            made += [sms.sms_sender(url, http)] if url else []
        except ValueError as problem:
            raise ValueError(f"{name}: {problem}") from None
    return tuple(made) or (OutboxSmsSender(outbox) if outbox else unsent.UnsentTexts(),)


def _pusher(settings: Settings, http: ClientSession, outbox: Outbox | None) -> Pusher:
    if settings.fcm_account_file is None:
        return OutboxPusher(outbox) if outbox else unsent.UnsentPushes()
    try:
        return push.Fcm(http, settings.fcm_url, settings.fcm_account_file)
    except (OSError, ValueError, KeyError) as problem:
        raise ValueError(f"LANDFALL_FCM_ACCOUNT_FILE: {type(problem).__name__}") from None


def _captcha(settings: Settings, http: ClientSession) -> Captcha | None:
    auth = AuthSettings.beside(settings)
    if auth.captcha_url:
        return captcha.SiteVerify(http, auth.captcha_url, auth.captcha_secret.get_secret_value())
    return None if settings.production else captcha.Word()
