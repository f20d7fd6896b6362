"""Reported messages: copies for moderators, sealed, on record; and what phones report of themselves."""

from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from core import clock
from core.context import Services
from jobs import chat as jobs
from stores.auth import Role
from tests.chat.steps import history, refusal, say, stored, talk
from tests.conftest import NewPhone
from tests.phone import Phone, make_user

REPORT = "messageReport { id reason note status judgedAt }"
QUEUE = """query($filter: MessageReportFilterInput) {
  messageReports(filter: $filter, first: 100) { edges { node {
    id reason note status reportedMessages { messageId text reported sequence sender { name } } } } } }"""


@pytest.fixture
async def moderator(new_phone: NewPhone, services: Services) -> Phone:
    return await new_phone(user_id=await make_user(services, "Alan", roles=[Role.MEMBER, Role.MODERATOR]))


async def report(phone: Phone, id: str, **input: Any) -> dict[str, Any]:
    done: dict[str, Any] = await phone.do(
        "submitMessageReport", REPORT, messageId=id, **{"reason": "ABUSE", **input}
    )
    return done


async def queued(moderator: Phone, report_id: str, status: str = "OPEN") -> dict[str, Any] | None:
    found = (await moderator.run(QUEUE, filter={"statuses": [status]}))["messageReports"]["edges"]
    return next((edge["node"] for edge in found if edge["node"]["id"] == report_id), None)


async def test_a_report_copies_the_message_and_the_five_nearest(
    new_phone: NewPhone, moderator: Phone, services: Services
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, ids = await talk(ada, grace, 9)
    done = await report(grace, ids[4], note=" Rude ")
    assert done["errors"] == []
    made = done["messageReport"]
    id = made.pop("id")
    assert made == {"reason": "ABUSE", "note": "Rude", "status": "OPEN", "judgedAt": None}
    # The second is the first.
    assert (await report(grace, ids[4], reason="SPAM"))["messageReport"]["id"] == id
    # What is edited or deleted afterwards stays judged as it was.
    await ada.do("deleteMessage", "message { id }", messageId=ids[4])
    seen = await queued(moderator, id)
    assert seen
    assert seen.pop("reportedMessages") == [
        {
            "messageId": ids[number - 1],
            "text": f"Message {number}",
            "reported": number == 5,
            "sequence": number,
            "sender": {"name": "Ada"},
        }
        for number in (2, 3, 4, 5, 6, 7)
    ]
    assert seen == {"id": id, "reason": "ABUSE", "note": "Rude", "status": "OPEN"}
    rows = str(await stored(services, "message_reports", _id=id))
    assert "Message 5" not in rows
    assert "Rude" not in rows
    # The chat itself stays closed to moderators.
    assert await moderator.run("query($id: ID!) { chat(id: $id) { id } }", id=chat_id) == {"chat": None}


async def test_only_moderators_read_reports(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    _, [id] = await talk(ada, grace)
    report_id = (await report(grace, id))["messageReport"]["id"]
    assert (await grace.ask(QUEUE)).code == "FORBIDDEN"
    node = "query($id: ID!) { node(id: $id) { ... on MessageReport { reason note } } }"
    assert (await grace.run(node, id=report_id))["node"] == {"reason": "ABUSE", "note": None}
    assert (await ada.run(node, id=report_id))["node"] is None
    copies = "query($id: ID!) { node(id: $id) { ... on MessageReport { reportedMessages { text } } } }"
    assert (await grace.ask(copies, id=report_id)).code == "FORBIDDEN"
    refused = await grace.do(
        "decideMessageReport", "messageReport { id }", messageReportId=report_id, decision="UPHOLD"
    )
    assert [each["code"] for each in refused["errors"]] == ["FORBIDDEN"]


@pytest.mark.parametrize("upheld", [True, False])
async def test_a_judgement(new_phone: NewPhone, moderator: Phone, upheld: bool) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, [id] = await talk(ada, grace)
    report_id = (await report(grace, id))["messageReport"]["id"]
    for again in ("UPHOLD", "DISMISS") if upheld else ("DISMISS", "UPHOLD"):
        done = await moderator.do("decideMessageReport", REPORT, messageReportId=report_id, decision=again)
        assert done["errors"] == []
        assert done["messageReport"]["status"] == ("UPHELD" if upheld else "DISMISSED")
        assert done["messageReport"]["judgedAt"] is not None
    assert await history(ada, chat_id) == [None if upheld else "Message 1"]
    assert await queued(moderator, report_id) is None
    assert await queued(moderator, report_id, "UPHELD" if upheld else "DISMISSED")


async def test_what_cannot_be_reported(new_phone: NewPhone) -> None:
    ada, grace, alan = await new_phone("Ada"), await new_phone("Grace"), await new_phone("Alan")
    _, [id] = await talk(ada, grace)
    assert (await report(ada, id))["errors"] == [
        refusal("FORBIDDEN", "This is your own message.", ["messageId"])
    ]
    assert (await report(alan, id))["errors"] == [
        refusal("NOT_FOUND", "It does not exist, or you may not see it.", ["messageId"])
    ]
    too_long = await report(grace, id, note="x" * 1_001)
    assert too_long["errors"] == [refusal("TOO_LONG", "At most 1,000 characters.", ["note"], limit=1_000)]


async def test_reports_go_with_the_account(new_phone: NewPhone, moderator: Phone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    _, [id] = await talk(ada, grace)
    report_id = (await report(grace, id))["messageReport"]["id"]
    await jobs.erase(services, ada.user_id)
    assert await queued(moderator, report_id) is None
    assert await stored(services, "message_reports", _id=report_id) == []


async def health(phone: Phone, **queue: Any) -> dict[str, Any]:
    one = {"system": "chat", "queuedCount": 3, "oldestAt": clock.now().isoformat(), "failedCount": 1, **queue}
    done: dict[str, Any] = await phone.do(
        "recordClientHealth", "replayed", deviceId=phone.device_id, queues=[one]
    )
    return done


async def test_phones_report_their_queues_once_a_minute(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession, address: str
) -> None:
    ada = await new_phone("Ada")
    done = await health(ada)
    assert done["errors"] == []
    assert done["errors"] == []
    [row] = await stored(services, "client_health", user_id=ada.user_id)
    assert (row["device_id"], row["queues"][0]["size"]) == (ada.device_id, 3)
    async with http.get(f"{address}/metrics") as response:
        metrics = await response.text()
    assert 'landfall_client_queue_failures_total{system="chat"}' in metrics
    [error] = (await health(ada))["errors"]
    assert (error["code"], error["retryable"]) == ("RATE_LIMITED", True)
    assert 50 <= error["retryAfterSeconds"] <= 60
    clock.shift(timedelta(seconds=61))
    assert (await health(ada))["errors"] == []


@pytest.mark.parametrize(
    ("queue", "field"),
    [
        ({"system": "nonsense"}, "system"),
        ({"queuedCount": -1}, "queuedCount"),
        ({"failedCount": 2_000_000}, "failedCount"),
    ],
)
async def test_nonsense_is_not_counted(
    new_phone: NewPhone, services: Services, queue: dict[str, Any], field: str
) -> None:
    ada = await new_phone("Ada")
    [error] = (await health(ada, **queue))["errors"]
    assert (error["kind"], error["field"]) == ("INVALID", ["queues", "0", field])
    assert await stored(services, "client_health", user_id=ada.user_id) == []


async def test_another_s_device_is_not_reported(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    done = await ada.do("recordClientHealth", "replayed", deviceId=grace.device_id, queues=[])
    assert [each["code"] for each in done["errors"]] == ["NOT_FOUND"]


async def test_the_time_to_deliver_is_measured(
    new_phone: NewPhone, http: aiohttp.ClientSession, address: str
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")

    async def count() -> float:
        async with http.get(f"{address}/metrics") as response:
            lines = (await response.text()).splitlines()
        return float(next(line for line in lines if "chat_delivery_seconds_count" in line).split()[-1])

    before = await count()
    chat_id, _ = await talk(ada, grace, 2)
    for sequence in (1, 2, 2):
        marks = [{"chatId": chat_id, "upToSequence": sequence}]
        await grace.do("markChatsDelivered", "chats { id }", marks=marks)
    assert await count() == before + 2
    await say(ada, chat_id)
