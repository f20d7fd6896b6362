"""Link pages of public posts: a page for people without the app, and for previews elsewhere."""

import html

from aiohttp import web

from core.context import Context, Services
from core.routes import route
from resolvers import auth
from resolvers.feed.content import text_preview
from resolvers.feed.sharing import share_link

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<meta property="og:title" content="{title}"><meta property="og:description" content="{text}">
<style>body {{ font: 1rem/1.5 system-ui; max-width: 36rem; margin: 3rem auto; padding: 0 1rem; }}</style>
</head><body><h1>{title}</h1><p>{text}</p></body></html>
"""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
GONE = "This post is gone, or not for everybody."


@route("GET", "/p/{code}")
async def page(services: Services, request: web.Request) -> web.Response:
    """A public post, as anybody may read it."""
    ctx = Context(services)
    link = await share_link(ctx, code=request.match_info["code"])
    post = link["post"] if link else None
    [author] = await auth.visible_people(ctx, [post["author_id"]]) if post else [None]
    if post is None or author is None:
        body = PAGE.format(title="Landfall", text=GONE)
        return web.Response(text=body, status=404, content_type="text/html", headers=HEADERS)
    title, text = f"{auth.full_name(author)} on Landfall", text_preview(post)
    body = PAGE.format(title=html.escape(title), text=html.escape(text))
    return web.Response(text=body, content_type="text/html", headers=HEADERS)
