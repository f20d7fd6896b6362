"""Every declared rate: its numbers, what Redis keeps of it, and that somebody is refused by it."""

import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids
from core.context import Services
from core.security.limits import Rate
from tests.conftest import NewPhone
from tests.phone import Phone, key

LAYERS = ("core", "resolvers", "jobs", "subscriptions", "server")


def declared() -> dict[str, Rate]:
    """By name, all that a module of the product declares."""
    found: dict[str, Rate] = {}
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] in LAYERS:
            for each in vars(module).values():
                if isinstance(each, Rate):
                    assert found.setdefault(each.name, each) == each, f"two rates are called {each.name!r}"
    return found


RATES = declared()


@pytest.mark.parametrize("name", RATES)
async def test_a_rate_is_used_up_at_its_number_and_stays_so(services: Services, name: str) -> None:
    rate, subject = RATES[name], ids.new_id("user")
    limits = services.limits
    interval = rate.seconds / rate.count
    alone = min(rate.count - 1, 20)
    if rate.count - alone > 1:
        first = await limits.take(rate, subject, count=rate.count - alone)
        assert (first.allowed, first.remaining) == (True, alone)
    else:
        assert (await limits.take(rate, subject)).allowed
    for left in reversed(range(alone)):
        verdict = await limits.take(rate, subject)
        # A quick rate gives a little back while it is used up.
        assert verdict.allowed
        assert left <= verdict.remaining <= left + 1 + 2 / interval
    while interval < 1 and (await limits.take(rate, subject)).allowed:
        pass
    refused = await limits.take(rate, subject, count=1 if interval >= 1 else max(1, rate.count // 2))
    assert (refused.allowed, refused.remaining) == (False, 0)
    kept = await services.redis.pttl(f"rate:{name}:{subject}")
    assert rate.seconds * 1000 - 2_000 < kept <= rate.seconds * 1000 + 1_000
    clock.shift(timedelta(seconds=1.3))
    still = await limits.take(rate, subject, count=1 if interval > 2.5 else max(2, rate.count // 2))
    assert not still.allowed
    assert 1 <= still.retry_after <= rate.seconds
    clock.shift(timedelta(seconds=still.retry_after + 1))
    assert (await limits.take(rate, subject)).allowed
    clock.shift(timedelta(seconds=rate.seconds + 1))
    whole = await limits.take(rate, subject, count=rate.count)
    assert (whole.allowed, whole.remaining) == (True, 0)


ADDRESS = "127.0.0.1"
DEVICE = "device_01m8nhr1vne4ga9gsf0bm438dc"
NOBODY = {
    kind: ids.new_id(kind) for kind in ("post", "chat", "user", "group", "upload", "product", "evidence")
}
Subject = Callable[[Phone], str]


def own(phone: Phone) -> str:
    return phone.user_id


def address(phone: Phone) -> str:
    return ADDRESS


USES: list[tuple[str, Subject, str, dict[str, Any]]] = [
    ("profile", own, "updateProfile", {"firstName": "A"}),
    (
        "uploads",
        own,
        "createUpload",
        {"purpose": "POST_MEDIA", "fileName": "a.png", "mimeType": "image/png", "sizeBytes": 9},
    ),
    ("upload-parts", own, "requestUploadPartUrls", {"uploadId": NOBODY["upload"], "partNumbers": [1]}),
    (
        "evidence",
        own,
        "collectEvidence",
        {"kind": "DOCUMENT", "description": "x", "uploadId": NOBODY["upload"], "sha256": "0" * 64},
    ),
    ("audit-exports", own, "requestAuditExport", {"format": "CSV"}),
    ("custody", own, "recordCustody", {"evidenceId": NOBODY["evidence"], "action": "ANALYZED"}),
    ("evidence-verifications", own, "verifyEvidence", {"evidenceId": NOBODY["evidence"]}),
    ("evidence-downloads", own, "requestEvidenceDownload", {"evidenceId": NOBODY["evidence"], "reason": "x"}),
    ("posts", own, "createPost", {"text": "x"}),
    ("comments", own, "createComment", {"postId": NOBODY["post"], "text": "x"}),
    ("reactions", own, "setReaction", {"subjectId": NOBODY["post"], "kind": "LIKE"}),
    ("follows", own, "followUser", {"userId": "a person"}),
    ("groups", own, "createGroup", {"name": "x"}),
    ("impressions", own, "recordImpressions", {"items": []}),
    ("comment typing", own, "setCommentTyping", {"postId": NOBODY["post"], "typing": True}),
    ("reports", own, "submitReport", {"subjectId": "a post", "reason": "SPAM"}),
    ("messages", own, "sendMessage", {"chatId": NOBODY["chat"], "text": "x"}),
    ("typing", own, "setChatTyping", {"chatId": NOBODY["chat"], "typing": True}),
    ("heartbeats", own, "recordHeartbeat", {"status": "ONLINE"}),
    ("new-destination", own, "requestEmailChange", {"email": "new@example.com"}),
    (
        "sign-up",
        address,
        "signUp",
        {
            "email": "a@example.com",
            "password": "correct horse battery",
            "acceptedTermsVersion": "1",
            "device": {"deviceId": DEVICE, "name": "x", "platform": "IOS"},
        },
    ),
    (
        "sign-in",
        address,
        "signIn",
        {
            "email": "a@example.com",
            "password": "correct horse battery",
            "device": {"deviceId": DEVICE, "name": "x", "platform": "IOS"},
        },
    ),
    (
        "code",
        address,
        "verifyOtp",
        {"authFlowId": "flow_01m8nhr1vne4ga9gsf0bm438dc", "code": "123456", "deviceId": DEVICE},
    ),
    ("code", address, "resendOtp", {"authFlowId": "flow_01m8nhr1vne4ga9gsf0bm438dc", "deviceId": DEVICE}),
    ("reset", address, "requestPasswordReset", {"email": "a@example.com", "deviceId": DEVICE}),
]


@pytest.mark.parametrize(("name", "subject", "mutation", "input"), USES, ids=[use[2] for use in USES])
async def test_who_has_used_a_rate_up_is_refused_by_it_and_not_before(
    services: Services, new_phone: NewPhone, name: str, subject: Subject, mutation: str, input: dict[str, Any]
) -> None:
    phone, rate = await new_phone("Ada"), RATES[name]
    await services.redis.delete(f"rate:{name}:{subject(phone)}")
    await services.limits.take(rate, subject(phone), count=rate.count - 1)
    codes = []
    for _ in range(2):
        made = {name: await _made(new_phone, value) for name, value in input.items()}
        done = await phone.do(mutation, "__typename", idempotencyKey=key(), **made)
        codes.append([each["code"] for each in done["errors"]])
    await services.redis.delete(f"rate:{name}:{subject(phone)}")
    assert codes[0] != ["RATE_LIMITED"], codes
    assert codes[1] == ["RATE_LIMITED"], codes


async def _made(new_phone: NewPhone, value: Any) -> Any:
    """Create what an argument refers to, before anything is counted."""
    if value not in ("a person", "a post"):
        return value
    other = await new_phone("Grace")
    if value == "a person":
        return other.user_id
    return (await other.do("createPost", "post { id }", text="x", visibility="PUBLIC"))["post"]["id"]
