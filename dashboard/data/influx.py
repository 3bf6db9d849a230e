# SPDX-License-Identifier: Apache-2.0
"""Reads from InfluxDB that fall back to the embedded store, so no page stays empty.

Whether the server answers is asked at most every :data:`RETRY_S` seconds; when a read fails in the
middle of a page, that read comes from the embedded store and the next page shows the banner.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from tracker.errors import StoreError
from tracker.model import Epochs, ExerciseSet, Gap, Live, Placement, Transition
from tracker.settings import Settings
from tracker.store.base import DayRow
from tracker.store.influx import InfluxStore, open_store
from tracker.store.influx_sink import SinkStatus, read_status
from tracker.store.sqlite import open_reader
from tracker.store.sqlite_read import SqliteReader

if TYPE_CHECKING:
    from dashboard.data.sources import Sources

RETRY_S = 20.0
Got = TypeVar("Got")


class FallingBack:
    """The reads of a series store; `away` says why InfluxDB is not used, "" where it is.

    `waiting` is what the collector of this machine has not brought there yet.
    """

    def __init__(self, far: InfluxStore, near: SqliteReader) -> None:
        self._far = far
        self._near = near
        self._lock = Lock()
        self._asked_s = float("-inf")
        self.away = ""
        self.waiting = SinkStatus()

    def probe(self) -> str:
        """Ask the server whether it answers, now and then; the reason when it does not."""
        with self._lock:
            if time.monotonic() - self._asked_s < RETRY_S:
                return self.away
            self._asked_s = time.monotonic()
        try:
            self._far.wearers()
        except StoreError as error:
            self.away = str(error)
        else:
            self.away = ""
        with suppress(StoreError):  # the embedded store says itself what is wrong with it
            self.waiting = read_status(self._near)
        return self.away

    def _read(self, far: Callable[[], Got], near: Callable[[], Got]) -> Got:
        if self.away:
            return near()
        try:
            return far()
        except StoreError as error:
            self.away = str(error)
            return near()

    def wearers(self) -> Sequence[tuple[str, Placement]]:
        """Every (wearer, placement) with data."""
        return self._read(self._far.wearers, self._near.wearers)

    def epochs(self, wearer: str, placement: Placement, start_ns: int, end_ns: int) -> Epochs:
        """Epochs that start in the span."""
        who = (wearer, placement, start_ns, end_ns)
        return self._read(lambda: self._far.epochs(*who), lambda: self._near.epochs(*who))

    def transitions(
        self, wearer: str, placement: Placement, start_ns: int, end_ns: int
    ) -> Sequence[Transition]:
        """Transitions in the span."""
        who = (wearer, placement, start_ns, end_ns)
        return self._read(lambda: self._far.transitions(*who), lambda: self._near.transitions(*who))

    def sets(
        self, wearer: str, placement: Placement, start_ns: int, end_ns: int
    ) -> Sequence[ExerciseSet]:
        """Exercise sets that start in the span."""
        who = (wearer, placement, start_ns, end_ns)
        return self._read(lambda: self._far.sets(*who), lambda: self._near.sets(*who))

    def gaps(self, wearer: str, placement: Placement, start_ns: int, end_ns: int) -> Sequence[Gap]:
        """Gaps that touch the span."""
        who = (wearer, placement, start_ns, end_ns)
        return self._read(lambda: self._far.gaps(*who), lambda: self._near.gaps(*who))

    def days(self, wearer: str, placement: Placement, first: str, last: str) -> Sequence[DayRow]:
        """Day rollups, both days included."""
        who = (wearer, placement, first, last)
        return self._read(lambda: self._far.days(*who), lambda: self._near.days(*who))

    def days_of(
        self,
        series: Sequence[tuple[str, Placement]],
        first: str,
        last: str,
        *,
        detail: bool = True,
    ) -> dict[tuple[str, Placement], Sequence[DayRow]]:
        """Day rollups of many series at once."""
        return self._read(
            lambda: self._far.days_of(series, first, last, detail=detail),
            lambda: self._near.days_of(series, first, last, detail=detail),
        )

    def live(self, wearer: str, placement: Placement) -> Live | None:
        """The newest live row, always from the embedded store."""
        return self._near.live(wearer, placement)


def with_influx(src: "Sources") -> "Sources":
    """The same sources with the series read from InfluxDB while it answers."""
    series = _reader(src.settings)
    fallback = series.probe()
    return replace(src, series=series, fallback=fallback, waiting=series.waiting)


@lru_cache(maxsize=4)
def _reader(settings: Settings) -> FallingBack:
    return FallingBack(open_store(settings), open_reader(settings))
