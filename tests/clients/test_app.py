"""The demo app in a real browser: offline, it goes on; back online, the server has just what was done."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from core import clock
from core.context import Services
from tests.auth.steps import code_for
from tests.auth.test_guard import forgive_address, miss
from tests.browser import browser, save
from tests.conftest import NewPhone
from tests.feed.steps import befriend, publish
from tests.phone import Phone, make_member
from tests.server.conftest import eventually

__all__ = ["browser"]

pytestmark = pytest.mark.browser
EMAIL, OTHER, CAREFUL = "app@example.com", "app-2@example.com", "app-3@example.com"
PASSWORD = "a password to type"
MESSAGES = """query($id: ID!) { user(id: $id) { viewerChat { messages { edges { node { text } } } } } }"""
POSTS = "query($id: ID!) { user(id: $id) { posts(first: 10) { edges { node { text } } } } }"
COMMENTS = """query($id: ID!) { user(id: $id) { posts(first: 1) { edges { node {
  comments(first: 5) { edges { node { text } } } } } } } }"""
LIKES = "query($id: ID!) { post(id: $id) { reactionSummary { like } } }"


class App:
    def __init__(self, browser: Chrome, address: str) -> None:
        self.browser, self.address = browser, address

    def open(self) -> None:
        self.browser.get(f"{self.address}/app")

    def find(self, selector: str) -> Any:
        return self.until(lambda: self.browser.find_elements(By.CSS_SELECTOR, selector), selector)[0]

    def click(self, selector: str) -> None:
        self.find(selector)
        self.browser.execute_script(f"document.querySelector({selector!r}).click()")

    def type(self, selector: str, text: str) -> None:
        self.find(selector).send_keys(text)

    def says(self, text: str) -> None:
        self.until(lambda: text in self.browser.find_element(By.TAG_NAME, "body").text, text)

    def until(self, found: Callable[[], Any], what: str, seconds: float = 20) -> Any:
        deadline = time.monotonic() + seconds
        while not (value := found()):
            said = self.browser.find_element(By.TAG_NAME, "body").text[:500]
            assert time.monotonic() < deadline, f"{what}: not in {seconds} s. {said} {self.problems()}"
            time.sleep(0.05)
        return value

    def problems(self) -> list[str]:
        return [entry["message"] for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]

    def offline(self, away: bool) -> None:
        """As the device has it: the browser's network is cut, its sockets too."""
        conditions = {"offline": away, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self.browser.execute_cdp_cmd("Network.enable", {})
        self.browser.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)

    def sign_in(self, email: str = EMAIL) -> None:
        self.enter(email)
        self.says("Online")

    def enter(self, email: str) -> None:
        self.type("#email", email)
        self.type("#password", PASSWORD)
        self.click("#sign-in")

    def wait_for_queue(self, count: int) -> None:
        self.until(
            lambda: self.find("#connection").get_attribute("data-waiting") == str(count), f"{count} waiting"
        )


async def test_what_is_done_offline_lands_when_the_connection_is_back(
    browser: Chrome, address: str, services: Services, new_phone: NewPhone
) -> None:
    grace = await new_phone("Grace")
    ada = await new_phone(user_id=await make_member(services, EMAIL, "Ada", PASSWORD))
    await befriend(ada, grace)
    post = await publish(grace, "Grace was here first")
    await ada.do("createChat", "chat { id }", userId=grace.user_id)
    app = App(browser, address)
    await asyncio.to_thread(_act_offline, app, post)
    assert await _texts(ada, POSTS, id=ada.user_id) == []
    await asyncio.to_thread(_come_back, app)

    assert (await grace.run(LIKES, id=post))["post"]["reactionSummary"] == {"like": 1}
    assert await _texts(grace, POSTS, id=ada.user_id) == ["Written without a connection"]
    assert (await grace.run(COMMENTS, id=ada.user_id))["user"]["posts"]["edges"][0]["node"]["comments"] == {
        "edges": [{"node": {"text": "Said of it in the tunnel"}}]
    }
    assert await _texts(grace, MESSAGES, id=ada.user_id) == ["From the tunnel", "and on through it"]
    await asyncio.to_thread(_look_around, app)

    eve = await new_phone(user_id=await make_member(services, OTHER, "Eve", PASSWORD))
    sessions = {each["_id"] for each in await _active(services, ada)}
    await asyncio.to_thread(_hand_over, app)
    # What Ada had queued waits for her: Eve has sent nothing, and Ada's session is over.
    assert await _texts(ada, POSTS, id=eve.user_id) == []
    assert await _texts(eve, POSTS, id=ada.user_id) == ["Written without a connection"]
    await eventually(lambda: _ended(services, ada, sessions))
    await asyncio.to_thread(_back_to_its_owner, app)
    assert await _texts(eve, POSTS, id=ada.user_id) == ["Left behind", "Written without a connection"]


async def _active(services: Services, phone: Phone) -> list[Any]:
    return list(await services.db.find("sessions", {"user_id": phone.user_id, "status": "ACTIVE"}))


async def _ended(services: Services, phone: Phone, before: set[str]) -> bool:
    """True if one of the earlier sessions has ended: the app's."""
    return len(before & {each["_id"] for each in await _active(services, phone)}) == len(before) - 1


def _hand_over(app: App) -> None:
    """Ada signs out with something queued, is told so, and Eve signs in on the same device."""
    app.click('[data-tab="Feed"]')
    app.find("#composer")
    app.click("#plane")
    app.says("Offline")
    app.type("#composer", "Left behind")
    app.click("#publish")
    app.wait_for_queue(1)
    app.click("#sign-out")
    app.says("1 action has not been sent yet")
    save(app.browser, "app-sign-out.png")
    app.click("#leave-keep")
    app.find("#email")
    # The switch is the page's: a restart puts it back.
    app.open()
    app.sign_in(OTHER)
    app.wait_for_queue(0)
    app.click("#sign-out")


def _back_to_its_owner(app: App) -> None:
    app.sign_in()
    app.says("Left behind")
    app.wait_for_queue(0)


def _act_offline(app: App, post: str) -> None:
    app.open()
    app.sign_in()
    app.says("Grace was here first")
    app.click('[data-tab="Chats"]')
    app.click("[data-chat]")
    app.find("#message")
    app.offline(True)
    app.says("Offline")
    app.type("#message", "From the tunnel" + Keys.ENTER)
    app.type("#message", "and on through it" + Keys.ENTER)
    app.click('[data-tab="Feed"]')
    app.click(f'[data-post="{post}"] .like')
    app.type("#composer", "Written without a connection")
    app.click("#publish")
    app.says("waiting to be sent")
    app.until(
        lambda: app.find(f'[data-post="{post}"] .like').get_attribute("aria-pressed") == "true", "the like"
    )
    app.click("article.pending [aria-expanded]")
    app.type("article.pending .thread input", "Said of it in the tunnel" + Keys.ENTER)
    said = "Said of it in the tunnel"
    app.until(lambda: said in app.find("article.pending .thread").text, "the comment on a waiting post")
    app.wait_for_queue(5)
    save(app.browser, "app-offline.png")
    # Asked for in vain, and asked for again as soon as there is a connection.
    app.click('[data-tab="Shop"]')
    app.says("Not loaded yet")


def _come_back(app: App) -> None:
    app.offline(False)
    app.wait_for_queue(0)
    app.says("Online")
    app.find(".count")
    app.click('[data-tab="Feed"]')
    app.says("Written without a connection")
    save(app.browser, "app-feed.png")


def _look_around(app: App) -> None:
    app.click('[data-tab="Shop"]')
    app.find("#search")
    save(app.browser, "app-shop.png")
    complaints = [each for each in app.problems() if "ERR_INTERNET_DISCONNECTED" not in each]
    assert complaints == []


async def _texts(phone: Phone, query: str, **variables: Any) -> list[str]:
    found = await phone.run(query, **variables)
    while "edges" not in found:
        [found] = found.values()
    return [edge["node"]["text"] for edge in found["edges"]]


async def test_after_wrong_passwords_the_app_asks_for_the_captcha_that_the_server_wants(
    browser: Chrome, address: str, services: Services, anonymous: Phone
) -> None:
    await make_member(services, CAREFUL, "Ada", PASSWORD)
    await miss(anonymous, CAREFUL, services, 3)
    await forgive_address(services)
    clock.shift(timedelta(seconds=5))
    app = App(browser, address)
    await asyncio.to_thread(_solve, app)
    await asyncio.to_thread(_confirm, app, await code_for(services, CAREFUL))


def _solve(app: App) -> None:
    app.open()
    app.browser.execute_script("localStorage.clear()")
    app.open()
    app.enter(CAREFUL)
    app.says("CAPTCHA")
    app.type("#captcha", "human")
    app.click("#sign-in")
    app.find("#code")


def _confirm(app: App, code: str) -> None:
    app.type("#code", code)
    app.click("#verify")
    app.find("#composer")
    app.click("#sign-out")
