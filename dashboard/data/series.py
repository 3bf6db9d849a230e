# SPDX-License-Identifier: Apache-2.0
"""What was measured: the live row, one day, the numbers of many days."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TypeVar
from zoneinfo import ZoneInfo

from dashboard.data.gate import gate
from dashboard.data.sources import Sources
from tracker.diary import Person
from tracker.model import SECOND_NS, Epochs, ExerciseSet, Gap, Live, Placement
from tracker.report.charts.minutes import DayMinutes, day_minutes
from tracker.scoped import epochs_for, summary_for
from tracker.store.base import DayRow
from tracker.trends.day import summarise
from tracker.trends.summary import DaySummary
from tracker.units import day_bounds_ns, from_ns, local_date

RECENT_D = 400  # a year of days and what the oldest of them are compared with
DEMO_MARK = "DEMO"  # a file of this name marks a data folder as the demo's


def placements(src: Sources, viewer: Person, wearer: str) -> Sequence[Placement]:
    """Where this wearer has worn a sensor, the one in use first."""
    gate(src).may_see(viewer, wearer, "sitting")
    return places_of(src, wearer)


def places_of(src: Sources, wearer: str) -> Sequence[Placement]:
    """The same for callers that have asked the gate already."""
    mine = [p for w, p in src.local.wearers() if w == wearer]
    newest = {p: row.at_ns for p in mine if (row := src.local.live(wearer, p)) is not None}
    return sorted(mine, key=lambda p: -newest.get(p, 0))


def live(src: Sources, viewer: Person, wearer: str) -> Live | None:
    """The newest live row of this wearer; read locally, never from InfluxDB."""
    gate(src).may_see(viewer, wearer, "live")
    rows = [src.local.live(wearer, p) for w, p in src.local.wearers() if w == wearer]
    return max((r for r in rows if r is not None), key=lambda r: r.at_ns, default=None)


def is_demo(src: Sources, viewer: Person, wearer: str) -> bool:
    """Whether what is shown belongs to the invented wearer of the demo."""
    gate(src).may_see(viewer, wearer, "live")
    if (Path(src.settings.data) / DEMO_MARK).exists():
        return True
    row = live(src, viewer, wearer)
    return row is not None and row.link == "demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Everything about one local day of one wearer."""

    placement: Placement
    epochs: Epochs
    minutes: DayMinutes
    summary: DaySummary
    sets: Sequence[ExerciseSet]


def has_series(src: Sources, viewer: Person, wearer: str) -> bool:
    """Whether anything was ever measured on this wearer."""
    return bool(placements(src, viewer, wearer))


def day(src: Sources, viewer: Person, wearer: str, shown: date, tz: ZoneInfo) -> Day | None:
    """One local day (23, 24 or 25 hours) at the place with most data; None without epochs."""
    gate(src).may_see(viewer, wearer, "sitting")
    seen = gate(src).visible_scopes(viewer, wearer)
    start_ns, end_ns = day_bounds_ns(shown, tz)
    best: tuple[Placement, Epochs] | None = None
    for place in placements(src, viewer, wearer):
        epochs = epochs_for(src.series.epochs(wearer, place, start_ns, end_ns), seen)
        if len(epochs) and (best is None or len(epochs) > len(best[1])):
            best = (place, epochs)
    if best is None:
        return None
    place, epochs = best
    sets = src.series.sets(wearer, place, start_ns, end_ns) if "training" in seen else ()
    transitions = src.series.transitions(wearer, place, start_ns, end_ns)
    return Day(
        placement=place,
        epochs=epochs,
        minutes=day_minutes(epochs, shown, tz),
        summary=summarise(epochs, transitions, sets, start_ns=start_ns, end_ns=end_ns, zone=tz),
        sets=sets,
    )


def summaries(
    src: Sources, viewer: Person, wearer: str, first: date, last: date, tz: ZoneInfo
) -> dict[date, DaySummary]:
    """The numbers of each day with data, both days included, in order."""
    gate(src).may_see(viewer, wearer, "sitting")
    seen = gate(src).visible_scopes(viewer, wearer)
    return {
        day: summary_for(one, seen)
        for day, one in summaries_of(src, wearer, first, last, tz).items()
    }


def summaries_of(
    src: Sources, wearer: str, first: date, last: date, tz: ZoneInfo
) -> dict[date, DaySummary]:
    """The same, uncut, for callers that have asked the gate already."""
    found: dict[date, DaySummary] = {}
    for place in places_of(src, wearer):
        for row in src.series.days(wearer, place, first.isoformat(), last.isoformat()):
            one = _summary(src, row, tz)
            shown = date.fromisoformat(row.day)
            if shown not in found or one.worn_s > found[shown].worn_s:
                found[shown] = one
    return dict(sorted(found.items()))


# What was worked out from a stored day, by what its row says: a day that changes has other seconds
# and is worked out anew. Holds derived numbers, never an answer of the gate.
_CACHE: OrderedDict[tuple[object, ...], object] = OrderedDict()
_CACHE_LOCK = Lock()
_CACHE_MOST = 4000
Made = TypeVar("Made")


def _once(
    src: Sources, row: DayRow, tz: ZoneInfo, kind: type[Made], make: Callable[[], Made]
) -> Made:
    """`make()`, or what it gave for the same row before."""
    told = (src.settings.data, id(src.series), row.wearer, row.placement, row.day)
    key = (kind, *told, str(tz), len(row.values), *row.seconds.values())
    with _CACHE_LOCK:
        held = _CACHE.get(key)
        if isinstance(held, kind):
            _CACHE.move_to_end(key)
            return held
    made = make()
    with _CACHE_LOCK:
        _CACHE[key] = made
        while len(_CACHE) > _CACHE_MOST:
            _CACHE.popitem(last=False)
    return made


def _summary(src: Sources, row: DayRow, tz: ZoneInfo) -> DaySummary:
    return _once(src, row, tz, DaySummary, lambda: _summarised(src, row, tz))


def _summarised(src: Sources, row: DayRow, tz: ZoneInfo) -> DaySummary:
    if "span_s" in row.values:
        return DaySummary.from_values(row.start_ns, row.seconds, row.values)
    start_ns, end_ns = day_bounds_ns(date.fromisoformat(row.day), tz)
    return summarise(
        src.series.epochs(row.wearer, row.placement, start_ns, end_ns),
        src.series.transitions(row.wearer, row.placement, start_ns, end_ns),
        src.series.sets(row.wearer, row.placement, start_ns, end_ns),
        start_ns=start_ns,
        end_ns=end_ns,
        zone=tz,
    )


def first_day(src: Sources, viewer: Person, wearer: str, tz: ZoneInfo) -> date | None:
    """The first day with data of the last 400."""
    days = _recent(src, viewer, wearer, tz)
    return min(days, default=None)


def valid_days(src: Sources, viewer: Person, wearer: str, tz: ZoneInfo) -> int:
    """Number of days worn awake for 10 h, of the last 400."""
    return sum(one.valid_day for one in _recent(src, viewer, wearer, tz).values())


def _recent(src: Sources, viewer: Person, wearer: str, tz: ZoneInfo) -> dict[date, DaySummary]:
    today = local_date(src.clock.now_ns(), tz)
    return summaries(src, viewer, wearer, today - timedelta(days=RECENT_D), today, tz)


def clock_of(summary: DaySummary, tz: ZoneInfo) -> str:
    """Wall-clock time at which the longest sit began; "" when there was none."""
    if summary.longest_sit_at_s is None:
        return ""
    at_ns = summary.start_ns + round(summary.longest_sit_at_s) * SECOND_NS
    return from_ns(at_ns, tz).strftime("%H:%M")


def signal_bars(rssi_dbm: int | None) -> int | None:
    """Signal strength as 0 to 4 bars; steps of common phones (engineering, no standard)."""
    if rssi_dbm is None:
        return None
    return sum(rssi_dbm >= limit for limit in (-90, -80, -70, -60))


def minutes_of_days(
    src: Sources, viewer: Person, wearer: str, first: date, last: date, tz: ZoneInfo
) -> dict[date, DayMinutes]:
    """The minute grid of each day with epochs, both days included; one read per unknown day."""
    gate(src).may_see(viewer, wearer, "sitting")
    today = local_date(src.clock.now_ns(), tz)
    found: dict[date, DayMinutes] = {}
    for place in placements(src, viewer, wearer):
        for row in src.series.days(wearer, place, first.isoformat(), last.isoformat()):
            shown = date.fromisoformat(row.day)
            if shown >= today:
                grid = _grid(src, row, tz)
            else:
                grid = _once(src, row, tz, DayMinutes, partial(_grid, src, row, tz))
            if shown not in found or grid.measured.sum() > found[shown].measured.sum():
                found[shown] = grid
    return dict(sorted(found.items()))


def _grid(src: Sources, row: DayRow, tz: ZoneInfo) -> DayMinutes:
    shown = date.fromisoformat(row.day)
    start_ns, end_ns = day_bounds_ns(shown, tz)
    return day_minutes(src.series.epochs(row.wearer, row.placement, start_ns, end_ns), shown, tz)


def sets(
    src: Sources, viewer: Person, wearer: str, first: date, last: date, tz: ZoneInfo
) -> Sequence[ExerciseSet]:
    """Recognised exercise sets of the days, both included, in order of time."""
    gate(src).may_see(viewer, wearer, "training")
    start_ns, end_ns = day_bounds_ns(first, tz)[0], day_bounds_ns(last, tz)[1]
    found = [
        one
        for place in places_of(src, wearer)
        for one in src.series.sets(wearer, place, start_ns, end_ns)
    ]
    return sorted(found, key=lambda one: one.start_ns)


def sets_by_place(
    src: Sources, viewer: Person, wearer: str, first: date, last: date, tz: ZoneInfo
) -> Sequence[tuple[Placement, Sequence[ExerciseSet]]]:
    """The same, place by place."""
    gate(src).may_see(viewer, wearer, "training")
    start_ns, end_ns = day_bounds_ns(first, tz)[0], day_bounds_ns(last, tz)[1]
    return [
        (place, src.series.sets(wearer, place, start_ns, end_ns))
        for place in places_of(src, wearer)
    ]


def gaps(src: Sources, viewer: Person, wearer: str, shown: date, tz: ZoneInfo) -> Sequence[Gap]:
    """Stretches of a day without data, each with its reason."""
    gate(src).may_see(viewer, wearer, "sitting")
    start_ns, end_ns = day_bounds_ns(shown, tz)
    return [
        gap
        for place in placements(src, viewer, wearer)
        for gap in src.series.gaps(wearer, place, start_ns, end_ns)
    ]
