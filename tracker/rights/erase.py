# SPDX-License-Identifier: Apache-2.0
"""Delete everything about one wearer, in every store, and say so without naming anybody.

Each step is idempotent, so an erasure that was interrupted is simply asked for again. What InfluxDB
could not do yet stays in the collector's queue and is tried until it is done.
"""

import json
import logging
import secrets
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from tracker.diary import AuditLine
from tracker.errors import StoreError
from tracker.rights.backup import (
    MANIFEST,
    Backup,
    list_backups,
    mark_changing,
    one_at_a_time,
    rehash,
)
from tracker.rights.restore import former_files
from tracker.store.connect import connect_reader, connect_writer, sentences
from tracker.store.records import Records
from tracker.store.records_schema import RECORDS_STEPS
from tracker.store.sql import SqliteEngine
from tracker.store.sqlite import SqliteStore
from tracker.units import from_ns

LOG = logging.getLogger(__name__)


class Erases(Protocol):
    """A series store, or the collector that owns it."""

    def erase(self, wearer: str) -> int:
        """Delete everything of one wearer; the number of rows."""


class Forgets(Protocol):
    """People and diary, or the dashboard that owns them."""

    def erase_wearer(self, wearer: str) -> int | None:
        """Delete the person behind a wearer; the number of rows, None where it is queued."""

    def audit(self, line: AuditLine) -> None:
        """Keep a line of the audit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was deleted, without a name or a pseudonym in it."""

    id: str
    at: str
    series_rows: int
    records: str  # "done", "queued" (the dashboard runs and does not answer), "none"
    record_rows: int
    influx: str  # "none", "done", "queued"
    backups_cleaned: tuple[str, ...]
    backups_left: tuple[str, ...]


def erase_wearer(
    wearer: str,
    *,
    series: Erases,
    records: Forgets | None,
    influx: bool,
    backups: Path,
    in_backups: bool,
    now_ns: int,
    receipts: Path | None = None,
    forget: Callable[[], bool] = lambda: False,
) -> Receipt:
    """Erase one wearer everywhere; `in_backups` also inside the backups of the folder.

    `influx` says whether one is configured; `forget` tries to delete there now.
    """
    series_rows = series.erase(wearer)
    there = ("done" if forget() else "queued") if influx else "none"
    record_rows = 0 if records is None else records.erase_wearer(wearer)
    cleaned, left = _in_backups(wearer, backups, clean=in_backups)
    receipt = Receipt(
        id=secrets.token_hex(8),
        at=f"{from_ns(now_ns):%Y-%m-%dT%H:%M:%SZ}",
        series_rows=series_rows,
        records="none" if records is None else "queued" if record_rows is None else "done",
        record_rows=record_rows or 0,
        influx=there,
        backups_cleaned=tuple(cleaned),
        backups_left=tuple(left),
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


def _in_backups(wearer: str, folder: Path, *, clean: bool) -> tuple[list[str], list[str]]:
    """Names of backups that were cleaned, and of those that still hold the wearer.

    Folders that a restore left behind count too. One that cannot be read is among those left.
    """
    cleaned: list[str] = []
    left: list[str] = []
    found = [*list_backups(folder), *former_files(folder.parent)]
    if not found:
        return cleaned, left
    with one_at_a_time(folder) if clean else nullcontext():
        for backup in found:
            name = backup.folder.name
            try:
                if not (backup.changing or holds(backup, wearer)):
                    continue
                if clean:
                    _erase_in(backup, wearer)
            except StoreError as error:
                LOG.warning("the backup %s cannot be searched: %s", backup.folder, error)
                left.append(name)
            else:
                (cleaned if clean else left).append(name)
    return cleaned, left


def _erase_in(backup: Backup, wearer: str) -> None:
    listed = (backup.folder / MANIFEST).exists()
    if listed:
        mark_changing(backup)
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
    if listed:
        rehash(backup)
