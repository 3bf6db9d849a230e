# SPDX-License-Identifier: Apache-2.0
"""Delete everything about one wearer, in every store, and say so without naming anybody.

Each step is idempotent, so an erasure that was interrupted is simply asked for again. What InfluxDB
could not do yet stays in the collector's queue and is tried until it is done.
"""

import json
import secrets
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from tracker.diary import AuditLine
from tracker.rights.backup import Backup, list_backups, rehash
from tracker.store.connect import connect_reader, connect_writer, sentences
from tracker.store.records import Records
from tracker.store.records_schema import RECORDS_STEPS
from tracker.store.sql import SqliteEngine
from tracker.store.sqlite import SqliteStore
from tracker.units import from_ns


class Erases(Protocol):
    """A series store, or the collector that owns it."""

    def erase(self, wearer: str) -> int:
        """Delete everything of one wearer; the number of rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was deleted, without a name or a pseudonym in it."""

    id: str
    at: str
    series_rows: int
    records: str  # "done", "queued" (the dashboard runs), "none"
    record_rows: int
    influx: str  # "none", "done", "queued"
    backups_cleaned: tuple[str, ...]
    backups_left: tuple[str, ...]


def erase_wearer(
    wearer: str,
    *,
    series: Erases,
    records: Records | None,
    later: Callable[[AuditLine], None] | None = None,
    influx: bool,
    backups: Path,
    in_backups: bool,
    now_ns: int,
    receipts: Path | None = None,
    forget: Callable[[], bool] = lambda: False,
) -> Receipt:
    """Erase one wearer everywhere; `in_backups` also inside the backups of the folder.

    `influx` says whether one is configured; `forget` tries to delete there now. `later` is called
    with the line of the audit where the records cannot be opened now (and queues their erasure).
    """
    series_rows = series.erase(wearer)
    there = ("done" if forget() else "queued") if influx else "none"
    record_rows = records.erase_wearer(wearer) if records is not None else 0
    holding = [b for b in list_backups(backups) if holds(b, wearer)]
    cleaned: list[str] = []
    if in_backups:
        for backup in holding:
            _erase_in(backup, wearer)
            cleaned.append(backup.folder.name)
    receipt = Receipt(
        id=secrets.token_hex(8),
        at=f"{from_ns(now_ns):%Y-%m-%dT%H:%M:%SZ}",
        series_rows=series_rows,
        records="done" if records is not None else "queued" if later is not None else "none",
        record_rows=record_rows,
        influx=there,
        backups_cleaned=tuple(cleaned),
        backups_left=() if in_backups else tuple(b.folder.name for b in holding),
    )
    line = AuditLine(
        at_ns=now_ns,
        viewer="erased",
        wearer="erased",
        scope="everything",
        action="erase",
        allowed=True,
        detail=f"receipt {receipt.id}",
    )
    if records is not None:
        records.audit(line)
    elif later is not None:
        later(line)
    if receipts is not None:
        receipts.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = json.dumps(asdict(receipt), indent=2) + "\n"
        (receipts / f"{receipt.id}.json").write_text(text, encoding="utf-8")
    return receipt


def holds(backup: Backup, wearer: str) -> bool:
    """Whether a backup has anything about a wearer."""
    questions = (
        ("epochs.db", "SELECT 1 FROM series WHERE wearer = ?"),
        ("epochs.db", "SELECT 1 FROM sensor WHERE wearer = ?"),
        ("app.db", "SELECT 1 FROM person WHERE wearer = ?"),
        ("app.db", "SELECT 1 FROM entry WHERE wearer = ?"),
    )
    for name, question in questions:
        if name in backup.files:
            path = backup.folder / name
            with closing(connect_reader(path)) as db, sentences(path):
                if db.execute(question, (wearer,)).fetchone() is not None:
                    return True
    return False


def _erase_in(backup: Backup, wearer: str) -> None:
    if "epochs.db" in backup.files:
        with closing(SqliteStore(backup.folder / "epochs.db")) as store:
            store.erase(wearer)
    if "app.db" in backup.files:
        engine = SqliteEngine(backup.folder / "app.db", write=True, steps=RECORDS_STEPS)
        with closing(Records(engine)) as records:
            records.upgrade()
            records.erase_wearer(wearer)
    for name in backup.files:
        path = backup.folder / name
        with closing(connect_writer(path)) as db, sentences(path):
            db.execute("PRAGMA journal_mode = DELETE")
        path.with_name(name + ".lock").unlink(missing_ok=True)
    rehash(backup)
