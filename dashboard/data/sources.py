# SPDX-License-Identifier: Apache-2.0
"""Where data come from in this process: series, the live row, people and diary.

Series come from InfluxDB where it is configured and answers, else from the embedded store with
a banner; the live row is always local. `app.db` has one writing process, and that is this one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as dc_replace
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from tracker.clock import Clock, clock_from_environment
from tracker.errors import StoreBusy, StoreError
from tracker.model import Epochs, ExerciseSet, Gap, Live, Placement, Transition
from tracker.settings import Settings, read_settings, zone
from tracker.share import PREFIX
from tracker.store.base import DayRow
from tracker.store.records import Records, open_records, open_records_reader
from tracker.store.sqlite import open_reader
from tracker.store.sqlite_read import SqliteReader

if TYPE_CHECKING:
    from tracker.store.influx_sink import SinkStatus

NOBODY = "me"  # pseudonym of the series before any sensor has written one


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

    def days_of(
        self,
        series: Sequence[tuple[str, Placement]],
        first: str,
        last: str,
        *,
        detail: bool = True,
    ) -> dict[tuple[str, Placement], Sequence[DayRow]]:
        """Day rollups of many series at once."""

    def live(self, wearer: str, placement: Placement) -> Live | None:
        """The newest live row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The sources of one process. `fallback` says why InfluxDB is not used, "" where it is."""

    settings: Settings
    clock: Clock
    series: SeriesReader
    local: SqliteReader
    fallback: str = ""
    waiting: "SinkStatus | None" = None  # what InfluxDB has not got yet; None without one
    home: Path | None = None  # folder of the person's own collector while the demo is shown

    @property
    def collector_folder(self) -> Path:
        """Where the collector that sensors are added to keeps its files."""
        return self.home or self.settings.data

    @property
    def zone_name(self) -> str:
        """Time zone of wearers who did not choose one."""
        return str(zone(self.settings.zone))


def sources() -> Sources:
    """The sources of this process: the person's own, or the demo's while they have none.

    `backstay up` names the demo's folder; as soon as a sensor is configured or a series exists
    the next rerun shows the person's own.
    """
    settings = read_settings()
    if not settings.demo or _has_own(settings):
        return sources_of(settings)
    shown = dc_replace(settings, data=Path(settings.demo), influx_url="", records_url="", demo="")
    return dc_replace(_open(shown), home=settings.data)


def own_sources() -> Sources:
    """The person's own sources, never the demo's: where the accounts are."""
    return sources_of(read_settings())


def _has_own(settings: Settings) -> bool:
    local = _open(settings).local
    try:
        return bool(local.sensors()) or bool(local.wearers())
    except StoreError:
        return True  # there is something, even if it cannot be read: say so instead of a demo


def sources_of(settings: Settings) -> Sources:
    """The sources of these settings."""
    return _open(settings) if not settings.influx_url else _with_influx(settings)


@lru_cache(maxsize=4)
def _open(settings: Settings) -> Sources:
    local = open_reader(settings)
    return Sources(settings=settings, clock=clock_from_environment(), series=local, local=local)


def _with_influx(settings: Settings) -> Sources:
    from dashboard.data.influx import with_influx

    return with_influx(_open(settings))


_RECORDS: dict[object, Records] = {}
_RECORDS_LOCK = Lock()


def records(src: Sources) -> Records | None:
    """People and diary for reading; None before anything was written."""
    with _RECORDS_LOCK:
        held = _RECORDS.get(_key(src))
    if held is not None:
        return held
    if not src.settings.records_url and not src.settings.app_db.exists():
        return None
    try:
        return writable(src)
    except StoreBusy:  # a command holds it for a moment: reading goes on
        return open_records_reader(src.settings, src.clock)


def writable(src: Sources) -> Records:
    """People and diary for writing; raises StoreBusy while a command holds the file."""
    with _RECORDS_LOCK:
        held = _RECORDS.get(_key(src))
        if held is None:
            held = open_records(src.settings, src.clock)
            _RECORDS[_key(src)] = held
        return held


def close() -> None:
    """Release every file of this process."""
    with _RECORDS_LOCK:
        for held in _RECORDS.values():
            held.close()
        _RECORDS.clear()
    _open.cache_clear()


def _key(src: Sources) -> object:
    return src.settings.records_url or src.settings.app_db


def first_wearer(src: Sources) -> str:
    """The wearer of a single-user store: the one with the newest live row, else the first."""
    try:
        known = [(w, p) for w, p in src.local.wearers() if not w.startswith(PREFIX)]
    except StoreError:
        return NOBODY
    live = [(src.local.live(w, p), w) for w, p in known]
    newest = max(((row.at_ns, w) for row, w in live if row is not None), default=None)
    if newest is not None:
        return newest[1]
    return known[0][0] if known else NOBODY
