"""The auditor's page in a real browser, served by a host of the auditor's own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from core.context import Services
from tests.audit import logs
from tests.audit.tampering import Log, flipped
from tests.browser import browser, save
from tests.clients.test_auditor import PASSWORD, make_auditor, sealed_anew
from tests.clients.test_clients import CLIENTS
from tests.server.conftest import eventually

__all__ = ["browser"]

SENT = ("Authorization", "Content-Type")

pytestmark = pytest.mark.browser


@pytest.fixture
async def host(http: aiohttp.ClientSession, address: str) -> AsyncIterator[str]:
    """Host with the auditor's folder, whose `/graphql` leads to the server."""

    async def graphql(request: web.Request) -> web.Response:
        sent = {name: value for name, value in request.headers.items() if name in SENT}
        async with http.post(f"{address}/graphql", data=await request.read(), headers=sent) as answer:
            return web.Response(
                body=await answer.read(), status=answer.status, content_type="application/json"
            )

    app = web.Application()
    app.router.add_post("/graphql", graphql)
    app.router.add_static("/", Path(CLIENTS / "auditor"))
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


class Page:
    def __init__(self, browser: Chrome, host: str, email: str) -> None:
        self.browser, self.host, self.email = browser, host, email

    def _audit(self) -> None:
        self.browser.get(f"{self.host}/index.html")
        for name, value in (("email", self.email), ("password", PASSWORD)):
            self.browser.find_element(By.NAME, name).send_keys(value)
        self.browser.find_element(By.TAG_NAME, "button").click()

    async def audit(self) -> tuple[str, list[str]]:
        """Its verdict, and what it found."""
        await asyncio.to_thread(self._audit)
        await eventually(self._has_verdict, seconds=30)
        return await asyncio.to_thread(self._said)

    async def _has_verdict(self) -> bool:
        text, _ = await asyncio.to_thread(self._said)
        return ":" in text

    def _said(self) -> tuple[str, list[str]]:
        found = [each.text for each in self.browser.find_elements(By.CSS_SELECTOR, "#findings li")]
        return self.browser.find_element(By.TAG_NAME, "output").text, found


async def test_an_auditor_verifies_the_log_in_the_browser(
    browser: Chrome, host: str, services: Services
) -> None:
    log = Log(services, *await logs.sealed_log(services))
    page = Page(browser, host, await make_auditor(services, log.org_id))
    assert await page.audit() == ("15 entries and 2 checkpoints: sound", [])
    save(browser, "auditor-sound.png")
    bad = (await log.links())[1]["entry_id"]
    await flipped(log)
    said, found = await page.audit()
    save(browser, "auditor-damaged.png")
    assert said.endswith("NOT SOUND")
    assert f"{bad} does not have its hash" in found
    # A log that is rewritten as a whole, with its own keys, is found by what the browser saw before.
    await log.rewrite(1)
    await sealed_anew(log)
    said, found = await page.audit()
    assert found == ["the log of 12 entries does not continue that of 12: it was forked or shortened"]
    errors = [each["message"] for each in browser.get_log("browser") if each["level"] == "SEVERE"]
    assert [each for each in errors if "favicon" not in each] == []
