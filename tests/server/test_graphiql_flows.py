"""The account panel of GraphiQL, beyond a password: codes, backup codes, a new account, step-up."""

import asyncio
import uuid
from datetime import timedelta

import pytest

from core import clock
from core.context import Services
from tests.auth.steps import code_for, enable_two_factor, new_number, other_than
from tests.browser import browser
from tests.conftest import NewPhone
from tests.phone import make_member
from tests.server.test_graphiql import Page, page

pytestmark = pytest.mark.browser

__all__ = ["browser", "page"]

PASSWORD = "a password to type"
NAME = "{ viewer { user { name } } }"
REGENERATE = """mutation { regenerateBackupCodes(input: { idempotencyKey: "%s" }) {
  backupCodes errors { code } } }"""


@pytest.fixture
async def panel(page: Page) -> Page:
    await asyncio.to_thread(_opened, page)
    return page


def _opened(page: Page) -> None:
    page.click("#landfall-sign-in")
    page.until(lambda: page.browser.execute_script("return !!document.querySelector('.landfall-account')"))
    if page.status()["signedIn"]:
        page.click("#landfall-sign-out")
        page.until(lambda: not page.status()["signedIn"])


def _new_account(page: Page, email: str) -> None:
    page.click("#landfall-open-account")
    page.type("#landfall-new-name", "Rosa")
    page.type("#landfall-new-email", email)
    page.type("#landfall-new-password", PASSWORD)
    page.click("#landfall-sign-up")
    page.until(lambda: "5 attempts left" in page.text("#landfall-flow"))


def _sign_in(page: Page, email: str) -> None:
    page.type("#landfall-email", email)
    page.type("#landfall-password", PASSWORD)
    page.click("#landfall-submit")
    page.until(lambda: "attempts left" in page.text("#landfall-flow"))


def _enter(page: Page, code: str) -> None:
    page.browser.execute_script("document.querySelector('#landfall-code').value = ''")
    page.type("#landfall-code", code)
    page.click("#landfall-verify")


def _await_signed_in(page: Page, name: str) -> None:
    page.until(lambda: page.text("#landfall-status") == f"Signed in as {name}")
    assert page.ask(NAME) == {"data": {"viewer": {"user": {"name": name}}}}
    # Running an operation leaves the panel open.
    page.until(lambda: page.browser.execute_script("return !!document.querySelector('#landfall-sign-out')"))


async def test_opening_an_account_with_the_mailed_code(panel: Page, services: Services) -> None:
    email = f"{uuid.uuid4().hex[:8]}@example.com"
    await asyncio.to_thread(_new_account, panel, email)
    code = await code_for(services, email)
    await asyncio.to_thread(_enter, panel, other_than(code))
    await asyncio.to_thread(panel.until, lambda: "4 attempts left" in panel.text("#landfall-flow"))
    assert panel.text("#landfall-message") == "The code is wrong."
    await asyncio.to_thread(_enter, panel, code)
    await asyncio.to_thread(_await_signed_in, panel, "Rosa")


async def test_signing_in_with_a_second_factor_and_with_a_backup_code(
    panel: Page, services: Services, new_phone: NewPhone
) -> None:
    email, number = f"{uuid.uuid4().hex[:8]}@example.com", new_number()
    person = await make_member(services, email, "Vera", PASSWORD)
    [backup, *_] = await enable_two_factor(await new_phone(user_id=person), services, number)
    await asyncio.to_thread(_sign_in, panel, email)
    assert f"••••••{number[-2:]}" in panel.text("#landfall-flow")
    assert panel.text("#landfall-resend").startswith("Send again in")
    await asyncio.to_thread(_enter, panel, await code_for(services, number))
    await asyncio.to_thread(_await_signed_in, panel, "Vera")

    await asyncio.to_thread(_opened, panel)
    await asyncio.to_thread(_sign_in, panel, email)
    await asyncio.to_thread(panel.click, "#landfall-backup")
    await asyncio.to_thread(_enter, panel, backup)
    await asyncio.to_thread(_await_signed_in, panel, "Vera")


async def test_a_proof_that_an_operation_asks_for(
    panel: Page, services: Services, new_phone: NewPhone
) -> None:
    email, number = f"{uuid.uuid4().hex[:8]}@example.com", new_number()
    person = await make_member(services, email, "Nina", PASSWORD)
    await enable_two_factor(await new_phone(user_id=person), services, number)
    await asyncio.to_thread(_sign_in, panel, email)
    await asyncio.to_thread(_enter, panel, await code_for(services, number))
    await asyncio.to_thread(_await_signed_in, panel, "Nina")

    clock.shift(timedelta(minutes=11))
    refused = await asyncio.to_thread(panel.ask, REGENERATE % "first")
    assert refused["data"]["regenerateBackupCodes"]["errors"] == [{"code": "STEP_UP_REQUIRED"}]
    await asyncio.to_thread(panel.until, lambda: panel.text("#landfall-sign-in") == "Confirm that it is you")
    await asyncio.to_thread(panel.type, "#landfall-proof-password", PASSWORD)
    await asyncio.to_thread(panel.click, "#landfall-prove")
    await asyncio.to_thread(panel.until, lambda: panel.text("#landfall-sign-in") == "Account")
    done = await asyncio.to_thread(panel.ask, REGENERATE % "first")
    assert len(done["data"]["regenerateBackupCodes"]["backupCodes"]) == 10

    # The same by a code.
    clock.shift(timedelta(minutes=11))
    await asyncio.to_thread(panel.ask, REGENERATE % "second")
    await asyncio.to_thread(panel.click, '[data-proof="EMAIL"]')
    await asyncio.to_thread(panel.until, lambda: "attempts left" in panel.text("#landfall-flow"))
    await asyncio.to_thread(_enter, panel, await code_for(services, email))
    await asyncio.to_thread(panel.until, lambda: panel.text("#landfall-sign-in") == "Account")
    done = await asyncio.to_thread(panel.ask, REGENERATE % "second")
    assert len(done["data"]["regenerateBackupCodes"]["backupCodes"]) == 10
