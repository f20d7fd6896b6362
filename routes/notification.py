"""Pages of links: of mails to acknowledge and to unsubscribe (RFC 8058), of text messages to read on."""

import html

from aiohttp import web

from core.context import Services
from core.routes import route
from resolvers.notification import links, short_links
from resolvers.notification.links import LinkAction

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>{title}</title>
<style>body {{ font: 1rem/1.5 system-ui; max-width: 36rem; margin: 3rem auto; padding: 0 1rem; }}</style>
</head><body><h1>{title}</h1>{body}</body></html>
"""
FORM = '<form method="post"><button>{label}</button></form>'
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
ASKED = {
    LinkAction.ACKNOWLEDGE: ("Acknowledge this message?", "Acknowledge"),
    LinkAction.UNSUBSCRIBE: ("Get no more of these mails?", "Unsubscribe"),
}
DONE = {
    LinkAction.ACKNOWLEDGE: "The message is acknowledged.",
    LinkAction.UNSUBSCRIBE: "You get no more of these mails.",
}
PATH = "/n/{id}/{action}/{signature}"


@route("GET", PATH)
async def ask(services: Services, request: web.Request) -> web.Response:
    """Show what the link does, and a button that does it."""
    _, action = _linked(services, request)
    title, label = ASKED[action]
    return _page(title, FORM.format(label=html.escape(label)))


@route("POST", PATH)
async def act(services: Services, request: web.Request) -> web.Response:
    """Do what the link does; mail programs post to it by themselves when a person unsubscribes."""
    id, action = _linked(services, request)
    await links.follow(services, id, action)
    return _page(DONE[action], "")


@route("GET", f"/{short_links.PATH}/{{code}}")
async def read(services: Services, request: web.Request) -> web.Response:
    """Show the whole text of a text message."""
    found = await short_links.linked_text(services, request.match_info["code"])
    if found is None:
        raise web.HTTPNotFound(text="This link is not good, or no longer.\n")
    parts = [f"<p>{html.escape(each)}</p>" for each in found["message"].split("\n\n") if each]
    if url := found["link_url"]:
        parts.append(f'<p><a href="{html.escape(url)}">{html.escape(url)}</a></p>')
    return _page(found["title"], "".join(parts))


def _linked(services: Services, request: web.Request) -> tuple[str, LinkAction]:
    """Id and action of a link; 404 unless we made it."""
    named = request.match_info
    if not links.is_ours(services, named["id"], named["action"], named["signature"]):
        raise web.HTTPNotFound(text="This link is not good.\n")
    return named["id"], LinkAction(named["action"])


def _page(title: str, body: str) -> web.Response:
    text = PAGE.format(title=html.escape(title), body=body)
    return web.Response(text=text, content_type="text/html", headers=HEADERS)
