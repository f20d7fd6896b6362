"""Database commands of what is done most: none grows with the number of items or people."""

from core import jobs
from core.context import Services
from resolvers.notification import delivering
from stores import notification as store
from stores.notification import NotificationChannel
from tests.chat.steps import registered
from tests.conftest import Commands, NewPhone
from tests.engine.job_steps import clear
from tests.notification.steps import INBOX, deliveries, queue, settle, stored, tell
from tests.phone import Phone

EMAIL, PUSH = NotificationChannel.EMAIL, NotificationChannel.PUSH
WHOLE = """query($first: Int) { viewer { inboxCount inbox(first: $first) { edges { node {
  id status recipient { id } deliveries { channel status } notification { title } } } } } }"""


async def test_a_notification_for_one_person_is_one_job_that_writes_in_two_transactions(
    new_phone: NewPhone, services: Services, commands: Commands
) -> None:
    ada = await new_phone("Ada")
    await clear(services)
    await tell(services, ada, channels=[EMAIL], run=False)
    commands.reset()
    assert await jobs.run_due(services, limit=1) == 1
    counts = {"find": 4, "findAndModify": 3, "insert": 4, "update": 3, "delete": 2, "commitTransaction": 2}
    assert (commands.counts, commands.sent) == (counts, 16)
    assert await deliveries(services, ada) == [("EMAIL", "SENT", None)]
    assert await stored(services, jobs.queue) == []


async def test_a_delivery_reads_in_two_turns_and_writes_in_one_transaction(
    new_phone: NewPhone, services: Services, commands: Commands
) -> None:
    ada = await new_phone("Ada")
    await queue(services, ada, channels=[EMAIL])
    [row] = await stored(services, store.deliveries, user_id=ada.user_id)
    commands.reset()
    named = {"delivery_id": row["_id"], "notification_id": row["notification_id"]}
    await delivering.deliver(services, **named)
    assert commands.counts == {"find": 4, "findAndModify": 2, "update": 1, "commitTransaction": 1}
    assert commands.sent == 6


async def test_a_push_reads_the_devices_once(
    new_phone: NewPhone, services: Services, commands: Commands
) -> None:
    ada = await new_phone("Ada")
    await registered(ada)
    await settle(services)
    await tell(services, ada, channels=[PUSH], run=False)
    commands.reset()
    await jobs.run_due(services, limit=1)
    assert commands.counts["find"] == 5
    assert await deliveries(services, ada) == [("PUSH", "SENT", None)]


async def counted(phone: Phone, commands: Commands, document: str, **variables: object) -> dict[str, int]:
    commands.reset()
    await phone.run(document, **variables)
    return dict(commands.counts)


async def test_an_inbox_costs_the_same_however_long_it_is(
    new_phone: NewPhone, services: Services, commands: Commands
) -> None:
    ada = await new_phone("Ada")
    for number in range(6):
        await tell(services, ada, channels=[EMAIL], title=f"News {number}")
    await ada.run(INBOX)
    assert await counted(ada, commands, INBOX) == {"find": 1, "aggregate": 1}
    one = await counted(ada, commands, WHOLE, first=1)
    assert await counted(ada, commands, WHOLE, first=6) == one
    assert sum(one.values()) <= 5


async def test_an_inbox_costs_no_more_when_its_document_is_new(
    new_phone: NewPhone, services: Services, commands: Commands
) -> None:
    ada = await new_phone("Ada")
    for number in range(6):
        await tell(services, ada, channels=[EMAIL], title=f"News {number}")
    await ada.run(INBOX)
    known = await counted(ada, commands, WHOLE, first=6)
    new = WHOLE.replace("query(", "query Unseen(")
    assert await counted(ada, commands, new, first=6) == known
