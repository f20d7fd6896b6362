"""Reach: when a person may be reached on a channel, by the golden cases of quiet hours."""

from datetime import UTC, datetime, timedelta

import pytest

from core import ids
from resolvers.notification import channels
from resolvers.notification.reaching import Message, Reach, reach
from stores.notification import (
    ConsentSource,
    ConsentStatus,
    DeliveryFailureReason,
    NotificationChannel,
    PriorityLevel,
    Recipient,
    default_recipient,
)

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SMS, VOICE, EMAIL, PUSH, SLACK, TEAMS = NotificationChannel


def message(
    priority: PriorityLevel = PriorityLevel.MEDIUM,
    *,
    transactional: bool = False,
    source: str = "SYSTEM",
    expires_at: datetime = NOON + timedelta(days=365),
) -> Message:
    return Message(priority, source, transactional, expires_at)


def recipient(**choices: object) -> Recipient:
    made = {**default_recipient(ids.new_id("user")), **choices}
    return made  # type: ignore[return-value]


def agreed(*channels: NotificationChannel, status: ConsentStatus = ConsentStatus.GRANTED) -> list[object]:
    return [
        {"channel": each, "status": status, "at": NOON, "source": ConsentSource.APP, "proof": None}
        for each in channels
    ]


def ask(
    told: Message,
    channel: NotificationChannel,
    to: Recipient,
    *,
    now: datetime = NOON,
    zone: str = "UTC",
    has_address: bool = True,
) -> Reach:
    return reach(told, channel, to, has_address=has_address, zone=zone, now=now)


@pytest.mark.parametrize(
    ("now", "zone", "out"),
    [
        ("2026-03-08T02:30Z", "America/New_York", "2026-03-08T12:00Z"),
        ("2026-11-01T01:30Z", "America/New_York", "2026-11-01T13:00Z"),
        ("2026-03-08T04:30Z", "America/Phoenix", "2026-03-08T15:00Z"),
        ("2026-07-01T19:00Z", "Europe/Berlin", "2026-07-02T06:00Z"),
        ("2026-07-01T18:59Z", "Europe/Berlin", "2026-07-01T18:59Z"),
        ("2026-01-15T16:00Z", "America/Los_Angeles", "2026-01-15T16:00Z"),
        ("2026-01-01T16:00Z", "Asia/Kathmandu", "2026-01-02T02:15Z"),
        ("2026-04-04T12:00Z", "Australia/Lord_Howe", "2026-04-04T21:30Z"),
    ],
)
@pytest.mark.parametrize("channel", [SMS, VOICE])
def test_texts_and_calls_wait_for_the_end_of_quiet_hours_by_law(
    now: str, zone: str, out: str, channel: NotificationChannel
) -> None:
    """Golden cases N5."""
    moment, expected = datetime.fromisoformat(now), datetime.fromisoformat(out)
    to = recipient(consents=agreed(SMS, VOICE))
    assert ask(message(), channel, to, now=moment, zone=zone) == Reach(at=expected)
    assert ask(message(PriorityLevel.HIGH), channel, to, now=moment, zone=zone) == Reach(at=moment)
    assert ask(message(), EMAIL, to, now=moment, zone=zone) == Reach(at=moment)


def test_own_quiet_hours_hold_back_all_below_high() -> None:
    to = recipient(quiet_hours={"starts_at": "11:00", "ends_at": "13:30"}, consents=agreed(SMS))
    later = NOON.replace(hour=13, minute=30)
    assert ask(message(), PUSH, to) == Reach(at=later)
    assert ask(message(PriorityLevel.LOW), EMAIL, to) == Reach(at=later)
    assert ask(message(PriorityLevel.HIGH), PUSH, to) == Reach(at=NOON)
    # About what the person did or holds: own quiet hours are for texts and calls then.
    assert ask(message(transactional=True), PUSH, to) == Reach(at=NOON)
    assert ask(message(transactional=True), SMS, to) == Reach(at=later)
    assert ask(message(expires_at=later), PUSH, to) == Reach(reason=DeliveryFailureReason.EXPIRED)
    assert ask(message(), PUSH, to, now=NOON.replace(hour=10, minute=59)).at == NOON.replace(
        hour=10, minute=59
    )


def test_quiet_hours_that_follow_each_other_are_one_and_those_of_all_day_never_end() -> None:
    night = NOON.replace(hour=22)
    to = recipient(quiet_hours={"starts_at": "07:00", "ends_at": "10:00"}, consents=agreed(SMS))
    assert ask(message(), SMS, to, now=night) == Reach(at=datetime(2026, 6, 2, 10, tzinfo=UTC))
    to = recipient(quiet_hours={"starts_at": "08:00", "ends_at": "21:00"}, consents=agreed(SMS))
    assert ask(message(), SMS, to, now=night) == Reach(reason=DeliveryFailureReason.QUIET_HOURS)


def test_an_end_that_clocks_show_twice_ends_quiet_hours_once() -> None:
    to = recipient(quiet_hours={"starts_at": "22:00", "ends_at": "01:30"})
    first = datetime(2026, 11, 1, 5, 15, tzinfo=UTC)
    new_york = "America/New_York"
    assert ask(message(), PUSH, to, now=first, zone=new_york).at == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    again = first + timedelta(hours=1)
    assert ask(message(), PUSH, to, now=again, zone=new_york).at == again


@pytest.mark.parametrize("priority", PriorityLevel)
def test_texts_and_calls_need_consent_at_any_priority_and_other_channels_no_opt_out(
    priority: PriorityLevel,
) -> None:
    told, unasked = message(priority), recipient()
    for channel in (SMS, VOICE):
        assert ask(told, channel, unasked).reason is DeliveryFailureReason.NO_CONSENT
        called = recipient(consents=agreed(channel), do_not_call=True)
        assert ask(told, channel, called).reason is DeliveryFailureReason.DO_NOT_CALL
    for channel in (EMAIL, PUSH, SLACK, TEAMS):
        assert ask(told, channel, unasked) == Reach(at=NOON)
    for channel in NotificationChannel:
        out = recipient(consents=agreed(channel, status=ConsentStatus.REVOKED))
        assert ask(told, channel, out).reason is DeliveryFailureReason.OPTED_OUT


def test_a_landline_gets_calls_and_no_texts() -> None:
    to = recipient(consents=agreed(SMS, VOICE), landline=True)
    assert ask(message(), SMS, to).reason is DeliveryFailureReason.LANDLINE
    assert ask(message(), VOICE, to) == Reach(at=NOON)


def test_mutes_hold_below_high_and_not_for_what_the_person_did() -> None:
    to = recipient(muted_sources=["FEED"])
    assert ask(message(source="FEED"), PUSH, to).reason is DeliveryFailureReason.MUTED
    assert ask(message(), PUSH, to) == Reach(at=NOON)
    assert ask(message(PriorityLevel.HIGH, source="FEED"), PUSH, to) == Reach(at=NOON)
    assert ask(message(source="FEED", transactional=True), PUSH, to) == Reach(at=NOON)


def test_preferred_channels_reorder_but_never_remove_critical_ones() -> None:
    to = recipient(preferred_channels=[PUSH, EMAIL], consents=agreed(SMS, VOICE))
    assert channels.planned(PriorityLevel.CRITICAL, None, to) == [PUSH, SMS, VOICE]
    assert ask(message(PriorityLevel.CRITICAL), SMS, to) == Reach(at=NOON)
    assert channels.planned(PriorityLevel.HIGH, None, to) == [PUSH, EMAIL, SMS]
    assert ask(message(PriorityLevel.HIGH), SMS, to).reason is DeliveryFailureReason.NOT_PREFERRED
    assert channels.planned(PriorityLevel.LOW, [TEAMS, TEAMS], to) == [TEAMS]


@pytest.mark.parametrize(
    ("channel", "urgent", "other"),
    [
        (SMS, VOICE, VOICE),
        (VOICE, SMS, SMS),
        (PUSH, SMS, EMAIL),
        (EMAIL, PUSH, PUSH),
        (SLACK, EMAIL, EMAIL),
        (TEAMS, EMAIL, EMAIL),
    ],
)
def test_another_channel_steps_in_unless_it_was_tried(
    channel: NotificationChannel, urgent: NotificationChannel, other: NotificationChannel
) -> None:
    assert channels.fallback(channel, PriorityLevel.CRITICAL, {channel}) is urgent
    assert channels.fallback(channel, PriorityLevel.HIGH, {channel}) is urgent
    assert channels.fallback(channel, PriorityLevel.LOW, {channel}) is other
    assert channels.fallback(channel, PriorityLevel.LOW, {channel, other}) is None


def test_without_an_address_or_after_its_expiry_nothing_goes_out() -> None:
    assert ask(message(), EMAIL, recipient(), has_address=False).reason is DeliveryFailureReason.NO_ADDRESS
    late = message(PriorityLevel.CRITICAL, expires_at=NOON)
    assert ask(late, EMAIL, recipient()).reason is DeliveryFailureReason.EXPIRED
