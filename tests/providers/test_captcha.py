"""CAPTCHAs, judged by a server that speaks hCaptcha's and Turnstile's protocol."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from core.ports import Retryable
from ports.auth import SignInAttempt
from providers.captcha import SiteVerify, Word
from providers.risk import PlainRisk
from tests.providers.gateways import Gateway, gateway


@pytest.fixture
async def served() -> AsyncIterator[Gateway]:
    async with gateway() as running:
        running.answers["/siteverify"] = lambda asked: web.json_response(
            {"success": asked.form["response"] == "good"}
        )
        yield running


async def test_the_provider_judges(served: Gateway, http: aiohttp.ClientSession) -> None:
    captcha = SiteVerify(http, f"{served.url}/siteverify", "top-secret")
    assert await captcha.passes("good", address="192.0.2.7") is True
    assert await captcha.passes("bad", address="192.0.2.7") is False
    assert served.asked[0].form == {"secret": "top-secret", "response": "good", "remoteip": "192.0.2.7"}


@pytest.mark.parametrize("token", ["", "x" * 10_001])
async def test_what_cannot_be_an_answer_is_not_asked_about(
    served: Gateway, http: aiohttp.ClientSession, token: str
) -> None:
    captcha = SiteVerify(http, f"{served.url}/siteverify", "top-secret")
    assert await captcha.passes(token, address="192.0.2.7") is False
    assert served.asked == []


@pytest.mark.parametrize("trouble", [500, None])
async def test_trouble_is_no_judgement(
    served: Gateway, http: aiohttp.ClientSession, trouble: int | None
) -> None:
    served.answers["/siteverify"] = lambda _: (
        web.Response(status=trouble) if trouble else web.Response(text="<html>")
    )
    with pytest.raises(Retryable):
        await SiteVerify(http, f"{served.url}/siteverify", "top-secret").passes("good", address="")


@pytest.mark.parametrize("answer", ["[]", '{"success": "true"}', "{}", "null"])
async def test_only_true_is_a_pass(served: Gateway, http: aiohttp.ClientSession, answer: str) -> None:
    served.answers["/siteverify"] = lambda _: web.Response(text=answer, content_type="application/json")
    assert await SiteVerify(http, f"{served.url}/siteverify", "s").passes("good", address="") is False


async def test_in_development_a_word_will_do() -> None:
    assert await Word().passes("human", address="") is True
    assert await Word().passes("roböt", address="") is False


@pytest.mark.parametrize(
    ("known", "failures", "demanded"), [(True, 9, False), (False, 2, False), (False, 3, True)]
)
async def test_a_late_guess_from_an_unknown_device_is_not_enough(
    known: bool, failures: int, demanded: bool
) -> None:
    attempt = SignInAttempt("user_1", device_known=known, failures=failures)
    assert await PlainRisk().demands_second_factor(attempt) is demanded
