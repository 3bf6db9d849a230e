# SPDX-License-Identifier: Apache-2.0
"""Reads of the series from InfluxDB, with the same answers as the embedded store.

Writes go through the embedded store and its queue: it is the source of truth. `live` is always read
locally. A server that is away is a StoreError with a sentence; callers fall back to SQLite.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from tracker.clock import SYSTEM_CLOCK, Clock
from tracker.errors import StoreError
from tracker.model import (
    SECOND_NS,
    Epochs,
    Exercise,
    ExerciseSet,
    Gap,
    GapReason,
    Live,
    Placement,
    State,
    Transition,
    TransitionKind,
)
from tracker.settings import Settings
from tracker.store.base import Batch, DayRow, HourRow
from tracker.store.codec import STEPS_PER_UNIT, VALUE_COLUMNS, epochs_from_integers
from tracker.store.influx_lines import UNKNOWN
from tracker.store.influx_sink import Sink
from tracker.store.influx_target import InfluxFault, InfluxTarget, Rows
from tracker.store.sqlite import SqliteStore, open_reader
from tracker.store.sqlite import open_store as open_embedded
from tracker.units import to_ns

DAY_NS = 86_400 * SECOND_NS
WINDOW_NS = 7 * DAY_NS  # epochs of one request: 120,960 rows
_FIRST, _LAST = 0, 1 << 62
_WHO = '"wearer" = $wearer AND "placement" = $placement'
_SPAN = f"{_WHO} AND time >= $start AND time < $end"
_STATES = ", ".join(f'"s_{s.label}"' for s in State)
_MORE = ', "detail"'
_DAY = f'{_STATES}, "metrics", "day", "tz_offset_s", "present"'


class InfluxStore:
    """The series of all wearers as InfluxDB has them."""

    def __init__(self, settings: Settings, clock: Clock = SYSTEM_CLOCK) -> None:
        self._settings = settings
        self._clock = clock
        self.target = InfluxTarget(settings)
        self._local = open_reader(settings)
        self._writer: SqliteStore | None = None

    def close(self) -> None:
        """Release connections and files."""
        self.target.close()
        self._local.close()
        if self._writer is not None:
            self._writer.close()

    def write(self, batch: Batch) -> None:
        """Store in the embedded store, then bring the queue to InfluxDB.

        StoreBusy where a collector runs (it does this itself), StoreError where InfluxDB is away:
        the batch is then kept and queued.
        """
        writer = self._embedded()
        writer.write(batch)
        self._drain(writer)

    def erase(self, wearer: str) -> int:
        """Delete everything of one wearer here and there; the number of local rows deleted."""
        writer = self._embedded()
        count = writer.erase(wearer)
        self._drain(writer)
        return count

    def _embedded(self) -> SqliteStore:
        if self._writer is None:
            self._writer = open_embedded(self._settings, self._clock)
        return self._writer

    def _drain(self, writer: SqliteStore) -> None:
        try:
            Sink(writer, self.target, self._clock).drain()
        except InfluxFault as fault:
            raise StoreError(f"{fault}; it is kept here and sent later") from fault

    def wearers(self) -> Sequence[tuple[str, Placement]]:
        """Every (wearer, placement) with a day of data, sorted."""
        found = self._rows(
            'SELECT last("present") AS "present" FROM "day" GROUP BY "wearer", "placement"', {}
        )
        kept = [s.tags for s in found if s.dicts()[0]["present"] == 1]
        return sorted((t["wearer"], Placement(t["placement"])) for t in kept)

    def epochs(self, wearer: str, placement: Placement, start_ns: int, end_ns: int) -> Epochs:
        """Epochs that start in the span; `algo` is that of the last one."""
        span = self._bounds("epoch", "state", wearer, placement, start_ns, end_ns)
        names = ", ".join(f'"{c}"' for c in (*VALUE_COLUMNS, "algo"))
        statement = f'SELECT {names} FROM "epoch" WHERE {_SPAN}'  # noqa: S608 - values are bound
        rows: list[Sequence[Any]] = []
        begin = span[0]
        while begin < span[1]:
            end = min(begin + WINDOW_NS, span[1])
            params = _who(wearer, placement) | {"start": begin, "end": end}
            for series in self._rows(statement, params, "s"):
                rows += [r for r in series.values if r[1] >= 0]
            begin = end
        if not rows:
            return Epochs.empty()
        table = np.empty((len(rows), len(VALUE_COLUMNS) + 1), np.int64)
        columns = list(zip(*rows, strict=True))
        table[:, 0] = columns[0]
        for i, name in enumerate(VALUE_COLUMNS, start=1):
            values = np.array(columns[i], np.float64)
            steps = STEPS_PER_UNIT.get(name)
            table[:, i] = values if steps is None else _steps(values, steps)
        return epochs_from_integers(table, str(columns[-1][-1]))

    def _bounds(
        self, measurement: str, field: str, wearer: str, placement: Placement, a: int, b: int
    ) -> tuple[int, int]:
        """The part of a span that can hold data, so that an open span needs few requests."""
        params = _who(wearer, placement) | {"start": _clip(a), "end": _clip(b)}
        ends = []
        for which in ("first", "last"):
            statement = f'SELECT {which}("{field}") FROM "{measurement}" WHERE {_SPAN}'  # noqa: S608
            found = self._rows(statement, params)
            if not found:
                return 0, 0
            ends.append(int(found[0].values[0][0]))
        return max(ends[0], _clip(a)), min(ends[1] + 1, _clip(b))

    def transitions(
        self, wearer: str, placement: Placement, start_ns: int, end_ns: int
    ) -> Sequence[Transition]:
        """Transitions in the span, in time order."""
        found = self._span(
            f'SELECT "kind", "confidence", "present" FROM "transition" WHERE {_SPAN}',  # noqa: S608
            (wearer, placement, start_ns, end_ns),
        )
        return [
            Transition(
                at_ns=r["time"], kind=TransitionKind(r["kind"]), confidence=float(r["confidence"])
            )
            for r in sorted(found, key=lambda r: (r["time"], r["kind"]))
        ]

    def sets(
        self, wearer: str, placement: Placement, start_ns: int, end_ns: int
    ) -> Sequence[ExerciseSet]:
        """Exercise sets that start in the span, in time order."""
        found = self._span(
            'SELECT "end_ns", "exercise", "reps", "hold_s", "confidence", "source", '  # noqa: S608
            f'"present" FROM "exercise_set" WHERE {_SPAN}',
            (wearer, placement, start_ns, end_ns),
        )
        return [
            ExerciseSet(
                start_ns=r["time"],
                end_ns=r["end_ns"],
                exercise=Exercise(r["exercise"]),
                reps=r["reps"],
                hold_s=float(r["hold_s"]),
                confidence=r["confidence"],
                source=r["source"],
            )
            for r in found
        ]

    def gaps(self, wearer: str, placement: Placement, start_ns: int, end_ns: int) -> Sequence[Gap]:
        """Gaps that touch the span, in time order."""
        found = self._span(
            f'SELECT "reason", "end_ns", "present" FROM "gap" WHERE {_WHO} AND time < $end '  # noqa: S608
            'AND "end_ns" > $start',
            (wearer, placement, start_ns, end_ns),
        )
        return [
            Gap(start_ns=r["time"], end_ns=r["end_ns"], reason=GapReason(r["reason"]))
            for r in sorted(found, key=lambda r: (r["time"], r["reason"]))
        ]

    def days(self, wearer: str, placement: Placement, first: str, last: str) -> Sequence[DayRow]:
        """Day rollups, both days included (ISO dates)."""
        span = (_day_ns(first) - DAY_NS, _day_ns(last) + 2 * DAY_NS)
        found = self._span(
            f'SELECT {_DAY}{_MORE} FROM "day" WHERE {_SPAN}',  # noqa: S608
            (wearer, placement, *span),
        )
        return [_day_row(wearer, placement, r) for r in found if first <= r["day"] <= last]

    def days_of(
        self,
        series: Sequence[tuple[str, Placement]],
        first: str,
        last: str,
        *,
        detail: bool = True,
    ) -> dict[tuple[str, Placement], Sequence[DayRow]]:
        """Day rollups of many series in one request, told apart by their tags."""
        span = {"start": _day_ns(first) - DAY_NS, "end": _day_ns(last) + 2 * DAY_NS}
        found: dict[tuple[str, Placement], list[DayRow]] = {key: [] for key in series}
        statement = (
            f'SELECT {_DAY}{_MORE if detail else ""} FROM "day" '  # noqa: S608
            "WHERE time >= $start AND time < $end "
            'GROUP BY "wearer", "placement"'
        )
        for rows in self._rows(statement, dict(span)):
            key = (rows.tags["wearer"], Placement(rows.tags["placement"]))
            if key in found:
                found[key] = [
                    _day_row(*key, r)
                    for r in rows.dicts()
                    if r["present"] == 1 and first <= r["day"] <= last
                ]
        return dict(found)

    def hours(
        self, wearer: str, placement: Placement, start_ns: int, end_ns: int
    ) -> Sequence[HourRow]:
        """Hour rollups that start in the span (UTC hours)."""
        found = self._span(
            f'SELECT {_STATES} FROM "hour" WHERE {_SPAN}',  # noqa: S608
            (wearer, placement, start_ns, end_ns),
        )
        return [
            HourRow(start_ns=r["time"], seconds=_seconds(r))
            for r in found
            if any(_seconds(r).values())
        ]

    def live(self, wearer: str, placement: Placement) -> Live | None:
        """The newest live row, from the embedded store."""
        return self._local.live(wearer, placement)

    def _span(
        self, statement: str, values: tuple[str, Placement, int, int]
    ) -> list[dict[str, Any]]:
        wearer, placement, start_ns, end_ns = values
        params = _who(wearer, placement) | {"start": _clip(start_ns), "end": _clip(end_ns)}
        rows = [r for series in self._rows(statement, params) for r in series.dicts()]
        return [r for r in rows if r.get("present", 1) == 1]

    def _rows(self, statement: str, params: dict[str, object], epoch: str = "ns") -> list[Rows]:
        try:
            return self.target.query(statement, params, epoch)
        except InfluxFault as fault:
            raise StoreError(str(fault)) from fault


def open_store(settings: Settings, clock: Clock = SYSTEM_CLOCK) -> InfluxStore:
    """The store at `settings.influx_url`; StoreError where `backstay[influx]` is not installed."""
    return InfluxStore(settings, clock)


def _who(wearer: str, placement: Placement) -> dict[str, object]:
    return {"wearer": wearer, "placement": str(placement)}


def _clip(t_ns: int) -> int:
    return min(max(t_ns, _FIRST), _LAST)


def _steps(values: Any, steps: int) -> Any:
    return np.where(values == UNKNOWN, UNKNOWN, np.round(values * steps))


def _day_row(wearer: str, placement: Placement, row: dict[str, Any]) -> DayRow:
    return DayRow(
        wearer=wearer,
        placement=placement,
        day=row["day"],
        start_ns=row["time"],
        tz_offset_s=row["tz_offset_s"],
        seconds=_seconds(row),
        values=json.loads(row["metrics"]) | json.loads(row.get("detail") or "{}"),
    )


def _seconds(row: dict[str, Any]) -> dict[str, int]:
    return {s.label: int(row[f"s_{s.label}"]) for s in State}


def _day_ns(day: str) -> int:
    from datetime import UTC, datetime

    year = min(max(day, "1970-01-02"), "2200-01-01")
    return to_ns(datetime.fromisoformat(year).replace(tzinfo=UTC))
