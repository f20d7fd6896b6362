"""Short links: where a text message goes on that has no room for all of it."""

import re
from datetime import timedelta

import pytest

from core import clock
from core.context import Services
from jobs.notification import erase
from resolvers.notification import sms_segments
from stores import notification as store
from stores.notification import NotificationChannel
from tests.conftest import NewPhone
from tests.notification.steps import inbox, stored, tell, with_number
from tests.phone import Phone

SMS = NotificationChannel.SMS
LONG = "Leave by the stairs, the lifts stand still. <b>Do not come back</b> " * 9


@pytest.fixture
def reachable(services: Services, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment with an address of its own."""
    monkeypatch.setattr(services, "settings", services.settings.model_copy(update={"public_url": address}))


async def texted(services: Services, phone: Phone, **told: object) -> str:
    """The text message that a person gets of a notification."""
    number = await with_number(services, phone, "SMS")
    await tell(services, phone, channels=[SMS], priority="HIGH", **told)
    letters = await services.mailer.letters()  # type: ignore[attr-defined]
    return next(each["text"] for each in letters if each["to"] == number)


def link_in(text: str) -> str:
    [found] = re.findall(r"http://\S+$", text)
    return str(found)


async def page(phone: Phone, url: str) -> tuple[int, str]:
    async with phone.http.get(url) as answer:
        return answer.status, await answer.text()


async def test_a_text_that_is_too_long_ends_in_a_link_to_the_whole(
    new_phone: NewPhone, services: Services, reachable: None
) -> None:
    ada = await new_phone("Ada")
    text = await texted(services, ada, title="Fire", message=LONG, link_url="https://x.example/map?a=1&b=2")
    assert text.startswith("Fire\n\nLeave by the stairs")
    assert sms_segments.count(text).segments == 1
    [row] = await stored(services, store.deliveries, user_id=ada.user_id)
    assert row["segments"] == 1
    status, shown = await page(ada, link_in(text))
    assert (status, "<h1>Fire</h1>" in shown) == (200, True)
    assert shown.count("&lt;b&gt;Do not come back&lt;/b&gt;") == 9
    assert '<a href="https://x.example/map?a=1&amp;b=2">' in shown
    assert (await inbox(ada))[0]["seenAt"] is None


@pytest.mark.parametrize("most", [2, 10])
async def test_it_has_as_many_segments_as_it_may(
    new_phone: NewPhone, services: Services, reachable: None, most: int
) -> None:
    ada = await new_phone("Ada")
    text = await texted(services, ada, title="Fire", message="y" * 1_600, max_segments=most)
    assert sms_segments.count(text).segments == most
    assert len(text) > 153 * (most - 1)
    assert (await page(ada, link_in(text)))[0] == 200


async def test_the_link_ends_after_30_days_with_the_text_and_with_the_person(
    new_phone: NewPhone, services: Services, reachable: None
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    url = link_in(await texted(services, ada, message=LONG))
    theirs = link_in(await texted(services, grace, message=LONG))
    for wrong in ("x" * 12, "x", "%00" * 12):
        assert (await page(ada, f"{url.rpartition('/')[0]}/{wrong}"))[0] == 404
    assert (await page(grace, theirs))[0] == 200
    await erase(services, grace.user_id)
    assert (await page(grace, theirs))[0] == 404
    clock.shift(timedelta(days=29))
    assert (await page(ada, url))[0] == 200
    clock.shift(timedelta(days=1, seconds=1))
    assert (await page(ada, url))[0] == 404


async def test_without_an_address_or_an_inbox_it_is_only_cut(
    new_phone: NewPhone, services: Services, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    assert (await texted(services, ada, message=LONG)).endswith("...")
    monkeypatch.setattr(services, "settings", services.settings.model_copy(update={"public_url": address}))
    assert (await texted(services, ada, message=LONG, inbox=False)).endswith("...")
    assert await stored(services, store.short_links, user_id=ada.user_id) == []


async def test_a_link_leads_to_the_web_and_attachments_are_ten(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    for link in ("javascript:alert(1)", "data:text/html,x", "//evil.example", "/path"):
        with pytest.raises(ValueError, match="leads to the web"):
            await tell(services, ada, link_url=link)
    file = {"name": "a.ics", "mime": "text/calendar", "body": b""}
    with pytest.raises(ValueError, match="at most 10 attachments"):
        await tell(services, ada, attachments=[file] * 11)


async def test_a_text_has_1_to_10_segments(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    for wrong in (0, 11):
        with pytest.raises(ValueError, match="1 to 10 segments"):
            await tell(services, ada, max_segments=wrong)
