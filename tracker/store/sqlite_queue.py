# SPDX-License-Identifier: Apache-2.0
"""The queue for InfluxDB: hours that changed, and rows it has to forget."""

import sqlite3
from collections.abc import Mapping

from tracker.model import SECOND_NS
from tracker.store.sqlite_write import HOUR_NS, HOUR_S

MOST_DEAD_LETTERS = 5_000


def mark_dirty(
    db: sqlite3.Connection, sid: int, hours: Mapping[int, int], version: int, now_ns: int
) -> None:
    """Queue hours (s, first change in ns) for InfluxDB.

    A queued hour gets a new version, keeps its age and reaches back to its earliest change.
    """
    db.executemany(
        "INSERT INTO dirty VALUES (?, ?, ?, ?, ?) ON CONFLICT (series, hour_s) DO UPDATE SET "
        "version = excluded.version, from_ns = min(from_ns, excluded.from_ns)",
        [(sid, hour, version, now_ns, first) for hour, first in hours.items()],
    )


def mark_all_dirty(db: sqlite3.Connection, version: int, now_ns: int) -> int:
    """Queue every hour that has anything; the number of hours."""
    parts = (
        "SELECT series, start_s AS hour_s FROM hour",
        *(
            f"SELECT series, {column} / {HOUR_NS} * {HOUR_S} FROM {table}"  # noqa: S608
            for table, column in (
                ("transition", "at_ns"),
                ("exercise_set", "start_ns"),
                ("gap", "start_ns"),
            )
        ),
    )
    return db.execute(
        "INSERT OR REPLACE INTO dirty SELECT series, hour_s, ?, ?, 0 FROM "  # noqa: S608
        f"({' UNION '.join(parts)})",
        (version, now_ns),
    ).rowcount


def forget_gone(db: sqlite3.Connection, sid: int) -> None:
    """What was deleted and written again is not gone."""
    for table, key in (
        ("epoch", f"start_s * {SECOND_NS} = g.t_ns"),
        ("transition", "at_ns = g.t_ns AND kind = g.tag"),
        ("exercise_set", "start_ns = g.t_ns"),
    ):
        db.execute(
            "DELETE FROM gone AS g WHERE g.series = ? AND g.measurement = ? AND EXISTS "  # noqa: S608
            f"(SELECT 1 FROM {table} AS t WHERE t.series = g.series AND {key})",
            (sid, table),
        )


def clear_dirty(db: sqlite3.Connection, sid: int, hour_s: int, version: int) -> None:
    """Take an hour off the queue, and what had to be forgotten with it."""
    done = db.execute(
        "DELETE FROM dirty WHERE series = ? AND hour_s = ? AND version = ?", (sid, hour_s, version)
    ).rowcount
    if done:
        db.execute("DELETE FROM gone WHERE series = ? AND hour_s = ?", (sid, hour_s))


def put_dead_letter(
    db: sqlite3.Connection, wearer: str, line: str, reason: str, now_ns: int
) -> None:
    """Keep a refused line in place of an older one of the same point; the oldest go first."""
    head, time = line.partition(" ")[0] + " ", line.rpartition(" ")[2]
    db.execute(
        "DELETE FROM dead_letter WHERE wearer = ? AND substr(line, 1, ?) = ? AND "
        "substr(line, ?) = ?",
        (wearer, len(head), head, -len(time) - 1, f" {time}"),
    )
    db.execute(
        "INSERT INTO dead_letter (wearer, at_ns, line, reason) VALUES (?, ?, ?, ?)",
        (wearer, now_ns, line, reason),
    )
    db.execute(
        "DELETE FROM dead_letter WHERE id <= (SELECT max(id) FROM dead_letter) - ?",
        (MOST_DEAD_LETTERS,),
    )
