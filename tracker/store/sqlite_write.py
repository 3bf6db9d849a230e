# SPDX-License-Identifier: Apache-2.0
"""The single writes of `epochs.db`; each runs inside the transaction of its caller."""

import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np

from tracker.errors import InputError
from tracker.model import (
    EPOCH_NS,
    EPOCH_S,
    SECOND_NS,
    Epochs,
    Live,
    Placement,
)
from tracker.store.base import Batch, DayRow
from tracker.store.codec import (
    NONE,
    STEPS_PER_UNIT,
    VALUE_COLUMNS,
    epoch_integers,
    live_json,
    split_values,
)
from tracker.store.sqlite_schema import STATE_COLUMNS
from tracker.units import local_date

HOUR_S = 3600
_PSEUDONYM = re.compile(r"[A-Za-z0-9._-]{1,64}")  # safe in tags, queries and file names
HOUR_NS = HOUR_S * SECOND_NS


@dataclass(slots=True)
class Touched:
    """Which stretches of time one batch changed; hours and local days follow from it."""

    spans: list[tuple[int, int]] = field(default_factory=list)

    def add(self, start_ns: int, end_ns: int) -> None:
        """A half-open span that changed."""
        self.spans.append((start_ns, max(end_ns, start_ns + 1)))

    def end_ns(self) -> int:
        """End of the newest change."""
        return max(end for _, end in self.spans)

    def hours(self) -> dict[int, int]:
        """UTC hours (s) that changed, and the first change in each (ns)."""
        found: dict[int, int] = {}
        for a, b in self.spans:
            for hour in range(a // HOUR_NS, (b - 1) // HOUR_NS + 1):
                begin = max(a, hour * HOUR_NS)
                found[hour * HOUR_S] = min(begin, found.get(hour * HOUR_S, begin))
        return found

    def days(self, tz: ZoneInfo) -> set[str]:
        """Local days that changed."""
        found: set[str] = set()
        for a, b in self.spans:
            day, last = local_date(a, tz), local_date(b - 1, tz)
            while day <= last:
                found.add(day.isoformat())
                day += timedelta(days=1)
        return found


def series_id(db: sqlite3.Connection, wearer: str, placement: Placement) -> int:
    """Id of a series, made when it is new."""
    key = (wearer, str(placement))
    row = db.execute("SELECT id FROM series WHERE wearer = ? AND placement = ?", key).fetchone()
    if row is None:
        if not _PSEUDONYM.fullmatch(wearer):
            raise InputError(
                f"{wearer!r} cannot name a wearer: use up to 64 letters, digits, dots, dashes or "
                "underscores, and no real name"
            )
        cursor = db.execute("INSERT INTO series (wearer, placement) VALUES (?, ?)", key)
        return int(cursor.lastrowid or 0)
    return int(row[0])


def delete_results(
    db: sqlite3.Connection, sid: int, span: tuple[int, int], touched: Touched, *, remember: bool
) -> None:
    """Make room for a re-analysis: epochs, transitions and sets of the span go.

    Sets that a person confirmed or corrected stay. `remember` keeps a note of what InfluxDB has
    to forget.
    """
    start_ns, end_ns = span
    seconds = (sid, -(-start_ns // SECOND_NS), -(-end_ns // SECOND_NS))
    inside = (
        ("epoch", "start_s", f"start_s * {SECOND_NS}", "''", "", seconds),
        ("transition", "at_ns", "at_ns", "kind", "", (sid, *span)),
        ("exercise_set", "start_ns", "start_ns", "''", "AND source = 'sensor'", (sid, *span)),
    )
    for table, column, t_ns, tag, extra, values in inside:
        where = f"series = ? AND {column} >= ? AND {column} < ? {extra}"
        if remember:
            db.execute(
                "INSERT OR IGNORE INTO gone SELECT series, "  # noqa: S608 - names of ours
                f"({t_ns}) / {HOUR_NS} * {HOUR_S}, '{table}', {t_ns}, {tag} "
                f"FROM {table} WHERE {where}",
                values,
            )
        ends = db.execute(
            f"SELECT min({t_ns}), max({t_ns}) FROM {table} WHERE {where}",  # noqa: S608
            values,
        ).fetchone()
        if ends[0] is not None:
            touched.add(ends[0], ends[1] + 1)
        db.execute(f"DELETE FROM {table} WHERE {where}", values)  # noqa: S608


def put_epochs(db: sqlite3.Connection, sid: int, epochs: Epochs, touched: Touched) -> None:
    """Insert or overwrite epochs."""
    db.execute("INSERT OR IGNORE INTO algo (name) VALUES (?)", (epochs.algo,))
    (algo,) = db.execute("SELECT id FROM algo WHERE name = ?", (epochs.algo,)).fetchone()
    columns = epoch_integers(epochs)
    values = [
        [None if v == NONE else v for v in columns[c].tolist()]
        if c in STEPS_PER_UNIT
        else columns[c].tolist()
        for c in VALUE_COLUMNS
    ]
    n = len(epochs)
    db.executemany(
        f"INSERT OR REPLACE INTO epoch VALUES (?, ?{', ?' * (len(VALUE_COLUMNS) + 1)})",  # noqa: S608
        zip([sid] * n, columns["start_s"].tolist(), *values, [algo] * n, strict=True),
    )
    # Hour by hour, so that a table with holes marks few of them.
    first, last = int(epochs.start_ns[0]), int(epochs.start_ns[-1]) + EPOCH_NS
    for hour in np.unique(epochs.start_ns // HOUR_NS).tolist():
        touched.add(max(hour * HOUR_NS, first), min((hour + 1) * HOUR_NS, last))


def put_events(db: sqlite3.Connection, sid: int, batch: Batch, touched: Touched) -> None:
    """Insert or overwrite transitions, sets and gaps."""
    for t in batch.transitions:
        db.execute(
            "INSERT OR REPLACE INTO transition VALUES (?, ?, ?, ?)",
            (sid, t.at_ns, str(t.kind), t.confidence),
        )
        touched.add(t.at_ns, t.at_ns + 1)
    for s in batch.sets:
        if s.source == "sensor" and _told_by_person(db, sid, s.start_ns, s.end_ns):
            continue
        if s.source != "sensor":  # what a person says replaces what the sensor saw there
            db.execute(
                "DELETE FROM exercise_set WHERE series = ? AND start_ns < ? AND end_ns > ?",
                (sid, s.end_ns, s.start_ns),
            )
        db.execute(
            "INSERT OR REPLACE INTO exercise_set VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                sid,
                s.start_ns,
                s.end_ns,
                int(s.exercise),
                s.reps,
                s.hold_s,
                s.confidence,
                s.source,
            ),
        )
        touched.add(s.start_ns, s.start_ns + 1)
    for g in batch.gaps:
        db.execute(
            "INSERT OR REPLACE INTO gap VALUES (?, ?, ?, ?)",
            (sid, g.start_ns, str(g.reason), g.end_ns),
        )
        touched.add(g.start_ns, g.start_ns + 1)


def _told_by_person(db: sqlite3.Connection, sid: int, start_ns: int, end_ns: int) -> bool:
    found = db.execute(
        "SELECT 1 FROM exercise_set WHERE series = ? AND start_ns < ? AND end_ns > ? "
        "AND source <> 'sensor'",
        (sid, end_ns, start_ns),
    ).fetchone()
    return found is not None


def put_chain(db: sqlite3.Connection, sid: int, batch: Batch) -> None:
    """Keep the chain's state and how far its samples reach."""
    through = batch.chain_through_ns
    if through is None:
        through = 0 if batch.raw is None or not len(batch.raw) else int(batch.raw.t_ns[-1])
    db.execute(
        "INSERT INTO chain VALUES (?, ?, ?) ON CONFLICT (series) DO UPDATE SET "
        "through_ns = max(through_ns, excluded.through_ns), state = excluded.state",
        (sid, through, batch.chain_state),
    )


def put_live(db: sqlite3.Connection, sid: int, live: Live) -> None:
    """Replace the live row."""
    db.execute("INSERT OR REPLACE INTO live VALUES (?, ?)", (sid, live_json(live)))


def roll_hours(db: sqlite3.Connection, sid: int, hours: Iterable[int]) -> None:
    """Work out the rollups of UTC hours."""
    sums = ", ".join(f"sum(state = {code}) * {EPOCH_S}" for code in range(len(STATE_COLUMNS)))
    for hour in sorted(hours):
        span = (sid, hour, hour + HOUR_S)
        db.execute("DELETE FROM hour WHERE series = ? AND start_s = ?", (sid, hour))
        db.execute(
            f"INSERT INTO hour SELECT series, {hour}, {sums} FROM epoch "  # noqa: S608
            "WHERE series = ? AND start_s >= ? AND start_s < ? GROUP BY series",
            span,
        )


def mark_stale(db: sqlite3.Connection, sid: int, days: set[str]) -> None:
    """Note that rollups of local days have to be worked out again."""
    db.executemany("INSERT OR IGNORE INTO stale_day VALUES (?, ?)", [(sid, d) for d in days])


def stale_everything(db: sqlite3.Connection, wearer: str, tz: ZoneInfo) -> None:
    """A new time zone: forget all day rollups of a wearer and mark the days that follow."""
    ids = db.execute("SELECT id FROM series WHERE wearer = ?", (wearer,)).fetchall()
    for (sid,) in ids:
        hours = db.execute("SELECT start_s FROM hour WHERE series = ?", (sid,)).fetchall()
        touched = Touched([(h * SECOND_NS, (h + HOUR_S) * SECOND_NS) for (h,) in hours])
        db.execute("DELETE FROM day WHERE series = ?", (sid,))
        mark_stale(db, sid, touched.days(tz))


def put_day(db: sqlite3.Connection, sid: int, day: str, row: DayRow | None) -> None:
    """Insert, overwrite or (None) remove the rollup of one local day."""
    if row is None:
        db.execute("DELETE FROM day WHERE series = ? AND day = ?", (sid, day))
        return
    places = ", ?" * len(STATE_COLUMNS)
    db.execute(
        f"INSERT OR REPLACE INTO day VALUES (?, ?, ?, ?{places}, ?, ?)",  # noqa: S608
        (
            sid,
            day,
            row.start_ns,
            row.tz_offset_s,
            *row.seconds.values(),
            *split_values(row.values),
        ),
    )


def erase(db: sqlite3.Connection, wearer: str) -> int:
    """Delete everything of one wearer; the number of rows deleted."""
    count = 0
    of_series = (
        "raw", "epoch", "transition", "exercise_set", "gap", "day", "hour", "stale_day", "chain",
        "live", "calibration", "dirty", "gone",
    )  # fmt: skip
    for (sid,) in db.execute("SELECT id FROM series WHERE wearer = ?", (wearer,)).fetchall():
        for table in of_series:
            count += db.execute(f"DELETE FROM {table} WHERE series = ?", (sid,)).rowcount  # noqa: S608
    for table in ("series", "sensor", "wearer_setting", "dead_letter"):
        count += db.execute(f"DELETE FROM {table} WHERE wearer = ?", (wearer,)).rowcount  # noqa: S608
    # What waited for its rotation when a process died stands under a name that tells nobody whose.
    count += db.execute("DELETE FROM meta WHERE key LIKE 'waiting:%' AND value <> ''").rowcount
    return count
