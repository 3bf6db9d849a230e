# SPDX-License-Identifier: Apache-2.0
"""Numbered steps of a schema, each in one transaction together with the record that it ran.

A released step is never edited: a change is a new step. `tests/golden/stores` keeps a file of every
released version, and a test upgrades each of them. A file of a newer version is refused.
"""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from tracker.errors import NewerStore, StoreError


class Executor(Protocol):
    """What runs a statement: an SQLite connection, or ours around PostgreSQL."""

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Any:
        """Run one statement with `?` placeholders; a cursor."""


E = TypeVar("E", bound=Executor)

_LEDGER = """CREATE TABLE IF NOT EXISTS migration (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL)"""
_VERSION = "SELECT coalesce(max(number), 0) FROM migration"


def version_of(db: sqlite3.Connection) -> int:
    """Number of the newest step that ran; 0 for a new file. Writes nothing."""
    found = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'migration'").fetchone()
    return 0 if found is None else int(db.execute(_VERSION).fetchone()[0])


def check_version(version: int, steps: Sequence[object], name: str) -> None:
    """Refuse a file of a newer version with a sentence."""
    if version > len(steps):
        raise NewerStore(
            f"{name} was written by a newer Backstay (schema {version}, this one knows "
            f"{len(steps)}): install the newer version, or restore a backup made by this one"
        )


def check_readable(version: int, steps: Sequence[object], name: str) -> None:
    """Refuse what a process that may not write cannot read: newer, or not upgraded yet."""
    check_version(version, steps, name)
    if 0 < version < len(steps):
        raise StoreError(f"{name} is of an older version: start the service once, it upgrades it")


def migrate(
    transaction: Callable[[], AbstractContextManager[E]],
    steps: Sequence[Callable[[E], None]],
    name: str,
) -> int:
    """Run what is missing, one transaction each; the number of steps run."""
    ran = 0
    for number, step in enumerate(steps, start=1):
        with transaction() as db:
            db.execute(_LEDGER)
            version = int(db.execute(_VERSION).fetchone()[0])
            check_version(version, steps, name)
            if version < number:
                step(db)
                db.execute("INSERT INTO migration VALUES (?, ?)", (number, step.__name__))
                ran += 1
    return ran
