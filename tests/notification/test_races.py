"""Races: no choice, consent or acknowledgment is lost, and none is doubled."""

import asyncio

from core.context import Services
from resolvers.notification import replying
from stores import notification as store
from stores.notification import NotificationChannel
from tests.conftest import NewPhone
from tests.notification.steps import inbox, profile, settle, stored, tell, with_number
from tests.phone import key

SMS, *_ = NotificationChannel
CONSENT = "recipient { id }"


async def test_consents_to_all_channels_at_once_are_all_kept(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    asked = [
        ada.do("setChannelConsent", CONSENT, channel=channel, status="REVOKED", proof="No")
        for channel in NotificationChannel
    ]
    hours = {"startsAt": "22:00", "endsAt": "07:00"}
    done = await asyncio.gather(*asked, ada.do("updateNotificationPreferences", CONSENT, quietHours=hours))
    assert [each["errors"] for each in done] == [[]] * 7
    shown = await profile(ada)
    assert {each["status"] for each in shown["consents"]} == {"REVOKED"}
    assert shown["quietHours"] == hours
    assert len(await stored(services, store.consents, user_id=ada.user_id)) == 6


async def test_a_stop_and_an_ok_beside_each_other_are_both_heeded(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    number = await with_number(services, ada, "SMS")
    await tell(services, ada, channels=[SMS], priority="HIGH", requires_ack=True)
    await asyncio.gather(
        replying.reply(services, number=number, said="STOP", event_id=key()),
        replying.reply(services, number=number, said="OK", event_id=key()),
        replying.reply(services, number=number, said="STOP", event_id=key()),
    )
    await settle(services)
    assert (await profile(ada))["consents"][0]["status"] == "REVOKED"
    assert (await inbox(ada))[0]["acknowledgment"]["method"] == "REPLY_SMS"
    assert len(await stored(services, store.consents, user_id=ada.user_id, status="REVOKED")) == 1


async def test_an_acknowledgment_from_two_phones_at_once_is_one(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    other = await new_phone(user_id=ada.user_id)
    await tell(services, ada, requires_ack=True)
    [item] = await inbox(ada)
    done = await asyncio.gather(
        *(
            phone.do(
                "acknowledgeNotification",
                "notificationReceipt { acknowledgment { response } }",
                target={"receiptId": item["id"]},
                response=said,
            )
            for phone, said in ((ada, "one"), (other, "two"), (ada, "three"))
        )
    )
    assert [each["errors"] for each in done] == [[]] * 3
    said = {each["notificationReceipt"]["acknowledgment"]["response"] for each in done}
    assert len(said) == 1
