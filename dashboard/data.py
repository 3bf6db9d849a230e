# SPDX-License-Identifier: Apache-2.0
"""Everything that pages read. Each function asks the gate first and never keeps its answer.

Series come from InfluxDB where it is configured and answers, else from the embedded store with
a banner; the live row is always local. Nothing here knows Streamlit.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np

from tracker import access
from tracker.advice.cards import Card, cards_of
from tracker.advice.load import packaged
from tracker.advice.profiles import DEFAULT, PROFILES
from tracker.clock import Clock, clock_from_environment
from tracker.diary import Person
from tracker.errors import StoreError
from tracker.model import SECOND_NS, Epochs, ExerciseSet, Gap, Live, Placement, Transition
from tracker.report.charts.minutes import DayMinutes, day_minutes
from tracker.settings import Settings, read_settings, zone
from tracker.store.base import DayRow
from tracker.store.sqlite import open_reader
from tracker.trends.day import summarise
from tracker.trends.summary import DaySummary
from tracker.units import day_bounds_ns, from_ns

NOBODY = "me"  # pseudonym of the series before any sensor has written one
DEMO_MARK = "DEMO"  # a file of this name marks a data folder as the demo's


class SeriesReader(Protocol):
    """The reads of a series store; `tracker.store.base.SeriesStore` describes each."""

    def wearers(self) -> Sequence[tuple[str, Placement]]:
        """Every (wearer, placement) with data."""

    def epochs(self, wearer: str, placement: Placement, start_ns: int, end_ns: int) -> Epochs:
        """Epochs that start in the span."""

    def transitions(
        self, wearer: str, placement: Placement, start_ns: int, end_ns: int
    ) -> Sequence[Transition]:
        """Transitions in the span."""

    def sets(
        self, wearer: str, placement: Placement, start_ns: int, end_ns: int
    ) -> Sequence[ExerciseSet]:
        """Exercise sets that start in the span."""

    def gaps(self, wearer: str, placement: Placement, start_ns: int, end_ns: int) -> Sequence[Gap]:
        """Gaps that touch the span."""

    def days(self, wearer: str, placement: Placement, first: str, last: str) -> Sequence[DayRow]:
        """Day rollups, both days included."""

    def live(self, wearer: str, placement: Placement) -> Live | None:
        """The newest live row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where data come from in this process. `fallback` says why InfluxDB is not used."""

    settings: Settings
    clock: Clock
    series: SeriesReader
    local: SeriesReader
    fallback: str = ""

    @property
    def zone_name(self) -> str:
        """Time zone of wearers who did not choose one."""
        return str(zone(self.settings.zone))


def sources() -> Sources:
    """The sources of this process, opened once per configuration."""
    return _open(read_settings())


@lru_cache(maxsize=4)
def _open(settings: Settings) -> Sources:
    local = open_reader(settings)
    return Sources(settings=settings, clock=clock_from_environment(), series=local, local=local)


def first_wearer(src: Sources) -> str:
    """The wearer of a single-user store: the one with a live row, else the first, else nobody."""
    try:
        known = src.local.wearers()
    except StoreError:
        return NOBODY
    live = [(src.local.live(w, p), w) for w, p in known]
    newest = max(((row.at_ns, w) for row, w in live if row is not None), default=None)
    if newest is not None:
        return newest[1]
    return known[0][0] if known else NOBODY


def owner(src: Sources) -> Person | None:
    """The person of a single-user installation, where one has been set up."""
    return None


def placements(src: Sources, viewer: Person, wearer: str) -> Sequence[Placement]:
    """Where this wearer has worn a sensor, the one in use first."""
    access.may_see(viewer, wearer, "sitting")
    mine = [p for w, p in src.local.wearers() if w == wearer]
    newest = {p: row.at_ns for p in mine if (row := src.local.live(wearer, p)) is not None}
    return sorted(mine, key=lambda p: -newest.get(p, 0))


def live(src: Sources, viewer: Person, wearer: str) -> Live | None:
    """The newest live row of this wearer; read locally, never from InfluxDB."""
    access.may_see(viewer, wearer, "live")
    rows = [src.local.live(wearer, p) for w, p in src.local.wearers() if w == wearer]
    return max((r for r in rows if r is not None), key=lambda r: r.at_ns, default=None)


def is_demo(src: Sources, viewer: Person, wearer: str) -> bool:
    """Whether what is shown belongs to the invented wearer of the demo."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """What is usual for this person: 10th and 90th percentile of the valid days before."""

    valid_days: int
    spans: Mapping[str, tuple[float, float]]


USUAL_DAYS = 28
LEAST_USUAL = 5
USUAL_NAMES = (
    "sit_s",
    "longest_sit_min",
    "w50_min",
    "slouch_share",
    "shifts_per_h",
    "longest_still_min",
)


def has_series(src: Sources, viewer: Person, wearer: str) -> bool:
    """Whether anything was ever measured on this wearer."""
    return bool(placements(src, viewer, wearer))


def day(src: Sources, viewer: Person, wearer: str, shown: date, tz: ZoneInfo) -> Day | None:
    """One local day (23, 24 or 25 hours) at the place with most data; None without epochs."""
    access.may_see(viewer, wearer, "sitting")
    start_ns, end_ns = day_bounds_ns(shown, tz)
    best: tuple[Placement, Epochs] | None = None
    for place in placements(src, viewer, wearer):
        epochs = src.series.epochs(wearer, place, start_ns, end_ns)
        if len(epochs) and (best is None or len(epochs) > len(best[1])):
            best = (place, epochs)
    if best is None:
        return None
    place, epochs = best
    sets = src.series.sets(wearer, place, start_ns, end_ns)
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
    access.may_see(viewer, wearer, "sitting")
    found: dict[date, DaySummary] = {}
    for place in placements(src, viewer, wearer):
        for row in src.series.days(wearer, place, first.isoformat(), last.isoformat()):
            one = _summary(src, row, tz)
            shown = date.fromisoformat(row.day)
            if shown not in found or one.worn_s > found[shown].worn_s:
                found[shown] = one
    return dict(sorted(found.items()))


# Summaries of rows that a store keeps without metrics, by what the row says: a day that changes
# has other seconds and is worked out anew. Holds derived numbers, never an answer of the gate.
_CACHE: OrderedDict[tuple[object, ...], DaySummary] = OrderedDict()
_CACHE_LOCK = Lock()
_CACHE_MOST = 2000


def _summary(src: Sources, row: DayRow, tz: ZoneInfo) -> DaySummary:
    if "span_s" in row.values:
        return DaySummary.from_values(row.start_ns, row.seconds, row.values)
    key = (id(src.series), row.wearer, row.placement, row.day, str(tz), *row.seconds.values())
    with _CACHE_LOCK:
        if key in _CACHE:
            _CACHE.move_to_end(key)
            return _CACHE[key]
    start_ns, end_ns = day_bounds_ns(date.fromisoformat(row.day), tz)
    made = summarise(
        src.series.epochs(row.wearer, row.placement, start_ns, end_ns),
        src.series.transitions(row.wearer, row.placement, start_ns, end_ns),
        src.series.sets(row.wearer, row.placement, start_ns, end_ns),
        start_ns=start_ns,
        end_ns=end_ns,
        zone=tz,
    )
    with _CACHE_LOCK:
        _CACHE[key] = made
        while len(_CACHE) > _CACHE_MOST:
            _CACHE.popitem(last=False)
    return made


def usual(src: Sources, viewer: Person, wearer: str, before: date, tz: ZoneInfo) -> Usual:
    """What was usual on the valid days of the four weeks before a day."""
    first = before - timedelta(days=USUAL_DAYS)
    days = summaries(src, viewer, wearer, first, before - timedelta(days=1), tz)
    valid = [d for d in days.values() if d.valid_day]
    spans: dict[str, tuple[float, float]] = {}
    for name in USUAL_NAMES:
        known = [x for d in valid if (x := getattr(d, name)) is not None]
        if len(known) >= LEAST_USUAL:
            low, high = np.percentile(known, [10, 90])
            spans[name] = (float(low), float(high))
    return Usual(valid_days=len(valid), spans=spans)


def advice(src: Sources, viewer: Person, wearer: str, lang: str) -> Sequence[Card]:
    """Today's advice as cards, in the order of the evaluation."""
    access.may_see(viewer, wearer, "advice")
    facts, told = facts_of(src, viewer, wearer)
    return cards_of(packaged(), facts, profile_of(src, viewer), lang, told=told)


def facts_of(
    src: Sources, viewer: Person, wearer: str
) -> tuple[Mapping[str, object], Sequence[str]]:
    """What is known for the rules, and which of it the wearer told at the start."""
    access.may_see(viewer, wearer, "advice")
    return {}, ()


def profile_of(src: Sources, viewer: Person) -> str:
    """Profile, wellness or clinic: the person's own choice, else the installation's."""
    chosen = str(viewer.settings.get("profile") or src.settings.profile)
    return chosen if chosen in PROFILES else DEFAULT


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
