# SPDX-License-Identifier: Apache-2.0
"""A practice's history in `epochs.db`, built fast enough to be built at all.

90 days are simulated once; every wearer gets them turned by another number of days, copied inside
SQLite (`INSERT ... SELECT` in the order of the key). 200 wearers are some 185 million epochs: ten
times as fast as writing them one batch after the other, and the same rows that `write` makes.
"""

import sqlite3
import sys
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np

from tracker.model import SECOND_NS, Placement
from tracker.simulation.history import history
from tracker.store import sqlite_write as rows
from tracker.store.base import Batch, DayRow
from tracker.store.sqlite import SqliteStore
from tracker.store.sqlite_schema import STATE_COLUMNS
from tracker.units import from_ns

P = Placement.UPPER_BACK
ZONE = ZoneInfo("Europe/Berlin")
END_NS = 1_795_474_800 * SECOND_NS  # 2026-11-24 00:00 in Berlin
DAY_S = 86_400
_STATES = ", ".join(STATE_COLUMNS)
_VALUES = (
    "state, confidence, trunk, slouch, tilt_deg, side_deg, slump_pct, move_mg, exercise, worn, "
    "valid, algo"
)


def name_of(wearer: int) -> str:
    """Pseudonym of a wearer."""
    return f"w-{wearer:03d}"


def fill(store: SqliteStore, wearers: int, days: int, full: int) -> list[DayRow]:
    """Day rollups of everybody, hours and every epoch of `full` wearers; the rows of all days."""
    made = history(np.random.default_rng(7), days, ZONE, last_day=from_ns(END_NS - 1, ZONE).date())
    store.write(Batch(wearer=name_of(0), placement=P, epochs=made.epochs, sets=made.sets))
    store.refresh()
    return turned_days(store, wearers, days, full)


def turned_days(store: SqliteStore, wearers: int, days: int, full: int = 0) -> list[DayRow]:
    """The days of the first wearer for all others, each turned by another number of days."""
    template = list(store.days(name_of(0), P, "0000-01-01", "9999-12-31"))
    everything: list[DayRow] = []
    for w in range(wearers):
        with store._writing() as db:  # noqa: SLF001 - below the batches on purpose
            sid = rows.series_id(db, name_of(w), P)
            for i, row in enumerate(template):
                other = template[(i + w) % len(template)]
                mine = replace(row, wearer=name_of(w), seconds=other.seconds, values=other.values)
                rows.put_day(db, sid, row.day, mine)
                everything.append(mine)
            if 0 < w < full:
                _copy_turned(db, sid, w % days, days)
        if w % 20 == 19 and w < full:
            store.checkpoint()
            print(f"  epochs of {w + 1} wearers", file=sys.stderr)
    store.checkpoint()
    return everything


def _copy_turned(db: sqlite3.Connection, sid: int, turn: int, days: int) -> None:
    """Epochs and hours of the first wearer for another one, `turn` days earlier, wrapped around."""
    first = END_NS // SECOND_NS - days * DAY_S
    cut = first + turn * DAY_S
    for low, high, shift in ((cut, 1 << 40, -turn * DAY_S), (0, cut, (days - turn) * DAY_S)):
        for table, columns in (("epoch", _VALUES), ("hour", _STATES)):
            db.execute(
                f"INSERT OR REPLACE INTO {table} SELECT ?, start_s + ?, {columns} "  # noqa: S608
                f"FROM {table} WHERE series = 1 AND start_s >= ? AND start_s < ? ORDER BY start_s",
                (sid, shift, low, high),
            )


def rows_in(store: SqliteStore) -> int:
    """Number of epochs in the file."""
    with store._reading() as db:  # noqa: SLF001 - a count that no page needs
        return int(db.execute("SELECT count(*) FROM epoch").fetchone()[0])
