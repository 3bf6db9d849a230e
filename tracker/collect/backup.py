# SPDX-License-Identifier: Apache-2.0
"""A consistent copy of a database while it is written to (SQLite's own online backup)."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from tracker.errors import InputError, StoreError

PAGES = 2000  # a step; writers get their turn in between


def backup(source: Path, target: Path) -> dict[str, object]:
    """Copy `source` to the new file `target`, checked before it gets its name.

    Raises InputError where the target exists or cannot be made, StoreError where copying fails.
    """
    if target.exists():
        raise InputError(f"{target} exists already: choose a new file")
    if not target.parent.is_dir():
        raise InputError(f"{target.parent} is no folder: make it first")
    beside = target.with_name(target.name + ".part")
    try:
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        with (
            closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as db,
            closing(sqlite3.connect(beside)) as copy,
        ):
            db.backup(copy, pages=PAGES)
            copy.execute("PRAGMA journal_mode = DELETE")
            (found,) = copy.execute("PRAGMA quick_check").fetchone()
        if found != "ok":
            raise StoreError(f"the copy of {source} is damaged ({found}): run `backstay doctor`")
        beside.replace(target)
    except (OSError, sqlite3.Error) as error:
        beside.unlink(missing_ok=True)
        raise StoreError(f"{target} cannot be written: {error}") from error
    return {"path": str(target), "bytes": target.stat().st_size}
