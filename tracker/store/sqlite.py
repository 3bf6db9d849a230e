# SPDX-License-Identifier: Apache-2.0
"""The embedded store `epochs.db`: the source of truth, written by one process.

Every write is one transaction that is on the disk when `write` returns (WAL, synchronous=FULL).
"""

import json
import random
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path

from tracker.clock import SYSTEM_CLOCK, Clock
from tracker.model import SECOND_NS, Placement
from tracker.settings import Settings, zone
from tracker.store import sqlite_queue as queue
from tracker.store import sqlite_raw as raw
from tracker.store import sqlite_write as rows
from tracker.store.base import Batch, CalibrationRecord, DirtyHour, SensorConfig
from tracker.store.connect import connect_writer, sentences
from tracker.store.lock import WriterLock
from tracker.store.migrations import migrate
from tracker.store.rollup import day_row
from tracker.store.sqlite_read import SqliteReader
from tracker.store.sqlite_schema import EPOCHS_STEPS

ROLLUP_EVERY_NS = 60 * SECOND_NS
DAY_NS = 86_400 * SECOND_NS


class SqliteStore(SqliteReader):
    """Reads and writes of the series. One per file: a second writer is refused (StoreBusy).

    Safe to share between threads: writes and reads of this object follow each other. Use
    :func:`open_reader` for reads that must not wait.
    """

    def __init__(
        self,
        path: Path,
        default_zone: str = "",
        *,
        track_dirty: bool = False,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        super().__init__(path, default_zone)
        self._clock = clock
        self._track = track_dirty
        self._turn = threading.RLock()
        self._rolled: dict[int, int] = {}
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = WriterLock(path)
        try:
            self._db = connect_writer(path)
            try:
                migrate(self._writing, EPOCHS_STEPS, str(path))
            except BaseException:
                self._db.close()
                raise
        except BaseException:
            self._lock.release()
            raise

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._turn, sentences(self.path):
            yield self._db

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all or nothing, on the disk when it ends."""
        with self._turn, sentences(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Release the file and the lock."""
        with self._turn:
            self._db.close()
            self._lock.release()

    def write(self, batch: Batch) -> None:
        """Store all of a batch or nothing; StoreFull where the disk has no space."""
        self.write_many([batch])

    def write_many(self, batches: Sequence[Batch], *, sync: bool = True) -> None:
        """Store batches of several wearers in one transaction (one sync to the disk).

        Without `sync` a power loss (no other end) may undo it until the next synced write: for
        results that follow again from raw samples and the chain state of the same batch.
        """
        with self._turn:
            if not sync:
                self._db.execute("PRAGMA synchronous = NORMAL")
            try:
                with self._writing() as db:
                    for batch in batches:
                        self._write_one(db, batch)
            finally:
                if not sync:
                    self._db.execute("PRAGMA synchronous = FULL")

    def _write_one(self, db: sqlite3.Connection, batch: Batch) -> None:
        sid = rows.series_id(db, batch.wearer, batch.placement)
        touched = rows.Touched()
        if batch.replace_from_ns is not None and batch.replace_to_ns is not None:
            span = (batch.replace_from_ns, batch.replace_to_ns)
            rows.delete_results(db, sid, span, touched, remember=self._track)
        if batch.raw is not None and len(batch.raw):
            raw.put_raw(db, sid, batch.raw)
        if batch.epochs is not None and len(batch.epochs):
            rows.put_epochs(db, sid, batch.epochs, touched)
        rows.put_events(db, sid, batch, touched)
        if batch.chain_state is not None:
            rows.put_chain(db, sid, batch)
        if batch.live is not None:
            rows.put_live(db, sid, batch.live)
        if touched.spans:
            self._follow(db, sid, batch, touched)

    def _follow(
        self, db: sqlite3.Connection, sid: int, batch: Batch, touched: rows.Touched
    ) -> None:
        """Rollups and the queue for InfluxDB, in the transaction of the data itself."""
        hours = touched.hours()
        rows.roll_hours(db, sid, hours)
        if self._track:
            queue.mark_dirty(db, sid, hours, random.getrandbits(62), self._clock.now_ns())
            queue.forget_gone(db, sid)
        days = touched.days(self.zone_of(batch.wearer))
        rows.mark_stale(db, sid, days)
        newest = touched.end_ns()
        last = self._rolled.get(sid)
        if batch.replace_from_ns is not None or last is None or newest - last >= ROLLUP_EVERY_NS:
            self._refresh(db, batch.wearer, batch.placement)
            self._rolled[sid] = newest

    def _refresh(self, db: sqlite3.Connection, wearer: str, placement: Placement) -> int:
        """Work out the rollups of every changed day of one series."""
        sid = rows.series_id(db, wearer, placement)
        tz = self.zone_of(wearer)
        stale = db.execute("SELECT day FROM stale_day WHERE series = ?", (sid,)).fetchall()
        for (day,) in stale:
            row = day_row(self, wearer, placement, date.fromisoformat(day), tz)
            rows.put_day(db, sid, day, row)
        db.execute("DELETE FROM stale_day WHERE series = ?", (sid,))
        return len(stale)

    def refresh(self) -> int:
        """Bring every changed day's rollup up to date; the number of days."""
        with self._writing() as db:
            pairs = db.execute(
                "SELECT DISTINCT wearer, placement FROM stale_day JOIN series ON id = series"
            ).fetchall()
            return sum(self._refresh(db, w, Placement(p)) for w, p in pairs)

    def housekeep(self, raw_days: int) -> dict[str, int]:
        """Once an hour: pack raw minutes, drop raw older than `raw_days`, refresh rollups.

        Returns how many blocks were packed and dropped and how many days were refreshed.
        """
        oldest_us = (self._clock.now_ns() - raw_days * DAY_NS) // 1000
        with self._writing() as db:
            packed = sum(
                raw.pack_minutes(db, sid)
                for (sid,) in db.execute("SELECT id FROM series").fetchall()
            )
            dropped = db.execute("DELETE FROM raw WHERE end_us < ?", (oldest_us,)).rowcount
        refreshed = self.refresh()
        with self._reading() as db:
            db.execute("PRAGMA optimize")
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        return {"packed": packed, "dropped": dropped, "refreshed": refreshed}

    def erase(self, wearer: str) -> int:
        """Delete everything of one wearer and leave no bytes of it; the number of rows deleted."""
        with self._writing() as db:
            count = rows.erase(db, wearer)
            if self._track:
                now = self._clock.now_ns()
                db.execute("INSERT OR IGNORE INTO erasing VALUES (?, ?)", (wearer, now))
        self.checkpoint()
        return count

    def checkpoint(self) -> None:
        """Move the WAL into the file and empty it."""
        with self._reading() as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def put_sensor(self, sensor: SensorConfig) -> None:
        """Add or change a sensor (by address)."""
        body = asdict(sensor) | {
            "placement": str(sensor.placement),
            "options": json.dumps(sensor.options),
        }
        with self._writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO sensor VALUES (:address, :wearer, :placement, :name, "
                ":decoder, :enabled, :added_ns, :options)",
                body,
            )

    def remove_sensor(self, address: str) -> None:
        """Forget a sensor; what it measured stays."""
        with self._writing() as db:
            db.execute("DELETE FROM sensor WHERE address = ?", (address,))

    def put_calibration(
        self, wearer: str, placement: Placement, calibration: CalibrationRecord
    ) -> None:
        """Add a calibration; the same time and kind replaces."""
        with self._writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO calibration VALUES (?, ?, ?, ?)",
                (
                    rows.series_id(db, wearer, placement),
                    calibration.from_ns,
                    calibration.kind,
                    json.dumps(calibration.body),
                ),
            )

    def put_wearer_setting(self, wearer: str, key: str, value: object) -> None:
        """Set a setting of one wearer (JSON value); None removes it.

        A new `zone` moves the borders of all their days.
        """
        if key == "zone" and value is not None:
            zone(str(value))  # refuse a name that is none before anything is written
        with self._writing() as db:
            if value is None:
                db.execute("DELETE FROM wearer_setting WHERE wearer = ? AND key = ?", (wearer, key))
            else:
                db.execute(
                    "INSERT OR REPLACE INTO wearer_setting VALUES (?, ?, ?)",
                    (wearer, key, json.dumps(value)),
                )
            if key == "zone":
                rows.stale_everything(db, wearer, self.zone_of(wearer))
        if key == "zone":
            self.refresh()

    def clear_dirty(self, hours: Sequence[DirtyHour]) -> None:
        """Acknowledge hours that reached InfluxDB; one that changed meanwhile stays."""
        with self._writing() as db:
            for hour in hours:
                sid = rows.series_id(db, hour.wearer, hour.placement)
                queue.clear_dirty(db, sid, hour.hour_ns // SECOND_NS, hour.version)

    def mark_all_dirty(self) -> int:
        """Queue every hour for InfluxDB: a new target, or one that lost its data.

        Dead letters go: their lines are sent again with the rest.
        """
        with self._writing() as db:
            db.execute("DELETE FROM dead_letter")
            mark = random.getrandbits(62)
            return queue.mark_all_dirty(db, mark, self._clock.now_ns())

    def put_dead_letter(self, wearer: str, line: str, reason: str) -> None:
        """Keep a line that InfluxDB refuses, so that it never blocks the queue.

        One per point (a rollup is sent again and again), the newest thousands of all.
        """
        with self._writing() as db:
            queue.put_dead_letter(db, wearer, line, reason, self._clock.now_ns())

    def clear_erasing(self, wearer: str) -> None:
        """InfluxDB has forgotten this wearer."""
        with self._writing() as db:
            db.execute("DELETE FROM erasing WHERE wearer = ?", (wearer,))
        self.checkpoint()

    def put_meta(self, key: str, value: str) -> None:
        """Keep a note of the store itself."""
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def open_store(settings: Settings, clock: Clock = SYSTEM_CLOCK) -> SqliteStore:
    """The writing store of this data folder; StoreBusy where another process has it."""
    return SqliteStore(
        settings.epochs_db, settings.zone, track_dirty=bool(settings.influx_url), clock=clock
    )


def open_reader(settings: Settings) -> SqliteReader:
    """Reads of this data folder, also while the collector writes and before it ever did."""
    return SqliteReader(settings.epochs_db, settings.zone)
