# SPDX-License-Identifier: Apache-2.0
"""The metrics that are followed over weeks: how to read them from a day, and when a change is real.

`mdc` is the smallest change that measurement and nature do not make by themselves, where the
literature gives one: sedentary time week by week +-77 min/day (accelerometer repeatability study),
trunk angles up to 15 deg between wears, ratings 2 points (OSTELO2008). 0: only the wearer's own
week-to-week spread decides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tracker.trends.summary import DaySummary

Wear = Literal["day", "any"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One followed metric. `wear`: "day" is a total and depends on how long the sensor was worn."""

    id: str
    unit: str
    read: Callable[[DaySummary], float | None]
    wear: Wear
    mdc: float = 0.0


def _attr(name: str) -> Callable[[DaySummary], float | None]:
    def read(day: DaySummary) -> float | None:
        value: float | None = getattr(day, name)
        return value

    return read


def _sit_h(day: DaySummary) -> float | None:
    return day.sit_s / 3600 if day.seen_s else None


def _sit_share(day: DaySummary) -> float | None:
    return day.sit_s / day.waking_s if day.waking_s else None


RATING_MDC = 2.0
METRICS = {
    m.id: m
    for m in (
        Metric(id="sit_h", unit="h", read=_sit_h, wear="day", mdc=77 / 60),
        Metric(id="sit_share", unit="share", read=_sit_share, wear="any"),
        Metric(id="longest_sit_min", unit="min", read=_attr("longest_sit_min"), wear="any"),
        Metric(id="w50_min", unit="min", read=_attr("w50_min"), wear="any"),
        Metric(id="prolonged60_n", unit="count", read=_attr("prolonged60_n"), wear="day"),
        Metric(id="slouch_share", unit="share", read=_attr("slouch_share"), wear="any"),
        Metric(id="shifts_per_h", unit="per_h", read=_attr("shifts_per_h"), wear="any"),
        Metric(id="longest_still_min", unit="min", read=_attr("longest_still_min"), wear="any"),
        Metric(id="rises_per_worn_h", unit="per_h", read=_attr("rises_per_worn_h"), wear="any"),
        Metric(
            id="breaks_per_sitting_h", unit="per_h", read=_attr("breaks_per_sitting_h"), wear="any"
        ),
        Metric(
            id="flexion_deg_min_per_sitting_h",
            unit="deg_min",
            read=_attr("flexion_deg_min_per_sitting_h"),
            wear="any",
        ),
        Metric(id="tilt_p50_deg", unit="deg", read=_attr("tilt_p50_deg"), wear="any", mdc=15.0),
        Metric(id="active_min", unit="min", read=_attr("active_min"), wear="day"),
    )
}
