"""GraphiQL in a real browser."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from core.context import Services
from devstack.examples import DEMO_PASSWORD
from tests.browser import browser, save
from tests.conftest import NewPhone
from tests.feed.steps import comment, publish
from tests.phone import Phone, make_member

pytestmark = pytest.mark.browser

__all__ = ["browser"]

DEMO_EMAIL = "ada@example.com"
FEED = "{ viewer { user { name } feed(first: 1) { edges { node { text } } } } }"
EVENTS = """subscription($id: ID!) { postEvents(postId: $id) {
  __typename ... on CommentCreated { commentEdge { node { text } } } } }"""


class Page:
    """GraphiQL, through `window.landfall`; every call waits for the browser."""

    def __init__(self, browser: Chrome, address: str) -> None:
        self.browser, self.address = browser, address

    def open(self) -> None:
        self.browser.get(f"{self.address}/graphql")
        self.until(lambda: self.browser.execute_script("return !!window.landfall && landfall.status().ready"))

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.browser.execute_script("return landfall.status()")
        return found

    def result(self) -> Any:
        text = self.browser.execute_script("return landfall.result()")
        return json.loads(text) if text else None

    def run(self, query: str, variables: dict[str, Any] | None = None) -> None:
        self.browser.execute_script("landfall.setQuery(arguments[0], arguments[1])", query, variables or {})
        self.browser.execute_script("landfall.run()")

    def ask(self, query: str) -> Any:
        self.run(query)
        return self.until(self.result)

    def until(self, found: Callable[[], Any], seconds: float = 20) -> Any:
        deadline = time.monotonic() + seconds
        while not (value := found()):
            assert time.monotonic() < deadline, f"Nothing in {seconds} s; {self.problems()}"
            time.sleep(0.05)
        return value

    def click(self, selector: str) -> None:
        self.until(lambda: self.browser.find_elements(By.CSS_SELECTOR, selector))[0].click()

    def type(self, selector: str, text: str) -> None:
        self.until(lambda: self.browser.find_elements(By.CSS_SELECTOR, selector))[0].send_keys(text)

    def text(self, selector: str) -> str:
        """Text of the element; empty while it is not there."""
        return "".join(str(each.text) for each in self.browser.find_elements(By.CSS_SELECTOR, selector)[:1])

    def problems(self) -> list[str]:
        return [entry["message"] for entry in self.browser.get_log("browser") if entry["level"] != "INFO"]

    def asked(self) -> list[str]:
        """The address of every request the browser sent, sockets included."""
        found = []
        for entry in self.browser.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
            elif message["method"] == "Network.webSocketCreated":
                found.append(message["params"]["url"])
        return found

    def save(self, name: str) -> None:
        save(self.browser, name)


@pytest.fixture
async def page(browser: Chrome, address: str, services: Services) -> Page:
    # Sign-ins are offered to demo people who are there.
    await make_member(services, DEMO_EMAIL, "Ada", DEMO_PASSWORD)
    page = Page(browser, address)
    await asyncio.to_thread(page.open)
    return page


async def test_sign_in_query_and_subscription(
    page: Page, services: Services, new_phone: NewPhone, address: str
) -> None:
    grace = await new_phone(user_id=await make_member(services, DEMO_EMAIL, "Ada", DEMO_PASSWORD))
    post = await publish(grace, "Shown in GraphiQL")

    await asyncio.to_thread(_sign_in_by_demo_button, page)
    found = await asyncio.to_thread(page.ask, FEED)
    assert found["data"]["viewer"]["user"] == {"name": "Ada"}

    event = await _event_in_page(page, grace, post)
    assert event == {
        "data": {"postEvents": {"__typename": "CommentCreated", "commentEdge": {"node": {"text": "Live"}}}}
    }
    await asyncio.to_thread(page.save, "graphiql.png")
    await asyncio.to_thread(_assert_quiet, page, address)


def _sign_in_by_demo_button(page: Page) -> None:
    assert page.status()["signedIn"] is False
    page.click("#landfall-sign-in")
    page.click(f'[data-demo-user="{DEMO_EMAIL}"]')
    page.until(lambda: page.status()["signedIn"])
    page.until(lambda: page.text("#landfall-status") == "Signed in as Ada")


async def _event_in_page(page: Page, author: Phone, post: str) -> Any:
    await asyncio.to_thread(page.run, EVENTS, {"id": post})
    await asyncio.to_thread(page.until, lambda: page.status()["socket"] == "open")
    # The page cannot tell when the server listens, so the event is caused until one arrives.
    for _ in range(20):
        await comment(author, post, "Live")
        for _ in range(10):
            found = await asyncio.to_thread(page.result)
            if found and found["data"]["postEvents"]["__typename"] == "CommentCreated":
                return found
            await asyncio.sleep(0.05)
    raise AssertionError("No event reached the page.")


def _assert_quiet(page: Page, address: str) -> None:
    """No complaints in the console, and nobody else was asked for anything."""
    page.browser.execute_script("landfall.stop()")
    assert page.problems() == []
    host = address.removeprefix("http://")
    asked = page.asked()
    assert f"{address}/graphql" in asked
    assert f"ws://{host}/graphql" in asked
    # Chromium's own pages come from its files; all else would go over a network.
    own = (
        f"http://{host}/",
        f"ws://{host}/",
        f"blob:http://{host}/",
        "data:",
        "chrome:",
        "chrome-untrusted:",
    )
    assert [url for url in asked if not url.startswith(own)] == []


async def test_sign_in_with_email_and_password_and_out_again(page: Page, services: Services) -> None:
    await make_member(services, "mary@example.com", "Mary", "a password to type")
    await asyncio.to_thread(_sign_in_by_form, page)


def _sign_in_by_form(page: Page) -> None:
    if page.status()["signedIn"]:
        page.click("#landfall-sign-in")
        page.click("#landfall-sign-out")
        page.until(lambda: not page.status()["signedIn"])
    page.click("#landfall-sign-in")
    page.type("#landfall-email", "mary@example.com")
    page.type("#landfall-password", "not the password")
    page.click("#landfall-submit")
    page.until(lambda: "Email or password is wrong." in page.text("#landfall-message"))
    page.browser.find_element(By.CSS_SELECTOR, "#landfall-password").clear()
    page.type("#landfall-password", "a password to type")
    page.click("#landfall-submit")
    page.until(lambda: page.text("#landfall-status") == "Signed in as Mary")
    assert page.ask("{ viewer { user { name } } }") == {"data": {"viewer": {"user": {"name": "Mary"}}}}
    page.click("#landfall-sign-in")
    page.click("#landfall-sign-out")
    page.until(lambda: not page.status()["signedIn"])
    assert page.ask("{ viewer { user { name } } }") == {"data": {"viewer": None}}


async def test_fields_are_listed_by_area_and_asked_for_by_a_click(page: Page) -> None:
    answer = await asyncio.to_thread(_ask_by_area, page)
    assert list(answer["data"]) == ["categories"]
    assert await asyncio.to_thread(page.text, '[data-area="catalog"] h4') == "Queries"


def _ask_by_area(page: Page) -> Any:
    page.click('[aria-label="Show Areas"]')
    page.click('[data-area="catalog"] summary')
    # Enabled once the schema has been read.
    page.click('[data-area-field="Query.categories"]:enabled')
    page.browser.execute_script("landfall.run()")
    return page.until(page.result)
