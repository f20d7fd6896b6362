"""Senders behind the circuit breaker and the token bucket of their provider."""

from datetime import timedelta

import pytest

from core import clock
from core.circuit_breaker import CircuitBreaker
from core.context import Services
from core.ports import CircuitOpen, RateReached, Retryable, Sent
from core.security.limits import Limits, Rate
from providers import guarded
from providers.guarded import Guarded, rates


class Sender:
    def __init__(self, *, up: bool = True) -> None:
        self.up = up
        self.asked = 0

    async def send(self, *, to: str, text: str) -> Sent:
        self.asked += 1
        if not self.up:
            raise Retryable("down")
        return Sent("1")


async def test_sms_provider_down(services: Services) -> None:
    """Row "SMS provider down": its circuit opens, and others are unaffected."""
    down, up = Sender(up=False), Sender()
    limits = Limits(services.redis)
    sms = Guarded(down, down.send, limits, None, CircuitBreaker("sms-down"))
    voice = Guarded(up, up.send, limits, None, CircuitBreaker("voice-up"))
    for _ in range(20):
        with pytest.raises(Retryable):
            await sms.send(to="+15550199", text="t")
    with pytest.raises(CircuitOpen):
        await sms.send(to="+15550199", text="t")
    assert down.asked == 20
    assert await voice.send(to="+15550199", text="t") == Sent("1")
    down.up = True
    clock.shift(timedelta(seconds=30))
    assert await sms.send(to="+15550199", text="t") == Sent("1")


async def test_no_more_are_sent_than_the_rate_allows(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded, "LONGEST_WAIT", 0.5)
    sender = Sender()
    limits, rate = Limits(services.redis), Rate("provider:slow", 2, 60)
    slow = Guarded(sender, sender.send, limits, rate, CircuitBreaker("slow"))
    for _ in range(2):
        await slow.send(to="+15550199", text="t")
    with pytest.raises(RateReached):
        await slow.send(to="+15550199", text="t")
    assert sender.asked == 2
    clock.shift(timedelta(seconds=30))
    await slow.send(to="+15550199", text="t")


def test_rates_are_read_from_their_setting() -> None:
    assert rates("twilio=100, fcm=2000") == {
        "twilio": Rate("provider:twilio", 100, 1),
        "fcm": Rate("provider:fcm", 2000, 1),
    }
    assert rates("") == {}
    for wrong in ("twilio", "twilio=0", "twilio=fast"):
        with pytest.raises(ValueError, match="messages a second"):
            rates(wrong)
