"""Calls, Slack and Teams, delivered to servers that speak their APIs."""

from collections.abc import AsyncIterator, Collection
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import aiohttp
import pytest
from aiohttp import web

from core.ports import DeliveryFailed, FailureCode, Permanent, Retryable, Sent
from devstack.process import free_port
from providers.slack import Slack
from providers.teams import Teams
from providers.voice import voice_caller
from tests.feed.test_links import PUBLIC, Names
from tests.providers.gateways import Gateway, gateway

CALLS, POST, FLOW = "/2010-04-01/Accounts/AC1/Calls.json", "/api/chat.postMessage", "/flows/1"


@pytest.fixture
async def served() -> AsyncIterator[Gateway]:
    async with gateway() as running:
        yield running


def code_of(failed: DeliveryFailed) -> FailureCode | None:
    return failed.code if isinstance(failed, Permanent) else None


async def test_a_call_reads_the_text_and_waits_ten_seconds_for_a_key(
    served: Gateway, http: aiohttp.ClientSession
) -> None:
    served.answers[CALLS] = lambda _: web.json_response({"sid": "CA1", "status": "queued"}, status=201)
    url = served.url.replace("http://", "twilio+http://AC1:secret@") + "/+15550100"
    caller = voice_caller(url, http, "https://landfall.example/hooks")
    sent = await caller.send(to="+15550199", text='Fire & <smoke> "now"', language="de")
    [asked] = served.asked
    assert sent == Sent("CA1")
    assert asked.login == ("AC1", "secret")
    assert asked.form == {
        "To": "+15550199",
        "From": "+15550100",
        "MachineDetection": "Enable",
        "StatusCallback": "https://landfall.example/hooks/twilio",
        "Twiml": '<Response><Gather input="dtmf" numDigits="1" timeout="10" '
        'action="https://landfall.example/hooks/twilio">'
        '<Say language="de-DE">Fire &amp; &lt;smoke&gt; "now"</Say></Gather></Response>',
    }


async def test_a_long_text_is_read_as_far_as_the_provider_takes_it(
    served: Gateway, http: aiohttp.ClientSession
) -> None:
    served.answers[CALLS] = lambda _: web.json_response({"sid": "CA1"}, status=201)
    url = served.url.replace("http://", "twilio+http://AC1:secret@") + "/+15550100"
    for text in ("Fire. " + "&" * 4_000, "Fire. " + "x" * 4_000, "Fire.\x00\x0b Leave"):
        await voice_caller(url, http, "https://landfall.example/hooks").send(to="+15550199", text=text)
        read = served.asked[-1].form["Twiml"]
        assert len(read) <= 4_000
        assert ElementTree.fromstring(read)[0][0].text.startswith("Fire.")  # type: ignore[union-attr]


async def test_a_number_that_cannot_be_called_is_told_apart(
    served: Gateway, http: aiohttp.ClientSession
) -> None:
    served.answers[CALLS] = lambda _: web.json_response({"code": 21211}, status=400)
    url = served.url.replace("http://", "twilio+http://AC1:secret@") + "/+15550100"
    with pytest.raises(Permanent) as failed:
        await voice_caller(url, http, "").send(to="+15550199", text="Fire")
    assert failed.value.code == FailureCode.UNREACHABLE
    with pytest.raises(ValueError, match="a voice provider is"):
        voice_caller("vonage://a:b@host/x", http, "")


async def test_slack_posts_to_a_person(served: Gateway, http: aiohttp.ClientSession) -> None:
    served.answers[POST] = lambda _: web.json_response({"ok": True, "channel": "D1", "ts": "1.2"})
    slack = Slack(http, f"{served.url}/api", "xoxb-1")
    sent = await slack.send(to="U1", title="<!channel> fire", text="Leave now", link="https://x.example/")
    [asked] = served.asked
    assert sent == Sent("D1:1.2")
    assert asked.headers["Authorization"] == "Bearer xoxb-1"
    assert (asked.json["channel"], asked.json["text"]) == ("U1", "&lt;!channel&gt; fire")
    header, section, actions = asked.json["blocks"]
    assert header["text"] == {"type": "plain_text", "text": "<!channel> fire"}
    assert section["text"] == {"type": "plain_text", "text": "Leave now"}
    assert actions["elements"][0]["url"] == "https://x.example/"


async def test_slack_shows_a_button_that_acknowledges(served: Gateway, http: aiohttp.ClientSession) -> None:
    served.answers[POST] = lambda _: web.json_response({"ok": True, "channel": "D1", "ts": "1.2"})
    slack = Slack(http, f"{served.url}/api", "xoxb-1")
    await slack.send(to="U1", title="Fire", text="Leave", acknowledge="Verstanden")
    [button] = served.asked[0].json["blocks"][-1]["elements"]
    assert (button["action_id"], button["text"]["text"]) == ("acknowledge", "Verstanden")


@pytest.mark.parametrize(
    ("status", "answer", "code"),
    [
        (200, {"ok": False, "error": "channel_not_found"}, FailureCode.UNREACHABLE),
        (200, {"ok": False, "error": "msg_too_long"}, FailureCode.REFUSED),
        (200, {"ok": False, "error": "invalid_auth"}, None),
        (429, {}, None),
        (200, [], None),
    ],
)
async def test_a_refusal_of_slack_fails(
    served: Gateway, http: aiohttp.ClientSession, status: int, answer: Any, code: FailureCode | None
) -> None:
    served.answers[POST] = lambda _: web.json_response(answer, status=status)
    with pytest.raises(DeliveryFailed) as failed:
        await Slack(http, f"{served.url}/api", "xoxb-1").send(to="U1", title="a", text="b")
    assert code_of(failed.value) == code


async def test_slack_away_is_a_failure_that_passes(http: aiohttp.ClientSession) -> None:
    with pytest.raises(Retryable, match="did not answer"):
        await Slack(http, f"http://127.0.0.1:{free_port()}", "x").send(to="U1", title="a", text="b")


def teams(served: Gateway, *answers: str, schemes: Collection[str] = ("http", "https")) -> Teams:
    """One whose flow has a public address, which leads to the server on this machine."""
    port = urlsplit(served.url).port or 0
    names = Names(flow_example=[list(answers or (PUBLIC,))])
    return Teams(names, lambda address, _: ("127.0.0.1", port), schemes=schemes)


async def test_teams_gets_a_card(served: Gateway) -> None:
    served.answers[FLOW] = lambda _: web.Response(status=202)
    sent = await teams(served).send(
        to=f"http://flow.example{FLOW}",
        title="Fire",
        text="Leave [now](https://evil.example/) *or* #1",
        link="https://x.example/",
    )
    assert sent == Sent()
    [attachment] = served.asked[0].json["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert [each["text"] for each in card["body"]] == [
        "Fire",
        "Leave \\[now\\](https://evil.example/) \\*or\\* #1",
    ]
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Open", "url": "https://x.example/"}]


@pytest.mark.parametrize(
    ("status", "code"), [(404, FailureCode.UNREACHABLE), (302, FailureCode.UNREACHABLE), (503, None)]
)
async def test_a_flow_that_is_gone_is_told_from_one_that_is_down(
    served: Gateway, status: int, code: FailureCode | None
) -> None:
    served.answers[FLOW] = lambda _: web.Response(status=status, headers={"Location": "http://x.example/"})
    with pytest.raises(DeliveryFailed) as failed:
        await teams(served).send(to=f"http://flow.example{FLOW}", title="a", text="b")
    assert code_of(failed.value) == code
    assert len(served.asked) == 1


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/x", "http://flow.example:6379/x", "ftp://flow.example/x", "http://[::1]/x", "x"]
)
async def test_a_flow_at_no_public_address_is_never_asked(served: Gateway, url: str) -> None:
    with pytest.raises(Permanent):
        await teams(served).send(to=url, title="a", text="b")
    assert served.asked == []


async def test_a_flow_is_asked_by_https_alone(served: Gateway) -> None:
    for url in (f"http://flow.example{FLOW}", f"HTTP://flow.example{FLOW}"):
        with pytest.raises(Permanent):
            await teams(served, schemes=("https",)).send(to=url, title="a", text="b")
    assert served.asked == []


async def test_a_flow_whose_name_leads_into_our_network_is_never_asked(served: Gateway) -> None:
    with pytest.raises(Permanent):
        await teams(served, "10.0.0.7").send(to=f"http://flow.example{FLOW}", title="a", text="b")
    assert served.asked == []
