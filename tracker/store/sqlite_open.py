# SPDX-License-Identifier: Apache-2.0
"""Reading connections to `epochs.db`; tolerant of a file that is not there yet."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tracker.model import Placement
from tracker.store.connect import connect_reader, sentences
from tracker.store.migrations import check_readable, version_of
from tracker.store.sqlite_schema import EPOCHS_STEPS


class ReadConnection:
    """Connections that only read; safe to share between threads.

    A missing file reads as empty, and is found as soon as the collector has made it; a file that
    `restore` replaced is opened anew.
    """

    def __init__(self, path: Path, default_zone: str = "") -> None:
        self.path = path
        self._zone = default_zone
        self._guard = threading.Lock()
        self._idle: list[tuple[int, sqlite3.Connection]] = []

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        mark = _inode(self.path)
        with self._guard:
            while self._idle:
                kept, db = self._idle.pop()
                if kept == mark:
                    break
                db.close()
            else:
                db = self._open(mark)
        try:
            with sentences(self.path):
                yield db
        finally:
            with self._guard:
                self._idle.append((mark, db))

    def _open(self, mark: int) -> sqlite3.Connection:
        if not mark:
            db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            for step in EPOCHS_STEPS:
                step(db)
            return db
        db = connect_reader(self.path)
        try:
            with sentences(self.path):
                version = version_of(db)
            check_readable(version, EPOCHS_STEPS, str(self.path))
        except BaseException:
            db.close()
            raise
        if version == 0:  # the collector is just making it
            db.close()
            return self._open(0)
        return db

    def close(self) -> None:
        """Release the file."""
        with self._guard:
            while self._idle:
                self._idle.pop()[1].close()

    def _span(self, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        wearer, placement, *rest = values
        with self._reading() as db:
            return db.execute(statement, (series_of(db, wearer, placement), *rest)).fetchall()


def series_of(db: sqlite3.Connection, wearer: str, placement: Placement) -> int:
    """Id of a series; -1 where there is none."""
    row = db.execute(
        "SELECT id FROM series WHERE wearer = ? AND placement = ?", (wearer, str(placement))
    ).fetchone()
    return -1 if row is None else int(row[0])


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0
