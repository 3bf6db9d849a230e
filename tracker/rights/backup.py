# SPDX-License-Identifier: Apache-2.0
"""Copies of both databases: consistent while the service runs, verified before they replace.

A backup is a folder with `epochs.db`, `app.db` (where there is one) and `manifest.json` with a hash
of each. It appears under its name only when it is complete and checked.
"""

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tracker.errors import InputError, StoreDamaged, StoreError
from tracker.settings import Settings
from tracker.store.connect import connect_reader, sentences
from tracker.store.lock import WriterLock
from tracker.store.migrations import check_version, version_of
from tracker.store.records_schema import RECORDS_STEPS
from tracker.store.sqlite_schema import EPOCHS_STEPS
from tracker.units import from_ns

MANIFEST = "manifest.json"
FORMAT = 1
_STEPS: dict[str, Sequence[object]] = {"epochs.db": EPOCHS_STEPS, "app.db": RECORDS_STEPS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """One backup on the disk."""

    folder: Path
    made_ns: int
    files: dict[str, str]  # name -> sha256


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
    sources = [settings.data / name for name in _STEPS if (settings.data / name).exists()]
    if not sources:
        raise StoreError(f"there is nothing to back up in {settings.data}")
    parent = into or backups_folder(settings)
    name = f"backstay-{from_ns(now_ns):%Y%m%dT%H%M%S}Z"
    target, part = parent / name, parent / f".{name}.part"
    if target.exists():
        raise InputError(f"{target} exists already: wait a second, then try again")
    shutil.rmtree(part, ignore_errors=True)
    with sentences(part):
        part.mkdir(parents=True, mode=0o700)
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
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    return Backup(folder=target, made_ns=now_ns, files=hashes)


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
        check_version(version, _STEPS[path.name], str(path))


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
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{folder} is not a backup: name a folder that holds {MANIFEST}"
        ) from error
    if not known or not files or any(name not in _STEPS for name in files):
        raise InputError(f"{folder} was made by another version: restore it with that version")
    return Backup(folder=folder, made_ns=made_ns, files=files)


def verify(folder: Path) -> Backup:
    """Read all of a backup: hashes, pages, schema version. Raises StoreDamaged or InputError."""
    backup = _read(folder)
    for name, expected in backup.files.items():
        path = folder / name
        if not path.is_file():
            raise StoreDamaged(f"{path} is missing: use another backup")
        if _sha256(path) != expected:
            raise StoreDamaged(f"{path} has changed since it was made: use another backup")
        _check_file(path)
    return backup


def restore(settings: Settings, folder: Path, now_ns: int) -> list[Path]:
    """Put a verified backup in place of the present data; what was there is kept beside it.

    Refused (StoreBusy) while a service runs. Files that the backup does not hold stay. Returns
    where the former files lie now. A restore that was interrupted is simply run again.
    """
    backup = verify(folder)
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept: list[Path] = []
    locks: list[WriterLock] = []
    try:
        locks.extend(WriterLock(settings.data / name) for name in _STEPS)
        staged = []
        with sentences(settings.data):
            for name in backup.files:
                new = settings.data / f".{name}.restoring"
                shutil.copyfile(folder / name, new)
                new.chmod(0o600)
                _flush(new)
                staged.append((new, settings.data / name))
            aside = settings.data / f"before-restore-{from_ns(now_ns):%Y%m%dT%H%M%S}Z"
            for new, live in staged:
                kept += _move_aside(live, aside)
                new.replace(live)
            _flush(settings.data)
    finally:
        for lock in locks:
            lock.release()
    return kept


def _move_aside(live: Path, aside: Path) -> list[Path]:
    """Move a database with its WAL, so that the new file never meets the old one's log."""
    moved = []
    for suffix in ("-wal", "-shm", ""):
        path = live.with_name(live.name + suffix)
        if path.exists():
            aside.mkdir(exist_ok=True, mode=0o700)
            path.replace(aside / path.name)
            if not suffix:
                moved.append(aside / path.name)
    return moved


def rehash(backup: Backup) -> Backup:
    """New hashes after an erasure inside a backup."""
    hashes = {name: _sha256(backup.folder / name) for name in backup.files}
    manifest = json.loads((backup.folder / MANIFEST).read_text(encoding="utf-8"))
    text = json.dumps(manifest | {"files": hashes}, indent=2) + "\n"
    part = backup.folder / f".{MANIFEST}.part"
    _write_durably(part, text)
    part.replace(backup.folder / MANIFEST)
    return Backup(folder=backup.folder, made_ns=backup.made_ns, files=hashes)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_durably(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    _flush(path)


def _flush(path: Path) -> None:
    """Bring a file or a folder's names to the disk (Windows cannot open a folder: skipped)."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
