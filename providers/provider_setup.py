"""External services as the settings name them: messages, callbacks, CAPTCHAs; the outbox in development."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ParamSpec
from urllib.parse import unquote, urlsplit

from aiohttp import ClientSession
from redis.asyncio import Redis

from core.callbacks import Webhook, Webhooks
from core.circuit_breaker import CircuitBreaker
from core.ports import Mailer, Pusher, Sent, SlackPoster, SmsSender, TeamsPoster, VoiceCaller
from core.security.limits import Limits, Rate
from core.settings import Settings
from ports.auth import AuthSettings, Captcha, Risk
from ports.order import CarrierSettings, PaymentSettings
from providers import captcha, push, sms, unsent, voice
from providers.carrier_webhook import CarrierWebhook
from providers.guarded import Guarded, rates
from providers.outbox import Outbox, OutboxPoster, OutboxPusher, OutboxSmsSender, OutboxVoiceCaller
from providers.risk import PlainRisk
from providers.slack import Slack
from providers.smtp import Smtp
from providers.stripe_webhook import StripeWebhook
from providers.teams import Teams
from providers.vonage import VonageWebhook
from providers.webhooks import MailWebhook, SlackWebhook, TwilioWebhook

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Providers:
    mailer: Mailer
    sms_senders: tuple[SmsSender, ...]
    pusher: Pusher
    voice: VoiceCaller
    slack: SlackPoster
    teams: TeamsPoster
    webhooks: Webhooks
    captcha: Captcha | None
    risk: Risk
    outbox: Outbox | None


def chosen_providers(settings: Settings, redis: "Redis", http: ClientSession) -> Providers:
    """The providers; ValueError names a setting that cannot be right."""
    outbox = None if settings.production else Outbox(redis)
    made = _Senders(settings, http, outbox, _guard(settings, redis))
    return Providers(
        made.mailer(),
        made.sms_senders(),
        made.pusher(),
        made.voice(),
        made.slack(),
        made.teams(),
        _webhooks(settings),
        _captcha(settings, http),
        PlainRisk(),
        outbox,
    )


class Guard:
    """Puts a sender behind its provider's circuit breaker and token bucket."""

    def __init__(self, limits: Limits, by_provider: dict[str, Rate]) -> None:
        self._limits, self._rates = limits, by_provider

    def __call__(
        self, name: str, provider: object, send: Callable[P, Awaitable[Sent]], *, breaks: bool = True
    ) -> Guarded[P]:
        breaker = CircuitBreaker(name) if breaks else None
        return Guarded(provider, send, self._limits, self._rates.get(name), breaker)


def _guard(settings: Settings, redis: "Redis") -> Guard:
    return Guard(Limits(redis), _named("LANDFALL_PROVIDER_RATES", rates, settings.provider_rates))


def _named(name: str, make: Callable[..., Any], *given: Any) -> Any:
    """Make something of a setting; ValueError names it."""
    try:
        return make(*given)
    except ValueError as problem:
        raise ValueError(f"{name}: {problem}") from None


class _Senders:
    """Senders by the settings, each behind its guard; the outbox, or none, where nothing is set."""

    def __init__(self, settings: Settings, http: ClientSession, outbox: Outbox | None, guard: Guard) -> None:
        self._settings, self._http, self._outbox, self._guard = settings, http, outbox, guard
        public = settings.public_url.rstrip("/")
        self._callbacks = f"{public}/hooks" if public else ""

    def mailer(self) -> Mailer:
        settings = self._settings
        if not settings.smtp_url:
            return self._outbox or unsent.UnsentMail()
        made: Smtp = _named("LANDFALL_SMTP_URL", Smtp, settings.smtp_url, settings.mail_from)
        return self._guard("smtp", made, made.send)

    def sms_senders(self) -> tuple[SmsSender, ...]:
        """The first provider and the one that steps in for it."""
        named = {
            "LANDFALL_SMS_URL": self._settings.sms_url.get_secret_value(),
            "LANDFALL_SMS_BACKUP_URL": self._settings.sms_backup_url.get_secret_value(),
        }
        made = []
        for name, url in named.items():
            if url:
                sender: SmsSender = _named(name, sms.sms_sender, url, self._http, self._callbacks)
                made.append(self._guard(urlsplit(url).scheme.partition("+")[0], sender, sender.send))
        return tuple(made) or (OutboxSmsSender(self._outbox) if self._outbox else unsent.UnsentTexts(),)

    def voice(self) -> VoiceCaller:
        url = self._settings.voice_url.get_secret_value()
        if not url:
            return OutboxVoiceCaller(self._outbox) if self._outbox else unsent.UnsentCalls()
        made: VoiceCaller = _named("LANDFALL_VOICE_URL", voice.voice_caller, url, self._http, self._callbacks)
        return self._guard("voice", made, made.send)

    def pusher(self) -> Pusher:
        settings = self._settings
        if settings.fcm_account_file is None:
            return OutboxPusher(self._outbox) if self._outbox else unsent.UnsentPushes()
        try:
            made = push.Fcm(self._http, settings.fcm_url, settings.fcm_account_file)
        except (OSError, ValueError, KeyError) as problem:
            raise ValueError(f"LANDFALL_FCM_ACCOUNT_FILE: {type(problem).__name__}") from None
        return self._guard("fcm", made, made.send)

    def slack(self) -> SlackPoster:
        token = self._settings.slack_token.get_secret_value()
        if not token:
            return OutboxPoster(self._outbox, "slack") if self._outbox else unsent.UnsentPosts()
        made = Slack(self._http, self._settings.slack_url, token)
        return self._guard("slack", made, made.send)

    def teams(self) -> TeamsPoster:
        """Flows are people's own addresses: whose do not answer must open no circuit for the others."""
        if self._outbox:
            return OutboxPoster(self._outbox, "teams")
        made = Teams()
        return self._guard("teams", made, made.send, breaks=False)


def _webhooks(settings: Settings) -> Webhooks:
    """Webhooks of the providers whose secrets are set."""
    found: dict[str, Webhook] = {}
    urls = [
        urlsplit(each.get_secret_value())
        for each in (settings.sms_url, settings.sms_backup_url, settings.voice_url)
    ]
    tokens = {unquote(url.password) for url in urls if url.scheme.startswith("twilio") and url.password}
    if tokens:
        found["twilio"] = TwilioWebhook(*sorted(tokens))
    if secret := settings.mail_hook_secret.get_secret_value():
        found["mail"] = _named("LANDFALL_MAIL_HOOK_SECRET", MailWebhook, secret)
    if secret := settings.vonage_signature_secret.get_secret_value():
        found["vonage"] = VonageWebhook(secret)
    if secret := settings.slack_signing_secret.get_secret_value():
        found["slack"] = SlackWebhook(secret)
    payments = PaymentSettings.beside(settings).stripe_hook_secret.get_secret_value()
    if secrets := [each for each in map(str.strip, payments.split(",")) if each]:
        found["stripe"] = StripeWebhook(secrets)
    if secret := CarrierSettings.beside(settings).carrier_hook_secret.get_secret_value():
        found["carrier"] = _named("LANDFALL_CARRIER_HOOK_SECRET", CarrierWebhook, secret)
    return Webhooks(found)


def _captcha(settings: Settings, http: ClientSession) -> Captcha | None:
    auth = AuthSettings.beside(settings)
    if auth.captcha_url:
        return captcha.SiteVerify(http, auth.captcha_url, auth.captcha_secret.get_secret_value())
    return None if settings.production else captcha.Word()
