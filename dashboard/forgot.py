# SPDX-License-Identifier: Apache-2.0
"""People forget: for each thing that happens to a sensor in daily life, one sentence and a cure.

`answers` is pure: it looks at what the collector says of the sensors, at the clock, at the wearer's
work hours and at the time zone of the device that asks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tracker.model import SECOND_NS
from tracker.trends.hours import WorkWindow
from tracker.units import from_ns, local_date

STALE_DAYS = 30  # as `backstay doctor` says
LATE_MIN = 30  # so long after work began a sensor that was not seen is taken for forgotten
DAY_NS = 86_400 * SECOND_NS
SILENT = frozenset({"sensor_off", "out_of_reach", "never_seen"})
# What *Today* tells as well: it changes what the day will show.
URGENT = frozenset({"battery_low", "battery_ends", "forgotten", "two_sensors_one_place"})
PLAIN = ("sensor_off", "out_of_reach", "never_seen", "clock_went_back", "two_sensors_one_place")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`code` names the text, `values` go into it; `address` is the sensor's, "" for none."""

    code: str
    address: str = ""
    values: Mapping[str, object] = field(default_factory=dict)


def answers(
    states: Sequence[Mapping[str, Any]],
    now_ns: int,
    zone: ZoneInfo,
    window: WorkWindow,
    here: str | None = None,
) -> tuple[Answer, ...]:
    """What to tell, most pressing first. `here` is the time zone of the device that looks."""
    now = from_ns(now_ns, zone)
    found = [a for one in states for a in _of(one, now_ns, now, window)]
    if (other := _other_zone(now_ns, zone, here)) is not None:
        found.append(other)
    return tuple(sorted(found, key=lambda a: a.code not in URGENT))


def _of(one: Mapping[str, Any], now_ns: int, now: datetime, window: WorkWindow) -> Iterator[Answer]:
    advice = set(one.get("advice", ()))
    name = {"name": one.get("name") or one["address"]}
    forgotten = _forgotten(one, now, window)
    if forgotten:
        yield Answer(code="forgotten", address=one["address"], values=name)
        advice -= SILENT
    ends = _ends(one, now, window)
    if ends is not None:
        yield Answer(code="battery_ends", address=one["address"], values={**name, "at": ends})
    elif "battery_low" in advice:
        percent = one.get("battery_pct")
        yield Answer(
            code="battery_low", address=one["address"], values={**name, "percent": percent}
        )
    for code in PLAIN:
        if code in advice:
            yield Answer(code=code, address=one["address"], values=name)
    yield from _calibration(one, now_ns)


def _forgotten(one: Mapping[str, Any], now: datetime, window: WorkWindow) -> bool:
    """It is a work day, work began a while ago, and nothing came since midnight."""
    seen_ns = one.get("seen_ns")
    if seen_ns is None or one.get("link") == "streaming" or not window.includes(now.date()):
        return False
    begun = datetime.combine(now.date(), window.start, now.tzinfo) + timedelta(minutes=LATE_MIN)
    return now >= begun and local_date(int(seen_ns), ZoneInfo(str(now.tzinfo))) < now.date()


def _ends(one: Mapping[str, Any], now: datetime, window: WorkWindow) -> datetime | None:
    """When the battery will be empty, if that is today and before work ends."""
    left_h = one.get("battery_left_h")
    if left_h is None or one.get("link") != "streaming" or not window.includes(now.date()):
        return None
    end = datetime.combine(now.date(), window.end, now.tzinfo)
    empty = now + timedelta(hours=float(left_h))
    return empty if now < end and empty < end else None


def _calibration(one: Mapping[str, Any], now_ns: int) -> Iterator[Answer]:
    made_ns, address = one.get("calibrated_ns"), one["address"]
    if "calibrated_ns" not in one:
        return
    if made_ns is None:
        yield Answer(code="no_calibration", address=address)
        return
    days = (now_ns - int(made_ns)) // DAY_NS
    why = ""
    if int(made_ns) < int(one.get("added_ns") or 0):
        why = "other_sensor"
    elif one.get("slipped"):
        why = "slipped"
    elif days > STALE_DAYS:
        why = "old"
    if why:
        values = {"why": why, "days": int(days)}
        yield Answer(code="calibration_stale", address=address, values=values)


def _other_zone(now_ns: int, zone: ZoneInfo, here: str | None) -> Answer | None:
    """Only where the clocks really differ now: Vienna and Berlin are one time."""
    if not here:
        return None
    try:
        other = ZoneInfo(here)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    if from_ns(now_ns, other).utcoffset() == from_ns(now_ns, zone).utcoffset():
        return None
    return Answer(code="other_zone", values={"here": here, "zone": str(zone)})
