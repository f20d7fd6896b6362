"""GraphiQL on a telephone: nothing lies beside the screen or under something else."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from core.context import Services
from devstack.examples import DEMO_PASSWORD
from tests.browser import browser
from tests.phone import make_member
from tests.server.test_graphiql import DEMO_EMAIL, FEED, Page

pytestmark = pytest.mark.browser

__all__ = ["browser"]

WIDTH, HEIGHT = 390, 844
MAIN = ".graphiql-session-header, #graphiql-session, .graphiql-sidebar"
PANEL = ".landfall-header, .graphiql-plugin, .graphiql-sidebar"
MENU = '[role="menu"]'
DIALOG = ".graphiql-dialog"
EDITOR, ANSWER = ".graphiql-query-editor .monaco-editor", ".graphiql-response .monaco-editor"
CONTROLS = (
    "#landfall-sign-in",
    "#landfall-tab",
    ".graphiql-tab-add",
    ".graphiql-execute-button",
    '[aria-label="Prettify query (Shift-Ctrl-P)"]',
    '[aria-label="Examples"]',
    EDITOR,
    ANSWER,
    '[data-name="variables"]',
    '[data-name="headers"]',
    '[aria-label="Show Account"]',
    '[aria-label="Show Documentation Explorer"]',
    '[aria-label="Open settings dialog"]',
)
"""Controls that must be usable while no panel is open."""
SIGN_IN = ("#landfall-close", f'[data-demo-user="{DEMO_EMAIL}"]', "#landfall-open-account")
BY_PASSWORD = ("#landfall-email", "#landfall-password", "#landfall-submit")
NEW_ACCOUNT = ("#landfall-new-name", "#landfall-new-email", "#landfall-new-password", "#landfall-sign-up")

FAULTS = """
const told = [], width = innerWidth, height = innerHeight;
const name = (each) => `${each.tagName} ${each.id || each.getAttribute('aria-label') || each.className}`;
const shown = (each) => each.checkVisibility({ opacityProperty: true, visibilityProperty: true });
const wide = document.documentElement.scrollWidth;
if (wide > width) told.push(`the page is ${wide} wide`);
for (const each of document.querySelectorAll('body, body *')) {
  const { overflowX, textOverflow } = getComputedStyle(each);
  if (overflowX === 'visible' || textOverflow === 'ellipsis' || each.closest('.monaco-editor')) continue;
  if (each.clientWidth > 1 && each.scrollWidth > each.clientWidth + 1 && shown(each)) {
    told.push(`${name(each)} has ${each.scrollWidth} in ${each.clientWidth}`);
  }
}
const wanted = ':is(button, input, select, summary, a, [role="menuitem"], .monaco-editor)';
const roots = [...document.querySelectorAll(arguments[0])];
const seen = roots.flatMap((root) => [...root.querySelectorAll(wanted)]).filter(
  (each) => !each.parentElement.closest('.monaco-editor') && shown(each),
);
for (const each of seen) {
  each.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  const { left, right, top, bottom } = each.getBoundingClientRect();
  const place = `${name(each)} at ${[left, top, right, bottom].map(Math.round)}`;
  if (left < 0 || right > width || top < 0 || bottom > height) told.push(`${place} is beside the screen`);
  else {
    const found = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    if (!each.contains(found)) told.push(`${place} is under ${found && name(found)}`);
  }
}
const missing = arguments[1].filter((selector) => !seen.some((each) => each.matches(selector)));
return [...told, ...missing.map((selector) => `there is no ${selector}`)];
"""


class Telephone(Page):
    def check(self, roots: str, *controls: str) -> None:
        """All controls in there can be touched, these among them."""
        told: list[str] = []

        def faultless() -> bool:
            told[:] = self.browser.execute_script(FAULTS, roots, controls)
            return not told

        # Menus and panels move while they open.
        deadline = time.monotonic() + 20
        while not faultless():
            assert time.monotonic() < deadline, told
            time.sleep(0.1)

    def height(self, selector: str) -> float:
        """Of the one that is shown."""
        return max(
            float(each.size["height"]) for each in self.browser.find_elements(By.CSS_SELECTOR, selector)
        )

    def panel(self, title: str) -> None:
        self.click(f'.graphiql-sidebar button[aria-label="Show {title}"]')

    def escape(self, selector: str) -> None:
        self.browser.switch_to.active_element.send_keys(Keys.ESCAPE)
        self.until(lambda: not self.browser.find_elements(By.CSS_SELECTOR, selector))


@pytest.fixture
def telephone(browser: Chrome, address: str) -> Iterator[Telephone]:
    size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    yield Telephone(browser, address)
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


async def test_at_390_pixels_the_editor_lay_beside_the_screen(
    telephone: Telephone, services: Services
) -> None:
    await make_member(services, DEMO_EMAIL, "Ada", DEMO_PASSWORD)
    await asyncio.to_thread(_first_visit, telephone)
    await asyncio.to_thread(_sign_in_and_out_of_the_panel, telephone)
    await asyncio.to_thread(_run, telephone)
    await asyncio.to_thread(_open_everything, telephone)


def _first_visit(page: Telephone) -> None:
    page.open()
    page.check(MAIN, *CONTROLS)
    assert page.height(EDITOR) > HEIGHT / 4
    assert page.height(ANSWER) > HEIGHT / 4


def _sign_in_and_out_of_the_panel(page: Telephone) -> None:
    page.click("#landfall-sign-in")
    page.check(PANEL, *SIGN_IN, *BY_PASSWORD)
    page.click("#landfall-open-account")
    page.until(lambda: page.browser.find_elements(By.ID, "landfall-new-email"))
    page.check(PANEL, *SIGN_IN, *NEW_ACCOUNT)
    page.save("graphiql-narrow-account.png")
    page.click(f'[data-demo-user="{DEMO_EMAIL}"]')
    page.until(lambda: page.status()["signedIn"])
    page.check(PANEL, "#landfall-close", "#landfall-sign-out", "summary")
    page.click("#landfall-close")
    page.check(MAIN, *CONTROLS)


def _run(page: Telephone) -> None:
    """By touch: an example as given, then an operation of one's own in a new tab."""
    page.click(".graphiql-execute-button")
    assert page.until(page.result)["data"]["viewer"]["user"] == {"name": "Ada"}
    page.click(".graphiql-tab-add")
    page.until(lambda: page.text("#landfall-tab option:checked") == "<untitled>")
    assert page.ask(FEED)["data"]["viewer"]["user"] == {"name": "Ada"}
    page.until(lambda: '"Ada"' in page.text(".graphiql-response .view-lines"))
    page.check(MAIN, *CONTROLS)
    page.save("graphiql-narrow.png")
    before = _tabs(page)
    page.click('[aria-label="Close tab"]')
    page.until(lambda: _tabs(page) == before[:-1])


def _tabs(page: Telephone) -> list[str]:
    return [str(each.text) for each in page.browser.find_elements(By.CSS_SELECTOR, "#landfall-tab option")]


def _open_everything(page: Telephone) -> None:
    page.click('[data-name="variables"]')
    page.check(MAIN, *CONTROLS, ".graphiql-editor-tool .monaco-editor")
    assert page.height(".graphiql-editor-tool .monaco-editor") > 40
    page.click('[aria-label="Examples"]')
    page.check(MENU, '[role="menuitem"]')
    page.escape(MENU)
    for title in ("Documentation Explorer", "History", "GraphiQL Explorer", "Areas"):
        page.panel(title)
        page.check(PANEL, "#landfall-close")
    page.click("#landfall-close")
    for label in ("Open short keys dialog", "Open settings dialog"):
        page.click(f'[aria-label="{label}"]')
        page.check(DIALOG, ".graphiql-dialog-close")
        page.escape(DIALOG)
    page.check(MAIN, *CONTROLS)
