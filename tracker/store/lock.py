# SPDX-License-Identifier: Apache-2.0
"""One writing process per file: the lock that tells.

The lock is an exclusive transaction on a tiny SQLite file beside the database. The operating
system drops it when the process ends, however it ends, and it works the same on Linux, macOS and
Windows, which `fcntl.flock` does not.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from tracker.errors import StoreBusy, StoreError


class WriterLock:
    """Held by the process that writes `path`; raises StoreBusy where another one does.

    StoreError where a restore was interrupted: only another restore may write then.
    """

    def __init__(self, path: Path, *, restoring: bool = False) -> None:
        mark = restore_mark(path.parent)
        if not restoring and mark.exists():
            raise StoreError(
                f"a restore into {path.parent} was interrupted: run `backstay restore "
                f"{mark.read_text(encoding='utf-8')}` again, then start the service"
            )
        self.path = path.with_name(path.name + ".lock")
        self._db = _connect(self.path)
        try:
            self._db.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            self._db.close()
            if "locked" in str(error):
                raise StoreBusy(
                    f"{path} is in use by another Backstay process: stop it first, or let it do "
                    "the work (one file has one writing process)"
                ) from error
            raise StoreError(f"cannot lock {path}: {error}") from error

    def release(self) -> None:
        """Let the next process write."""
        self._db.close()


def restore_mark(data: Path) -> Path:
    """The file that lies in a data folder while a restore exchanges its databases."""
    return data / "restore-unfinished"


def is_locked(path: Path) -> bool:
    """Whether a process writes `path` right now."""
    lock = path.with_name(path.name + ".lock")
    if not lock.exists():
        return False
    with closing(_connect(lock)) as db:
        try:
            db.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            return "locked" in str(error)
        return False


def _connect(lock: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(lock, isolation_level=None, timeout=0, check_same_thread=False)
    except sqlite3.OperationalError as error:
        raise StoreError(
            f"cannot write in {lock.parent}: {error}; check the folder's owner and free space"
        ) from error
