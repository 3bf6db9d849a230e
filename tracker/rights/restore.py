# SPDX-License-Identifier: Apache-2.0
"""A verified backup in place of the present data, whole or not at all.

While files are exchanged a mark lies in the data folder: a service that starts after a restore was
killed in the middle refuses with a sentence, instead of going on with half of the old data.
"""

import json
import shutil
from itertools import chain, count
from pathlib import Path

from tracker.rights.backup import STEPS_OF, Backup, flush, verify
from tracker.settings import Settings
from tracker.store.connect import sentences
from tracker.store.lock import WriterLock, restore_mark
from tracker.units import from_ns


def restore(settings: Settings, folder: Path, now_ns: int) -> list[Path]:
    """Put a verified backup in place of the present data; what was there is kept beside it.

    Refused (StoreBusy) while a service runs. Files that the backup does not hold stay. Returns
    where the former files lie now. A restore that was interrupted is simply run again.
    """
    backup = verify(folder)
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept: list[Path] = []
    locks: list[WriterLock] = []
    mark = restore_mark(settings.data)
    try:
        locks.extend(WriterLock(settings.data / name, restoring=True) for name in STEPS_OF)
        staged = []
        with sentences(settings.data):
            for name in backup.files:
                new = settings.data / f".{name}.restoring"
                shutil.copyfile(folder / name, new)
                new.chmod(0o600)
                flush(new)
                staged.append((new, settings.data / name))
            mark.write_text(str(folder.absolute()), encoding="utf-8")
            flush(mark)
            flush(settings.data)
            aside = _fresh(settings.data / f"before-restore-{from_ns(now_ns):%Y%m%dT%H%M%S}Z")
            for new, live in staged:
                kept += _move_aside(live, aside)
                new.replace(live)
            flush(settings.data)
            mark.unlink()
            flush(settings.data)
    finally:
        for lock in locks:
            lock.release()
    return kept


def _fresh(folder: Path) -> Path:
    """A name that is not taken: a restore run again in the same second overwrites nothing."""
    names = chain([folder], (folder.with_name(f"{folder.name}-{n}") for n in count(2)))
    return next(name for name in names if not name.exists())


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


def erased_since(settings: Settings, backup: Backup) -> list[str]:
    """Ids of the receipts of erasures that this backup does not know: it brings the data back."""
    made = f"{from_ns(backup.made_ns):%Y-%m-%dT%H:%M:%SZ}"
    receipts = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((settings.data / "receipts").glob("*.json"))
    ]
    return [
        str(r["id"])
        for r in receipts
        if r["at"] >= made and backup.folder.name not in r["backups_cleaned"]
    ]


def former_files(data: Path) -> list[Backup]:
    """What earlier restores moved aside, as backups without a manifest."""
    return [
        Backup(folder=folder, made_ns=0, files={n: "" for n in STEPS_OF if (folder / n).exists()})
        for folder in sorted(data.glob("before-restore-*"))
    ]
