"""Wording of notifications: templates in code, shown in each person's language.

A system declares its own beside what it tells of, and gives notify() the key and the variables:

    COMMENTED = code_template("feed.comment", title=gettext_noop("{name} commented on your post"))
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core import messages
from core.context import Services
from stores.auth import User
from stores.notification import Wording

LONGEST_TITLE = 120
LONGEST_MESSAGE = 4_000


@dataclass(frozen=True, slots=True)
class CodeTemplate:
    title: str
    message: str


CODE_TEMPLATES: dict[str, CodeTemplate] = {}

Renderer = Callable[[Services, User, Mapping[str, Any]], Awaitable[tuple[str, str] | None]]
RENDERERS: dict[str, Renderer] = {}
"""By key, what writes texts when they are sent."""


def code_template(key: str, *, title: str, message: str = "") -> str:
    """Declare the texts of a system's event, `<system>.<event>`, marked for translation; returns the key."""
    if key in CODE_TEMPLATES:
        raise ValueError(f"The template {key!r} is declared twice.")
    CODE_TEMPLATES[key] = CodeTemplate(title, message)
    return key


def rendered(key: str) -> Callable[[Renderer], Renderer]:
    """Decorator: write title and message of a system's event when they are sent, to the person given.

    For what may be gone or hidden by then, which is None, and for what must not be stored. Such messages have
    no place in the inbox.
    """

    def register(renderer: Renderer) -> Renderer:
        if key in CODE_TEMPLATES or key in RENDERERS:
            raise ValueError(f"The template {key!r} is declared twice.")
        RENDERERS[key] = renderer
        return renderer

    return register


def written(
    title: str | None, message: str, template_key: str | None, variables: Mapping[str, Any] | None
) -> Wording:
    """The wording of a notification; ValueError where it is none."""
    if (title is None) is (template_key is None):
        raise ValueError("A notification has a title or a template.")
    if template_key is not None and template_key not in CODE_TEMPLATES.keys() | RENDERERS.keys():
        raise ValueError(f"There is no template {template_key!r}.")
    if len(title or "") > LONGEST_TITLE or len(message) > LONGEST_MESSAGE:
        raise ValueError(f"At most {LONGEST_TITLE} and {LONGEST_MESSAGE} characters.")
    return {
        "title": title,
        "message": message,
        "template_key": template_key,
        "variables": dict(variables or {}),
    }


def text_of(wording: Wording, locale: str) -> tuple[str, str]:
    """Title and message in a person's language."""
    key = wording["template_key"]
    if key is None:
        return _line(str(wording["title"])), str(wording["message"] or "")
    language, template = messages.language(locale), CODE_TEMPLATES[key]
    values = wording["variables"]
    return (
        _cut(_line(messages.text(template.title, values, language)), LONGEST_TITLE),
        _cut(messages.text(template.message, values, language) if template.message else "", LONGEST_MESSAGE),
    )


async def words_for(services: Services, wording: Wording, user: User) -> tuple[str, str] | None:
    """Title and message to send to a person now; None when there is nothing to tell any more."""
    renderer = RENDERERS.get(wording["template_key"] or "")
    if renderer is not None:
        words = await renderer(services, user, wording["variables"])
        return words and (_line(words[0]), words[1])
    return text_of(wording, user["locale"])


def _line(title: str) -> str:
    """A title on one line: it becomes a header of mails."""
    return " ".join(title.split())


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
