# SPDX-License-Identifier: Apache-2.0
"""Reads of the series in `epochs.db`."""

import json
from collections.abc import Sequence
from datetime import date

import numpy as np

from tracker.errors import StoreError
from tracker.model import (
    MICROSECOND_NS,
    SECOND_NS,
    Epochs,
    Exercise,
    ExerciseSet,
    Gap,
    GapReason,
    Live,
    Placement,
    Samples,
    State,
    Transition,
    TransitionKind,
)
from tracker.store.base import DayRow, HourRow
from tracker.store.codec import (
    NONE,
    STEPS_PER_UNIT,
    VALUE_COLUMNS,
    epochs_from_integers,
    join_samples,
    live_from_json,
    unpack_samples,
)
from tracker.store.rollup import day_row
from tracker.store.sqlite_open import series_of
from tracker.store.sqlite_schema import STATE_COLUMNS
from tracker.store.sqlite_small import SmallTables

MINUTE_US = 60_000_000
_STATES = ", ".join(STATE_COLUMNS)
_EPOCH_VALUES = ", ".join(
    f"coalesce({c}, {NONE})" if c in STEPS_PER_UNIT else c for c in VALUE_COLUMNS
)


class SqliteReader(SmallTables):
    """Every read of the series; safe to share between threads."""

    def wearers(self) -> Sequence[tuple[str, Placement]]:
        """Every (wearer, placement) with data, sorted."""
        with self._reading() as db:
            rows = db.execute("SELECT wearer, placement FROM series ORDER BY 1, 2").fetchall()
        return [(w, Placement(p)) for w, p in rows]

    def epochs(self, wearer: str, placement: Placement, start_ns: int, end_ns: int) -> Epochs:
        """Epochs that start in the span; `algo` is that of the last one."""
        with self._reading() as db:
            sid = series_of(db, wearer, placement)
            span = (sid, _ceil(start_ns), _ceil(end_ns))
            rows = db.execute(
                f"SELECT start_s, {_EPOCH_VALUES} FROM epoch "  # noqa: S608 - names of ours
                "WHERE series = ? AND start_s >= ? AND start_s < ? ORDER BY start_s",
                span,
            ).fetchall()
            if not rows:
                return Epochs.empty()
            (algo,) = db.execute(
                "SELECT a.name FROM epoch e JOIN algo a ON a.id = e.algo "
                "WHERE e.series = ? AND e.start_s = ?",
                (sid, rows[-1][0]),
            ).fetchone()
        return epochs_from_integers(np.array(rows, np.int64), algo)

    def transitions(
        self, wearer: str, placement: Placement, start_ns: int, end_ns: int
    ) -> Sequence[Transition]:
        """Transitions in the span, in time order."""
        rows = self._span(
            "SELECT at_ns, kind, confidence FROM transition "
            "WHERE series = ? AND at_ns >= ? AND at_ns < ? ORDER BY at_ns, kind",
            (wearer, placement, start_ns, end_ns),
        )
        return [Transition(at_ns=t, kind=TransitionKind(k), confidence=c) for t, k, c in rows]

    def sets(
        self, wearer: str, placement: Placement, start_ns: int, end_ns: int
    ) -> Sequence[ExerciseSet]:
        """Exercise sets that start in the span, in time order."""
        rows = self._span(
            "SELECT start_ns, end_ns, exercise, reps, hold_s, confidence, source "
            "FROM exercise_set WHERE series = ? AND start_ns >= ? AND start_ns < ? "
            "ORDER BY start_ns",
            (wearer, placement, start_ns, end_ns),
        )
        return [
            ExerciseSet(
                start_ns=a, end_ns=b, exercise=Exercise(e), reps=r, hold_s=h, confidence=c, source=s
            )
            for a, b, e, r, h, c, s in rows
        ]

    def gaps(self, wearer: str, placement: Placement, start_ns: int, end_ns: int) -> Sequence[Gap]:
        """Gaps that touch the span, in time order."""
        rows = self._span(
            "SELECT start_ns, end_ns, reason FROM gap "
            "WHERE series = ? AND end_ns > ? AND start_ns < ? ORDER BY start_ns, reason",
            (wearer, placement, start_ns, end_ns),
        )
        return [Gap(start_ns=a, end_ns=b, reason=GapReason(r)) for a, b, r in rows]

    def days(self, wearer: str, placement: Placement, first: str, last: str) -> Sequence[DayRow]:
        """Day rollups. A changed day without a stored row is worked out on the way."""
        return self.days_of([(wearer, placement)], first, last)[(wearer, placement)]

    def days_of(
        self,
        series: Sequence[tuple[str, Placement]],
        first: str,
        last: str,
        *,
        detail: bool = True,
    ) -> dict[tuple[str, Placement], Sequence[DayRow]]:
        """Day rollups of many series at once; without `detail` single numbers alone."""
        found: dict[tuple[str, Placement], dict[str, DayRow]] = {key: {} for key in series}
        with self._reading() as db:
            ids = {series_of(db, *key): key for key in found}
            values = (json.dumps([*ids]), first, last)
            where = (
                "WHERE series IN (SELECT value FROM json_each(?)) AND day >= ? AND day <= ? "
                "ORDER BY series, day"
            )
            rows = db.execute(
                f"SELECT series, day, start_ns, tz_offset_s, metrics, "  # noqa: S608
                f"{'detail' if detail else 'NULL'}, {_STATES} FROM day {where}",
                values,
            ).fetchall()
            stale = db.execute(f"SELECT series, day FROM stale_day {where}", values).fetchall()  # noqa: S608
        for sid, day, start_ns, offset, metrics, more, *states in rows:
            wearer, placement = ids[sid]
            found[ids[sid]][day] = DayRow(
                wearer=wearer,
                placement=placement,
                day=day,
                start_ns=start_ns,
                tz_offset_s=offset,
                seconds=_seconds(states),
                values=json.loads(metrics) | (json.loads(more) if more else {}),
            )
        for sid, day in stale:
            if day not in found[ids[sid]]:
                wearer, placement = ids[sid]
                tz = self.zone_of(wearer)
                row = day_row(self, wearer, placement, date.fromisoformat(day), tz)
                if row is not None:
                    found[ids[sid]][day] = row
        return {key: [rows[day] for day in sorted(rows)] for key, rows in found.items()}

    def hours(
        self, wearer: str, placement: Placement, start_ns: int, end_ns: int
    ) -> Sequence[HourRow]:
        """Hour rollups that start in the span (UTC hours)."""
        rows = self._span(
            f"SELECT start_s, {_STATES} FROM hour "  # noqa: S608 - names of ours
            "WHERE series = ? AND start_s >= ? AND start_s < ? ORDER BY start_s",
            (wearer, placement, _ceil(start_ns), _ceil(end_ns)),
        )
        return [HourRow(start_ns=s * SECOND_NS, seconds=_seconds(states)) for s, *states in rows]

    def live(self, wearer: str, placement: Placement) -> Live | None:
        """The newest live row, or None."""
        rows = self._span("SELECT body FROM live WHERE series = ?", (wearer, placement))
        return live_from_json(rows[0][0]) if rows else None

    def raw(self, wearer: str, placement: Placement, start_ns: int, end_ns: int) -> Samples:
        """Raw samples in the span, in the sensor's frame, bit for bit as they were written."""
        first = -(-start_ns // MICROSECOND_NS)
        last = -(-end_ns // MICROSECOND_NS)
        rows = self._span(
            "SELECT data FROM raw WHERE series = ? AND start_us >= ? AND start_us < ? "
            "AND end_us >= ? ORDER BY start_us",
            (wearer, placement, first - first % MINUTE_US, last, first),
        )
        joined = join_samples([unpack_samples(block) for (block,) in rows])
        a, b = np.searchsorted(joined.t_ns, [start_ns, end_ns])
        return joined[int(a) : int(b)]

    def raw_spans(
        self, wearer: str, placement: Placement, start_ns: int = 0, end_ns: int = 1 << 62
    ) -> Sequence[tuple[int, int]]:
        """(first, last) sample time of each stretch of raw; holes above 2 s part them."""
        rows = self._span(
            "SELECT start_us, end_us FROM raw WHERE series = ? AND end_us >= ? AND start_us < ? "
            "ORDER BY start_us",
            (wearer, placement, start_ns // MICROSECOND_NS, end_ns // MICROSECOND_NS),
        )
        spans: list[tuple[int, int]] = []
        for start_us, end_us in rows:
            a, b = start_us * MICROSECOND_NS, end_us * MICROSECOND_NS
            if spans and a - spans[-1][1] <= 2 * SECOND_NS:
                spans[-1] = (spans[-1][0], max(b, spans[-1][1]))
            else:
                spans.append((a, b))
        return spans

    def chain_state(self, wearer: str, placement: Placement) -> tuple[int, bytes] | None:
        """The chain's state and the time of the last raw sample it has seen.

        After a crash: load it, then replay `raw(wearer, placement, through_ns + 1, ...)`.
        """
        rows = self._span(
            "SELECT through_ns, state FROM chain WHERE series = ?", (wearer, placement)
        )
        return (int(rows[0][0]), bytes(rows[0][1])) if rows else None

    def integrity(self) -> Sequence[str]:
        """What is wrong with the file, one sentence each; empty when nothing is.

        Reads every page and every block of raw samples.
        """
        with self._reading() as db:
            rows = db.execute("PRAGMA integrity_check").fetchall()
            found = [f"{self.path}: {text}" for (text,) in rows if text != "ok"]
            for key, block in db.execute("SELECT id, data FROM raw"):
                try:
                    unpack_samples(block)
                except StoreError as error:
                    found.append(f"{self.path}: raw block {key}: {error}")
        return found


_LABELS = tuple(s.label for s in State)


def _seconds(states: Sequence[int]) -> dict[str, int]:
    return dict(zip(_LABELS, states, strict=True))


def _ceil(t_ns: int) -> int:
    return -(-t_ns // SECOND_NS)
