# SPDX-License-Identifier: Apache-2.0
"""The schema of `epochs.db`, step by step. `docs/data-formats.md` explains each column."""

import sqlite3

STATE_COLUMNS = tuple(f"s{code}" for code in range(8))


def first_schema(db: sqlite3.Connection) -> None:
    """Series, raw samples, epochs, events, rollups, the live row and the queues."""
    seconds = ", ".join(f"{c} INTEGER NOT NULL" for c in STATE_COLUMNS)
    for statement in (
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        """CREATE TABLE series (id INTEGER PRIMARY KEY, wearer TEXT NOT NULL,
            placement TEXT NOT NULL, UNIQUE (wearer, placement))""",
        "CREATE TABLE algo (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
        # Times in us; a block never crosses a minute, so a span is found by its start alone.
        """CREATE TABLE raw (id INTEGER PRIMARY KEY, series INTEGER NOT NULL,
            start_us INTEGER NOT NULL, end_us INTEGER NOT NULL, n INTEGER NOT NULL,
            packed INTEGER NOT NULL, data BLOB NOT NULL)""",
        "CREATE UNIQUE INDEX raw_time ON raw (series, start_us, end_us)",
        "CREATE INDEX raw_open ON raw (series, start_us) WHERE packed = 0",
        """CREATE TABLE epoch (series INTEGER NOT NULL, start_s INTEGER NOT NULL,
            state INTEGER NOT NULL, confidence INTEGER, trunk INTEGER NOT NULL,
            slouch INTEGER NOT NULL, tilt_deg INTEGER, side_deg INTEGER, slump_pct INTEGER,
            move_mg INTEGER, exercise INTEGER NOT NULL, worn INTEGER NOT NULL, valid INTEGER,
            algo INTEGER NOT NULL, PRIMARY KEY (series, start_s)) WITHOUT ROWID""",
        """CREATE TABLE transition (series INTEGER NOT NULL, at_ns INTEGER NOT NULL,
            kind TEXT NOT NULL, confidence REAL NOT NULL,
            PRIMARY KEY (series, at_ns, kind)) WITHOUT ROWID""",
        """CREATE TABLE exercise_set (series INTEGER NOT NULL, start_ns INTEGER NOT NULL,
            end_ns INTEGER NOT NULL, exercise INTEGER NOT NULL, reps INTEGER NOT NULL,
            hold_s REAL NOT NULL, confidence TEXT NOT NULL, source TEXT NOT NULL,
            PRIMARY KEY (series, start_ns)) WITHOUT ROWID""",
        # Key columns come first: SQLite 3.40 reports a NULL that is none where they do not.
        """CREATE TABLE gap (series INTEGER NOT NULL, start_ns INTEGER NOT NULL,
            reason TEXT NOT NULL, end_ns INTEGER NOT NULL,
            PRIMARY KEY (series, start_ns, reason)) WITHOUT ROWID""",
        f"""CREATE TABLE day (series INTEGER NOT NULL, day TEXT NOT NULL,
            start_ns INTEGER NOT NULL, tz_offset_s INTEGER NOT NULL, {seconds},
            metrics TEXT NOT NULL, detail TEXT NOT NULL,
            PRIMARY KEY (series, day)) WITHOUT ROWID""",
        f"""CREATE TABLE hour (series INTEGER NOT NULL, start_s INTEGER NOT NULL, {seconds},
            PRIMARY KEY (series, start_s)) WITHOUT ROWID""",
        """CREATE TABLE stale_day (series INTEGER NOT NULL, day TEXT NOT NULL,
            PRIMARY KEY (series, day)) WITHOUT ROWID""",
        """CREATE TABLE chain (series INTEGER PRIMARY KEY, through_ns INTEGER NOT NULL,
            state BLOB NOT NULL)""",
        "CREATE TABLE live (series INTEGER PRIMARY KEY, body TEXT NOT NULL)",
        """CREATE TABLE sensor (address TEXT PRIMARY KEY, wearer TEXT NOT NULL,
            placement TEXT NOT NULL, name TEXT NOT NULL, decoder TEXT NOT NULL,
            enabled INTEGER NOT NULL, added_ns INTEGER NOT NULL,
            options TEXT NOT NULL) WITHOUT ROWID""",
        """CREATE TABLE calibration (series INTEGER NOT NULL, from_ns INTEGER NOT NULL,
            kind TEXT NOT NULL, body TEXT NOT NULL,
            PRIMARY KEY (series, from_ns, kind)) WITHOUT ROWID""",
        """CREATE TABLE wearer_setting (wearer TEXT NOT NULL, key TEXT NOT NULL,
            value TEXT NOT NULL, PRIMARY KEY (wearer, key)) WITHOUT ROWID""",
        # What InfluxDB has not got yet, and what it has to forget.
        """CREATE TABLE dirty (series INTEGER NOT NULL, hour_s INTEGER NOT NULL,
            version INTEGER NOT NULL, since_ns INTEGER NOT NULL, from_ns INTEGER NOT NULL,
            PRIMARY KEY (series, hour_s)) WITHOUT ROWID""",
        """CREATE TABLE gone (series INTEGER NOT NULL, hour_s INTEGER NOT NULL,
            measurement TEXT NOT NULL, t_ns INTEGER NOT NULL, tag TEXT NOT NULL,
            PRIMARY KEY (series, hour_s, measurement, t_ns, tag)) WITHOUT ROWID""",
        "CREATE TABLE erasing (wearer TEXT PRIMARY KEY, asked_ns INTEGER NOT NULL) WITHOUT ROWID",
        """CREATE TABLE dead_letter (id INTEGER PRIMARY KEY, wearer TEXT NOT NULL,
            at_ns INTEGER NOT NULL, line TEXT NOT NULL, reason TEXT NOT NULL)""",
    ):
        db.execute(statement)


EPOCHS_STEPS = (first_schema,)
