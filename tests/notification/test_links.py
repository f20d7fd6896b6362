"""Signed links of mails: GET shows a page, POST acts."""

import re

import pytest

from core.context import Services
from stores import notification as store
from tests.conftest import NewPhone
from tests.notification.steps import deliveries, inbox, profile, settle, stored, tell
from tests.phone import Phone


@pytest.fixture
def reachable(services: Services, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment with an address of its own."""
    monkeypatch.setattr(services, "settings", services.settings.model_copy(update={"public_url": address}))


async def mailed(services: Services, phone: Phone) -> dict[str, str]:
    """Links of the latest mail to a person, by what they do."""
    letters = await services.mailer.letters()  # type: ignore[attr-defined]
    text = next(each["text"] for each in letters if each["to"] == f"{phone.user_id}@example.com")
    return {url.split("/")[-2]: url for url in re.findall(r"https?://\S+", text)}


async def test_a_link_acknowledges_once_its_button_is_pressed(
    new_phone: NewPhone, services: Services, reachable: None
) -> None:
    ada = await new_phone("Ada")
    await tell(services, ada, channels=["EMAIL"], requires_ack=True)
    url = (await mailed(services, ada))["acknowledge"]
    async with ada.http.get(url) as page:
        assert page.status == 200
        assert page.headers["Cache-Control"] == "no-store"
        assert '<form method="post">' in await page.text()
    async with ada.http.head(url) as page:
        assert page.status == 200
    # Scanners of mails follow links: nothing was done yet.
    assert (await inbox(ada))[0]["acknowledgment"] is None
    for _ in range(2):
        async with ada.http.post(url) as page:
            assert (page.status, "is acknowledged" in await page.text()) == (200, True)
    [item] = await inbox(ada)
    assert (item["acknowledgment"]["method"], item["indicator"]) == ("EMAIL_LINK", "GREEN")


async def test_a_mail_program_unsubscribes_with_one_post(
    new_phone: NewPhone, services: Services, reachable: None
) -> None:
    ada = await new_phone("Ada")
    await tell(services, ada, channels=["EMAIL"])
    links = await mailed(services, ada)
    assert set(links) == {"unsubscribe"}
    # RFC 8058: no page, no sign-in, and the person may press it twice.
    for _ in range(2):
        async with ada.http.post(links["unsubscribe"], data={"List-Unsubscribe": "One-Click"}) as page:
            assert page.status == 200
    consent = (await profile(ada))["consents"][2]
    assert (consent["channel"], consent["status"], consent["source"]) == (
        "EMAIL",
        "REVOKED",
        "UNSUBSCRIBE_LINK",
    )
    assert len(await stored(services, store.consents, user_id=ada.user_id)) == 1
    await tell(services, ada, channels=["EMAIL"], title="No more")
    assert ("EMAIL", "SUPPRESSED", "OPTED_OUT") in await deliveries(services, ada)


async def test_a_mail_from_before_an_erasure_still_unsubscribes(
    new_phone: NewPhone, services: Services, reachable: None
) -> None:
    ada = await new_phone("Ada")
    await tell(services, ada, channels=["EMAIL"], requires_ack=True)
    links = await mailed(services, ada)
    await ada.do("eraseRecipient", "deletedRecipientId", recipientId=(await profile(ada))["id"])
    await settle(services)
    for url in links.values():
        async with ada.http.post(url) as page:
            assert page.status == 200
    assert (await profile(ada))["consents"][2]["status"] == "REVOKED"
    [consent] = await stored(services, store.consents, user_id=ada.user_id)
    [profile_kept] = await stored(services, store.recipients, _id=consent["recipient_id"])
    assert profile_kept["user_id"] == ada.user_id
    # What stays under a pseudonym is nobody's to acknowledge.
    delivery_id = links["acknowledge"].split("/")[-3]
    [row] = await stored(services, store.deliveries, _id=delivery_id)
    [receipt] = await stored(services, store.receipts, user_id=row["user_id"])
    assert receipt["acknowledged"] is False


async def test_links_of_a_person_who_is_gone_write_nothing(
    new_phone: NewPhone, services: Services, reachable: None
) -> None:
    ada = await new_phone("Ada")
    await tell(services, ada, channels=["EMAIL"], requires_ack=True)
    links = await mailed(services, ada)
    change = {"q": {"_id": ada.user_id}, "u": {"$set": {"status": "DELETED"}}}
    await services.db.write({"update": "users", "updates": [change]})
    async with ada.http.post(links["unsubscribe"]) as page:
        assert page.status == 200
    assert await stored(services, store.consents, user_id=ada.user_id) == []


async def test_a_forged_link_does_nothing(new_phone: NewPhone, services: Services, reachable: None) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await tell(services, ada, grace, channels=["EMAIL"], requires_ack=True)
    mine, theirs = await mailed(services, ada), await mailed(services, grace)
    good = mine["acknowledge"].split("/")
    others = theirs["acknowledge"].split("/")
    for forged in (
        [*good[:-1], "x"],
        [*good[:-1], others[-1]],
        [*good[:-1], mine["unsubscribe"].split("/")[-1]],
        [*good[:-2], "unsubscribe", good[-1]],
        [*good[:-2], "delete", good[-1]],
        [*good[:-3], "post_01h455vb4pex5vsknk084sn02q", *good[-2:]],
    ):
        for method in ("GET", "POST"):
            async with ada.http.request(method, "/".join(forged)) as page:
                assert page.status == 404
    assert (await inbox(ada))[0]["acknowledgment"] is None
    assert (await profile(ada))["version"] == 0


async def test_mails_of_a_deployment_without_an_address_have_no_links(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    await tell(services, ada, channels=["EMAIL"], requires_ack=True)
    assert await mailed(services, ada) == {}
