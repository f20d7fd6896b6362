"""Moments of wall times, over every kind of change that clocks make."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import zones
from core.zones import Gap

NEW_YORK, BERLIN = "America/New_York", "Europe/Berlin"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("wall", "zone", "moment"),
    [
        ("2026-03-08 02:30", NEW_YORK, "2026-03-08 07:30"),
        ("2026-11-01 01:30", NEW_YORK, "2026-11-01 05:30"),
        ("2026-03-29 02:30", BERLIN, "2026-03-29 01:30"),
        ("2026-06-01 09:00", "Pacific/Kiritimati", "2026-05-31 19:00"),
        ("2026-06-01 09:00", "Pacific/Pago_Pago", "2026-06-01 20:00"),
    ],
)
def test_a_wall_time_by_rfc_5545(wall: str, zone: str, moment: str) -> None:
    assert zones.instant(zone, datetime.fromisoformat(wall), Gap.RFC5545) == utc(moment)


@pytest.mark.parametrize("gap", Gap)
@pytest.mark.parametrize(
    ("zone", "wall", "moment"),
    [
        (NEW_YORK, "2026-03-08 08:00", "2026-03-08 12:00"),
        (NEW_YORK, "2026-11-01 08:00", "2026-11-01 13:00"),
        ("America/Phoenix", "2026-03-08 08:00", "2026-03-08 15:00"),
        (BERLIN, "2026-07-02 08:00", "2026-07-02 06:00"),
        ("Asia/Kathmandu", "2026-01-02 08:00", "2026-01-02 02:15"),
        ("Australia/Lord_Howe", "2026-04-05 08:00", "2026-04-04 21:30"),
        # Ambiguous ones are the earlier.
        (NEW_YORK, "2026-11-01 01:30", "2026-11-01 05:30"),
        ("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 14:45"),
    ],
)
def test_a_wall_time_that_exists_is_the_same_moment_whatever_gaps_mean(
    zone: str, wall: str, moment: str, gap: Gap
) -> None:
    assert zones.instant(zone, datetime.fromisoformat(wall), gap) == utc(moment)


@pytest.mark.parametrize(
    ("zone", "wall", "first_valid", "rfc5545"),
    [
        (NEW_YORK, "2026-03-08 02:00", "2026-03-08 07:00", "2026-03-08 07:00"),
        (NEW_YORK, "2026-03-08 02:30", "2026-03-08 07:00", "2026-03-08 07:30"),
        (NEW_YORK, "2026-03-08 02:59:59", "2026-03-08 07:00", "2026-03-08 07:59:59"),
        ("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:30", "2026-10-03 15:45"),
        # A day that was left out, by Samoa, when it went over the date line.
        ("Pacific/Apia", "2011-12-30 12:00", "2011-12-30 10:00", "2011-12-30 22:00"),
    ],
)
def test_a_wall_time_that_does_not_exist_means_what_the_caller_says(
    zone: str, wall: str, first_valid: str, rfc5545: str
) -> None:
    missing = datetime.fromisoformat(wall)
    assert zones.instant(zone, missing, Gap.SKIP) is None
    assert zones.instant(zone, missing, Gap.FIRST_VALID) == utc(first_valid)
    assert zones.instant(zone, missing, Gap.RFC5545) == utc(rfc5545)


@given(
    st.sampled_from(sorted(zones.names())),
    st.datetimes(*(datetime.fromisoformat(each) for each in ("1975-01-01", "2037-12-31"))),
)
def test_a_moment_shows_the_wall_time_it_was_made_of(zone: str, wall: datetime) -> None:
    wall = wall.replace(microsecond=0)
    moment = zones.instant(zone, wall, Gap.SKIP)
    if moment is not None:
        assert zones.wall_time(zone, moment) == wall
        return
    first = zones.instant(zone, wall, Gap.FIRST_VALID)
    just_before = zones.wall_time(zone, first - timedelta(seconds=1))
    assert just_before < wall < zones.wall_time(zone, first)
    assert zones.wall_time(zone, zones.instant(zone, wall, Gap.RFC5545)) > wall


@pytest.mark.parametrize("name", ["Europe/Atlantis", "", "../zones", "Europe", "localtime", "europe/berlin"])
def test_a_name_that_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(zones.UnknownZone):
        zones.zone(name)


def test_a_wall_time_with_an_offset_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no offset"):
        zones.instant(BERLIN, utc("2026-07-01 12:00"), Gap.SKIP)


def test_the_machines_own_database_is_not_read(tmp_path: Path) -> None:
    """A machine that takes Berlin for Tokyo answers as all others."""
    (tmp_path / "Europe").mkdir()
    tokyo = zones.DATABASE / "zoneinfo" / "Asia" / "Tokyo"
    (tmp_path / "Europe" / "Berlin").write_bytes(tokyo.read_bytes())
    asked = "from core import zones; from datetime import datetime as d; "
    asked += "print(zones.instant('Europe/Berlin', d(2026, 7, 1, 12), zones.Gap.SKIP).hour)"
    done = subprocess.run(
        [sys.executable, "-c", asked], env={"PYTHONTZPATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert (done.stdout.strip(), done.stderr) == ("10", "")
