"""Everything that is not GraphQL: health, metrics, keys, media, GraphiQL and its files."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from jose import jwt
from pydantic import SecretStr

from core import jobs
from core.context import Services
from core.settings import Environment, Settings
from devstack.examples import DEMO_PASSWORD
from ports.auth import AuthSettings
from server import pages
from tests.conftest import NewPhone
from tests.phone import Phone, make_member
from tests.server.conftest import Configured

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Page:
    def __init__(self, response: aiohttp.ClientResponse, text: str) -> None:
        self.status, self.headers, self.text = response.status, response.headers, text


async def get(http: aiohttp.ClientSession, url: str, **options: Any) -> Page:
    async with http.get(url, **options) as response:
        return Page(response, (await response.read()).decode(errors="replace"))


async def raw_get(address: str, target: str) -> int:
    """The status of a request for exactly this target: clients tidy dots away."""
    import asyncio

    parts = urlsplit(address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
    status = int((await reader.readline()).split()[1])
    body = await reader.read()
    assert b"root:" not in body
    assert b"PRIVATE KEY" not in body
    writer.close()
    await writer.wait_closed()
    return status


async def test_health(http: aiohttp.ClientSession, address: str) -> None:
    page = await get(http, f"{address}/healthz")
    assert (page.status, page.text) == (200, '{"status": "ok"}')


async def test_readiness(http: aiohttp.ClientSession, address: str) -> None:
    async with http.get(f"{address}/readyz") as response:
        assert response.status == 200
        assert await response.json() == {"status": "ready", "mongodb": "ok", "redis": "ok"}


async def test_metrics_count_requests_by_route(http: aiohttp.ClientSession, address: str) -> None:
    await get(http, f"{address}/healthz")
    await get(http, f"{address}/media/public/secret-name.webp")
    page = await get(http, f"{address}/metrics")
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/plain")
    assert re.search(r'^landfall_requests_total\{route="/healthz",status="200"\} \d', page.text, re.MULTILINE)
    assert re.search(r'route="/media/\{path\}",status="404"', page.text)
    whole, counted = (
        re.search(rf'^landfall_request_seconds_{name}route="/healthz"\}} (\S+)$', page.text, re.MULTILINE)
        for name in (r'bucket\{le="\+Inf",', r"count\{")
    )
    assert whole
    assert counted
    assert float(whole[1]) == float(counted[1]) >= 1
    assert "secret-name" not in page.text


async def test_metrics_tell_how_much_work_waits(
    http: aiohttp.ClientSession, address: str, services: Services
) -> None:
    await services.db.write({"delete": "jobs", "deletes": [{"q": {}, "limit": 0}]})
    await jobs.enqueue_now(services.db, "feed.scan", subject_id="post_none")
    [job] = await services.db.find("jobs", {})
    dead = [{**job, "_id": f"dead_{n}", "state": "DEAD"} for n in range(2)]
    later = {**job, "_id": "later", "due_at": job["due_at"] + timedelta(hours=1)}
    await services.db.write({"insert": "jobs", "documents": [*dead, later]})
    page = await get(http, f"{address}/metrics")
    assert re.search(r"^landfall_jobs_due 1\.0$", page.text, re.MULTILINE)
    assert re.search(r"^landfall_jobs_dead 2\.0$", page.text, re.MULTILINE)
    await services.db.write({"delete": "jobs", "deletes": [{"q": {}, "limit": 0}]})


async def test_the_public_key_checks_our_tokens(
    http: aiohttp.ClientSession, address: str, new_phone: NewPhone, settings: Settings
) -> None:
    ada = await new_phone("Ada")
    async with http.get(f"{address}/.well-known/jwks.json") as response:
        assert response.headers["Cache-Control"] == "public, max-age=3600"
        found = await response.json()
    [key] = found["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert jwt.get_unverified_header(ada.token or "")["kid"] == key["kid"]
    claims = jwt.decode(
        ada.token or "",
        key,
        algorithms=["ES256"],
        audience=AuthSettings.beside(settings).token_audience,
        issuer="landfall",
    )
    assert (claims["sub"], claims["sid"]) == (ada.user_id, ada.session_id)


@pytest.mark.parametrize(
    "target",
    [
        f"/media/public/{'a' * 26}/../../../signing-key.pem",
        f"/media/public/{'a' * 26}/..%2f..%2f..%2fsigning-key.pem",
        f"/media/private/{'a' * 26}/file/x.pdf",
        "/media/../signing-key.pem",
        "/media/..%2fsigning-key.pem",
        "/media/%2e%2e/signing-key.pem",
        "/media/%2e%2e%2fsigning-key.pem",
        "/media/..%5csigning-key.pem",
        "/media/%2fetc%2fpasswd",
        "/media//etc/passwd",
        "/media/.",
        "/media/%00",
        "/media/picture.webp%00.png",
        "/media/" + "a" * 5000,
        "/assets/graphiql/../../app.py",
        "/assets/graphiql/..%2f..%2fapp.py",
        "/assets/graphiql/%2e%2e/%2e%2e/pages.py",
        "/assets/graphiql//etc/passwd",
        "/assets/graphiql/%2fetc%2fpasswd",
        "/assets/graphiql/assets",
        "/assets/graphiql/%00",
    ],
)
async def test_nothing_else_on_disk_is_served(address: str, settings: Settings, target: str) -> None:
    assert (settings.data_dir / "signing-key.pem").exists()
    assert await raw_get(address, target) == 404


async def test_a_link_out_of_the_folder_is_not_followed(
    http: aiohttp.ClientSession, address: str, settings: Settings
) -> None:
    folder = settings.media_dir / "public" / ("a" * 26)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "good.webp").write_bytes(b"RIFF")
    assert (await get(http, f"{address}/media/public/{folder.name}/good.webp")).status == 200
    link = folder / "link.webp"
    link.symlink_to(settings.data_dir / "signing-key.pem")
    assert (await get(http, f"{address}/media/public/{folder.name}/link.webp")).status == 404
    link.unlink()


async def test_the_start_page_leads_to_graphiql(http: aiohttp.ClientSession, address: str) -> None:
    page = await get(http, f"{address}/", allow_redirects=False)
    assert (page.status, page.headers["Location"]) == (302, "/graphql")
    unknown = await get(http, f"{address}/nonsense")
    assert unknown.status == 404


async def test_graphiql_asks_nobody_but_us(
    services: Services, http: aiohttp.ClientSession, address: str
) -> None:
    await make_member(services, "ada@example.com", "Ada", DEMO_PASSWORD)
    page = await get(http, f"{address}/graphql", headers=HTML)
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-cache"
    policy = dict(part.strip().split(" ", 1) for part in page.headers["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'self'",
        "script-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "worker-src": "'self' blob:",
        "img-src": "'self' data:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert links
    assert all(link.startswith("/assets/graphiql/") for link in links)
    assert "ada@example.com" in page.text


async def test_its_files_are_kept_for_good(http: aiohttp.ClientSession, address: str) -> None:
    page = await get(http, f"{address}/graphql", headers=HTML)
    links = re.findall(r'(?:src|href)="(/assets/graphiql/assets/[^"]+)"', page.text)
    types = {"js": "text/javascript", "css": "text/css"}
    for link in links:
        file = await get(http, address + link)
        assert file.status == 200
        assert file.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert file.headers["X-Content-Type-Options"] == "nosniff"
        assert file.headers["Content-Type"].startswith(types[link.rpartition(".")[2]])
    icon = await get(http, f"{address}/assets/graphiql/favicon.svg")
    assert (icon.status, icon.headers["Cache-Control"]) == (200, "no-cache")
    assert (await get(http, f"{address}/assets/graphiql/assets/gone.js")).status == 404


async def test_a_client_s_get_is_no_page(anonymous: Phone, address: str) -> None:
    page = await get(anonymous.http, f"{address}/graphql?query={{__typename}}", headers=HTML)
    assert page.headers["Content-Type"].startswith("application/json")
    assert page.text == '{"data":{"__typename":"Query"}}'


async def test_the_outbox_escapes_what_it_shows(anonymous: Phone, address: str) -> None:
    page = await get(anonymous.http, f"{address}/dev/outbox", headers=HTML)
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<h1>Outbox</h1>" in page.text


async def test_the_demo_app_is_development_s(
    services: Services, http: aiohttp.ClientSession, address: str
) -> None:
    await make_member(services, "ada@example.com", "Ada", DEMO_PASSWORD)
    async with http.get(f"{address}/app") as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert "landfall-demo" in await answer.text()
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    production = services.settings.model_copy(update={"env": Environment.PRODUCTION})
    request = make_mocked_request("GET", "/app", app=web.Application())
    request.app[pages.SERVICES] = replace(services, settings=production)
    with pytest.raises(web.HTTPNotFound):
        await pages.app(request)


@pytest.mark.parametrize("path", ["/nonsense", "/media/nothing", "/p/nothing", "/exports/a/b", "/app/no"])
async def test_what_is_not_there_has_a_request_id_too(
    http: aiohttp.ClientSession, address: str, path: str
) -> None:
    page = await get(http, address + path, headers={"X-Request-Id": "trace-0123456789"})
    assert (page.status, page.headers["X-Request-Id"]) == (404, "trace-0123456789")
    assert (await get(http, address + path)).headers["X-Request-Id"]


async def test_metrics_by_token(
    configured: Configured, http: aiohttp.ClientSession, services: Services
) -> None:
    for env in ("test", "production"):
        async with configured(env=Environment(env), metrics_token=SecretStr("let me in")) as phone:
            url = phone.url.replace("/graphql", "/metrics")
            for given in ({}, {"Authorization": "Bearer no"}, {"Authorization": "Basic let me in"}):
                page = await get(http, url, headers=given)
                assert (page.status, page.headers["WWW-Authenticate"]) == (401, "Bearer")
                assert "landfall_" not in page.text
            assert (
                "landfall_requests"
                in (await get(http, url, headers={"Authorization": "Bearer let me in"})).text
            )


async def test_metrics_without_a_token_are_this_machine_s_in_production(
    configured: Configured, services: Services
) -> None:
    async with configured(env=Environment.PRODUCTION) as phone:
        url = phone.url.replace("/graphql", "/metrics")
        assert (await get(phone.http, url)).status == 200
        for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
            assert (await get(phone.http, url, headers={header: "127.0.0.1"})).status == 403
    production = services.settings.model_copy(update={"env": Environment.PRODUCTION})
    for remote, open_to in (("127.0.0.1", True), ("::1", True), ("10.0.0.7", False), ("2001:db8::7", False)):
        request = make_mocked_request("GET", "/metrics", app=web.Application()).clone(remote=remote)
        request.app[pages.SERVICES] = replace(services, settings=production)
        if open_to:
            assert (await pages.metrics(request)).status == 200
        else:
            with pytest.raises(web.HTTPForbidden):
                await pages.metrics(request)
