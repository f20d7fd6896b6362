"""Pages of links: of mails to acknowledge and to unsubscribe (RFC 8058), of text messages to read on."""

import html

from aiohttp import web

from core.context import Services
from core.routes import route
from resolvers.notification import links, short_links
from resolvers.notification.links import LinkAction
from stores.notification import Delivery

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
PATH = "/n/{delivery_id}/{action}/{signature}"


@route("GET", PATH)
async def ask(services: Services, request: web.Request) -> web.Response:
    """Show what the link does, and a button that does it."""
    await _linked(services, request)
    title, label = ASKED[LinkAction(request.match_info["action"])]
    return _page(title, FORM.format(label=html.escape(label)))


@route("POST", PATH)
async def act(services: Services, request: web.Request) -> web.Response:
    """Do what the link does; mail programs post to it by themselves when a person unsubscribes."""
    delivery = await _linked(services, request)
    await links.follow(services, delivery, request.match_info["action"])
    return _page(DONE[LinkAction(request.match_info["action"])], "")


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


async def _linked(services: Services, request: web.Request) -> Delivery:
    named = request.match_info
    found = await links.linked(services, named["delivery_id"], named["action"], named["signature"])
    if found is None:
        raise web.HTTPNotFound(text="This link is not good.\n")
    return found


def _page(title: str, body: str) -> web.Response:
    text = PAGE.format(title=html.escape(title), body=body)
    return web.Response(text=text, content_type="text/html", headers=HEADERS)
