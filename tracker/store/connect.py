# SPDX-License-Identifier: Apache-2.0
"""SQLite connections: how a file is opened, and its errors as sentences."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracker.errors import StoreBusy, StoreDamaged, StoreError, StoreFull

BUSY_TIMEOUT_S = 10.0


def connect_writer(path: Path) -> sqlite3.Connection:
    """The one writing connection: WAL, every commit on the disk, freed pages zeroed.

    `secure_delete` makes an erasure real: what is deleted leaves no bytes in the file.
    """
    with sentences(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():  # health data: readable by the owner alone
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        db = sqlite3.connect(
            path, isolation_level=None, timeout=BUSY_TIMEOUT_S, check_same_thread=False
        )
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            # macOS alone: its fsync leaves data in the drive's own memory, F_FULLFSYNC does not.
            db.execute("PRAGMA fullfsync = ON")
            db.execute("PRAGMA secure_delete = ON")
            db.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            db.close()
            raise
    return db


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write. On a read-only disk without a WAL it reads the bare file."""
    uri = path.absolute().as_uri()
    with sentences(path):
        db = _open(f"{uri}?mode=ro")
        try:
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            db.close()
            if path.with_name(path.name + "-wal").exists():
                raise
            db = _open(f"{uri}?mode=ro&immutable=1")
    return db


def _open(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(
        uri, uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_S, check_same_thread=False
    )


@contextmanager
def sentences(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system raise into the errors of `tracker.errors`."""
    try:
        yield
    except sqlite3.Error as error:
        text = str(error)
        if "full" in text:
            raise StoreFull(
                f"no space left for {path}: free some, nothing stored is lost"
            ) from error
        if "malformed" in text or "not a database" in text:
            raise StoreDamaged(
                f"{path} is damaged ({text}): stop the service and run `backstay restore` with "
                "your newest backup"
            ) from error
        if "locked" in text:
            raise StoreBusy(f"{path} is in use by another process: try again later") from error
        if "disk I/O" in text and _is_full(path):
            raise StoreFull(
                f"no space left for {path}: free some, nothing stored is lost"
            ) from error
        raise StoreError(
            f"{path} cannot be used ({text}): check the folder's owner, its rights and the disk"
        ) from error
    except OSError as error:
        raise StoreError(f"{path} cannot be opened: {error.strerror}") from error


def _is_full(path: Path) -> bool:
    """A write beyond a quota shows as an I/O error; so does a disk without a free page."""
    import shutil

    try:
        if shutil.disk_usage(path.parent).free < 1 << 16:
            return True
        import resource  # not on Windows
    except (OSError, ImportError):
        return False
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    wal = path.with_name(path.name + "-wal")
    sizes = [p.stat().st_size for p in (path, wal) if p.exists()]
    return limit != resource.RLIM_INFINITY and any(s + (1 << 16) > limit for s in sizes)
