# SPDX-License-Identifier: Apache-2.0
"""Copies of both databases: consistent while the service runs, and verified.

A backup is a folder with `epochs.db`, `app.db` (where there is one) and `manifest.json` with a hash
of each. It appears under its name only when it is complete and checked.
"""

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tracker.errors import InputError, StoreBusy, StoreDamaged, StoreError
from tracker.settings import Settings
from tracker.store.connect import connect_reader, sentences
from tracker.store.lock import WriterLock
from tracker.store.migrations import check_version, version_of
from tracker.store.records_schema import RECORDS_STEPS
from tracker.store.sqlite_schema import EPOCHS_STEPS
from tracker.units import from_ns

MANIFEST = "manifest.json"
FORMAT = 1
STEPS_OF: dict[str, Sequence[object]] = {"epochs.db": EPOCHS_STEPS, "app.db": RECORDS_STEPS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """One backup on the disk."""

    folder: Path
    made_ns: int
    files: dict[str, str]  # name -> sha256
    changing: bool = False  # an erasure inside was begun and not ended


def backups_folder(settings: Settings) -> Path:
    """Where backups lie unless another folder is named."""
    return settings.data / "backups"


def make_backup(
    settings: Settings,
    now_ns: int,
    into: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Backup:
    """Copy both databases as they are at this moment; the service may go on writing.

    SQLite's online backup reads inside one transaction, so the copy is one moment of each file.
    Raises StoreError (nothing to copy, no space) and leaves nothing half-made.
    """
    sources = [settings.data / name for name in STEPS_OF if (settings.data / name).exists()]
    if not sources:
        raise StoreError(f"there is nothing to back up in {settings.data}")
    parent = into or backups_folder(settings)
    name = f"backstay-{from_ns(now_ns):%Y%m%dT%H%M%S}Z"
    target, part = parent / name, parent / f".{name}.part"
    if target.exists():
        raise InputError(f"{target} exists already: wait a second, then try again")
    with one_at_a_time(parent), sentences(part):
        for left in parent.glob(".backstay-*.part"):  # of a run that was killed
            shutil.rmtree(left)
        part.mkdir(mode=0o700)
        try:
            hashes = {s.name: _copy(s, part / s.name, progress) for s in sources}
            manifest = {
                "format": FORMAT,
                "made_ns": now_ns,
                "files": hashes,
                "records": "postgresql: use pg_dump" if settings.records_url else "app.db",
            }
            _write_durably(part / MANIFEST, json.dumps(manifest, indent=2) + "\n")
            part.rename(target)
            flush(parent)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    return Backup(folder=target, made_ns=now_ns, files=hashes)


@contextmanager
def one_at_a_time(parent: Path) -> Iterator[None]:
    """Making a backup and erasing inside backups take turns; StoreBusy for the second."""
    with sentences(parent):
        parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        lock = WriterLock(parent / "backups")
    except StoreBusy as error:
        raise StoreBusy(
            f"another backup or erasure is at work in {parent}: try again when it is done"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _copy(source: Path, target: Path, progress: Callable[[int, int], None] | None) -> str:
    def tell(_status: int, remaining: int, total: int) -> None:
        if progress is not None:
            progress(total - remaining, total)

    with closing(connect_reader(source)) as db, sentences(target):
        with closing(sqlite3.connect(target, isolation_level=None)) as copy:
            db.backup(copy, pages=-1, progress=tell)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, no WAL beside it
        target.chmod(0o600)
        _check_file(target)
    return _sha256(target)


def _check_file(path: Path) -> None:
    with closing(connect_reader(path)) as db, sentences(path):
        found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            raise StoreDamaged(f"{path} is damaged ({found}): use another backup")
        version = version_of(db)
        if version == 0:
            raise StoreDamaged(f"{path} is not a database of Backstay: use another backup")
        check_version(version, STEPS_OF[path.name], str(path))


def list_backups(folder: Path) -> list[Backup]:
    """Every complete backup of a folder, oldest first."""
    if not folder.is_dir():
        return []
    found = [_read(m.parent) for m in folder.glob(f"*/{MANIFEST}")]
    return sorted(found, key=lambda b: (b.made_ns, b.folder))


def _read(folder: Path) -> Backup:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        known = int(manifest["format"]) == FORMAT
        files = {str(k): str(v) for k, v in manifest["files"].items()}
        made_ns = int(manifest["made_ns"])
        changing = bool(manifest.get("changing"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{folder} is not a backup: name a folder that holds {MANIFEST}"
        ) from error
    if not known or not files or any(name not in STEPS_OF for name in files):
        raise InputError(f"{folder} was made by another version: restore it with that version")
    return Backup(folder=folder, made_ns=made_ns, files=files, changing=changing)


def verify(folder: Path) -> Backup:
    """Read all of a backup: hashes, pages, schema version. Raises StoreDamaged or InputError."""
    backup = _read(folder)
    if backup.changing:
        raise StoreDamaged(
            f"an erasure inside {folder} was interrupted: run `backstay erase WEARER --in-backups` "
            "again, then the backup is good again"
        )
    for name, expected in backup.files.items():
        path = folder / name
        if not path.is_file():
            raise StoreDamaged(f"{path} is missing: use another backup")
        if _sha256(path) != expected:
            raise StoreDamaged(f"{path} has changed since it was made: use another backup")
        _check_file(path)
    return backup


def mark_changing(backup: Backup) -> None:
    """Note in the manifest that the files are being changed; `rehash` ends it.

    Killed in between, the backup says so instead of looking damaged for ever.
    """
    _rewrite(backup, changing=True)


def rehash(backup: Backup) -> Backup:
    """New hashes after an erasure inside a backup."""
    hashes = {name: _sha256(backup.folder / name) for name in backup.files}
    _rewrite(backup, changing=False, files=hashes)
    return Backup(folder=backup.folder, made_ns=backup.made_ns, files=hashes)


def _rewrite(backup: Backup, **news: object) -> None:
    manifest = json.loads((backup.folder / MANIFEST).read_text(encoding="utf-8"))
    part = backup.folder / f".{MANIFEST}.part"
    _write_durably(part, json.dumps(manifest | news, indent=2) + "\n")
    part.replace(backup.folder / MANIFEST)
    flush(backup.folder)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_durably(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    flush(path)


def flush(path: Path) -> None:
    """Bring a file or a folder's names to the disk (Windows cannot open a folder: skipped)."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
