"""`landfall doctor`: what is set up, in words, and what is wrong with it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import typer
from rich.table import Table

from core.settings import Settings
from ports.auth import Captcha
from ports.media import Studio
from server import variables
from server.cli.base import app, deployment, out, problem, run

if TYPE_CHECKING:
    from core.context import Services

PROVIDERS = {
    "Twilio": "sent by Twilio",
    "Vonage": "sent by Vonage",
    "Fcm": "sent by Firebase Cloud Messaging",
    "Outbox": "not sent, but shown at /dev/outbox",
    "OutboxTexter": "not sent, but shown at /dev/outbox",
    "OutboxPusher": "not sent, but shown at /dev/outbox",
    "UnsentTexts": "none are sent",
    "UnsentPushes": "none are sent",
}


@dataclass(slots=True)
class Findings:
    """What was found of each part, and what must be put right."""

    parts: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@app.command()
def doctor() -> None:
    """Check settings, MongoDB and Redis; say what is set up, and fail with what must be put right."""
    configured = deployment()
    from server import assembly

    async def check() -> Findings:
        async with assembly.services(configured) as services:
            return await _examined(services)

    found = run(check())
    table = Table("Part", "Found")
    for name, said in found.parts.items():
        table.add_row(name, said)
    out.print(table)
    for each in found.problems:
        problem.print(f"- {each}", style="red", markup=False, highlight=False, soft_wrap=True)
    if found.problems:
        raise typer.Exit(1)


async def _examined(services: "Services") -> Findings:
    settings = services.settings
    found = Findings()
    found.parts["Public address"] = settings.public_url or "the request's own: set LANDFALL_PUBLIC_URL"
    found.parts["MongoDB"] = await _mongodb(services)
    found.parts["Redis"] = await _redis(services)
    if found.parts["Redis"] == AWAY:
        found.problems.append("Redis does not answer. Everything works, but what is live comes later.")
    found.parts |= {
        "Media": settings.media_store or f"files in {settings.media_dir}",
        "HEIC": "taken" if services.get(Studio).heic else "refused: pillow-heif is not installed",
        "Films": "taken" if services.get(Studio).films else "refused: ffmpeg is missing or turned off",
        "Malware scanner": settings.clamd or "built in: knows the test signature alone",
        "Mail": _mail(services),
        "Text messages": ", then ".join(map(_said, services.texters)),
        "Pushes": _said(services.pusher),
        "CAPTCHAs": _captchas(services),
        "Passkeys": _passkeys(settings),
        "Longest transaction": f"{services.live.overlap.total_seconds() - 1:g} s",
    }
    found.problems += [variables.warning(name) for name in variables.unknown()]
    if settings.production:
        found.problems += _lacking(settings)
    return found


AWAY = "does not answer"


async def _mongodb(services: "Services") -> str:
    hello = await services.db.command({"hello": 1})
    build = await services.db.command({"buildInfo": 1})
    kind = f"replica set {hello['setName']}" if "setName" in hello else "sharded cluster"
    return f"{build['version']}, {kind}"


async def _redis(services: "Services") -> str:
    from redis.exceptions import NoPermissionError, RedisError

    try:
        told: dict[str, Any] = await services.redis.info("server")
        return str(told["redis_version"])
    except NoPermissionError:
        return "answers"
    except (RedisError, OSError):
        return AWAY


def _lacking(settings: Settings) -> list[str]:
    """What people could not do in production, and what to set for it."""
    problems = []
    if not settings.smtp_url:
        problems.append("Nobody can sign up or reset a password: no mail is sent. Set LANDFALL_SMTP_URL.")
    elif settings.mail_from == Settings.model_fields["mail_from"].default:
        problems.append("Mail from noreply@localhost is refused by mail servers. Set LANDFALL_MAIL_FROM.")
    return problems


def _mail(services: "Services") -> str:
    settings = services.settings
    if settings.smtp_url:
        place = urlsplit(settings.smtp_url)
        return f"sent by {place.hostname} as {settings.mail_from}"
    return "no mail is sent" if settings.production else PROVIDERS["Outbox"]


def _passkeys(settings: Settings) -> str:
    known = settings.rp_id != "localhost" or not settings.production
    return f"on {settings.rp_id}" if known else "on localhost alone: set LANDFALL_RP_ID to your app's domain"


def _said(provider: object) -> str:
    return PROVIDERS[type(provider).__name__]


def _captchas(services: "Services") -> str:
    settings = services.settings
    if settings.captcha_url:
        return f"judged by {urlsplit(settings.captcha_url).hostname}"
    return "none are asked for" if not services.get(Captcha).asked else "the word `human`"
