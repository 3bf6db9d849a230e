# SPDX-License-Identifier: Apache-2.0
"""When a forgotten sensor, a battery or another time zone is worth a sentence, and when not."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from dashboard.forgot import answers
from tracker.trends.hours import WorkWindow
from tracker.units import to_ns

BERLIN = ZoneInfo("Europe/Berlin")
WINDOW = WorkWindow()  # 9 to 17, Monday to Friday
SUNDAY_NS = to_ns(datetime(2026, 11, 22, 18, 0, tzinfo=UTC))


def codes(now: datetime, here: str | None = None, **told: object) -> list[str]:
    """The codes for one sensor."""
    one = {"address": "AA", "name": "tag", "link": "lost", "seen_ns": SUNDAY_NS, **told}
    return [a.code for a in answers([one], to_ns(now), BERLIN, WINDOW, here)]


def test_a_sensor_is_forgotten_only_once_work_has_begun() -> None:
    """Not before half past nine, not on Sunday, not once it was seen today."""
    assert codes(datetime(2026, 11, 23, 8, 20, tzinfo=UTC)) == []
    assert codes(datetime(2026, 11, 23, 8, 40, tzinfo=UTC)) == ["forgotten"]
    assert codes(datetime(2026, 11, 29, 10, 0, tzinfo=UTC)) == []
    now = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    assert codes(now, seen_ns=to_ns(datetime(2026, 11, 22, 23, 5, tzinfo=UTC))) == []
    assert codes(now, link="streaming") == []


@pytest.mark.parametrize(
    ("left_h", "hour", "told"),
    [(2.0, 12, True), (8.0, 12, False), (0.5, 18, False), (None, 12, False)],
)
def test_a_battery_matters_before_work_ends(left_h: float | None, hour: int, told: bool) -> None:
    """Empty at two, work until five: told. Empty in the evening, or work is over: not."""
    now = datetime(2026, 11, 23, hour - 1, 0, tzinfo=UTC)
    found = codes(now, link="streaming", battery_left_h=left_h, battery_pct=30)
    assert found == (["battery_ends"] if told else [])


def test_another_time_zone_is_told_only_where_the_clocks_differ() -> None:
    """Vienna is Berlin's time; Lisbon is not; a browser that says nonsense says nothing."""
    now = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    assert codes(now, "Europe/Vienna", link="streaming") == []
    assert codes(now, "Europe/Lisbon", link="streaming") == ["other_zone"]
    assert codes(now, "Nowhere/Land", link="streaming") == []
    assert codes(now, None, link="streaming") == []


def test_a_calibration_of_another_sensor_is_stale_whatever_its_age() -> None:
    """The reason that matters most is the one that is told."""
    now = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    one = {
        "address": "AA", "link": "streaming", "seen_ns": SUNDAY_NS, "calibrated_ns": SUNDAY_NS,
        "added_ns": SUNDAY_NS + 1, "slipped": True,
    }  # fmt: skip
    [found] = answers([one], to_ns(now), BERLIN, WINDOW)
    assert (found.code, found.values["why"]) == ("calibration_stale", "other_sensor")
