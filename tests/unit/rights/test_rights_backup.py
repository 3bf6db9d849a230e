# SPDX-License-Identifier: Apache-2.0
"""Backups are consistent while writing goes on, checked, and never replace what they cannot."""

import json
import threading
from pathlib import Path

import pytest

from tests.fakes.series import T0, make_epochs, make_samples
from tracker.diary import Kind, Person, Role
from tracker.errors import InputError, NewerStore, StoreBusy, StoreDamaged, StoreError
from tracker.model import Placement
from tracker.rights.backup import backups_folder, list_backups, make_backup, verify
from tracker.rights.restore import restore
from tracker.settings import Settings
from tracker.store.base import Batch
from tracker.store.records import open_records
from tracker.store.sqlite import SqliteStore, open_store

W, P = "w-1", Placement.UPPER_BACK
ALL = (0, 2**62)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A data folder with a day of both kinds of data."""
    made = Settings(data=tmp_path / "data", zone="Europe/Berlin")
    store = open_store(made)
    store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0, 500), raw=make_samples(T0, 99)))
    store.close()
    records = open_records(made)
    records.put_person(Person(id="p", name="Anna", roles=frozenset({Role.WEARER}), wearer=W))
    records.put_entry(W, Kind.EVENING, {"tension": 3}, at_ns=T0, day="2026-11-24", author="p")
    records.close()
    return made


def test_a_backup_is_for_its_owner_alone(settings: Settings) -> None:
    """Folder and every file of health data in it are closed to other users of the machine."""
    open_store(settings).close()
    folder = make_backup(settings, T0).folder
    assert folder.stat().st_mode & 0o077 == 0
    assert all(f.stat().st_mode & 0o077 == 0 for f in folder.glob("*.db"))


def test_backup_while_writing_is_one_moment(settings: Settings) -> None:
    """With a writer at full speed each backup holds a prefix of its transactions, whole ones."""
    store = open_store(settings)
    stop = threading.Event()

    def work() -> None:
        i = 0
        while not stop.is_set():
            start = T0 + 10**13 + i * 2 * 5 * 10**9
            store.write(Batch(wearer="w-2", placement=P, epochs=make_epochs(start, 2)))
            i += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        made = [make_backup(settings, T0 + i * 10**9) for i in range(3)]
    finally:
        stop.set()
        thread.join()
        store.close()
    sizes = []
    for backup in made:
        verify(backup.folder)
        copy = SqliteStore(backup.folder / "epochs.db")
        sizes.append(len(copy.epochs("w-2", P, *ALL)))
        copy.close()
    assert all(n % 2 == 0 for n in sizes)
    assert sizes == sorted(sizes)


def test_restore_brings_back_everything_and_keeps_the_former(settings: Settings) -> None:
    """After a restore the data are those of the backup; the replaced files lie beside."""
    backup = make_backup(settings, T0)
    assert [b.folder for b in list_backups(backups_folder(settings))] == [backup.folder]
    store = open_store(settings)
    store.erase(W)
    store.close()
    records = open_records(settings)
    records.erase_wearer(W)
    records.close()
    kept = restore(settings, backup.folder, T0 + 1)
    assert [k.name for k in kept] == ["epochs.db", "app.db"]
    store = open_store(settings)
    assert store.epochs(W, P, *ALL).equals(make_epochs(T0, 500))
    assert list(store.integrity()) == []
    store.close()
    records = open_records(settings)
    assert len(records.entries(W)) == 1
    records.close()


def test_restore_is_refused_while_the_service_runs(settings: Settings) -> None:
    """A running writer of either file keeps a restore out, and nothing changes."""
    backup = make_backup(settings, T0)
    for opener in (open_store, open_records):
        held = opener(settings)
        with pytest.raises(StoreBusy):
            restore(settings, backup.folder, T0)
        held.close()
    restore(settings, backup.folder, T0)


@pytest.mark.parametrize("damage", ["flip", "cut", "missing", "manifest", "newer", "foreign"])
def test_a_bad_backup_replaces_nothing(settings: Settings, damage: str) -> None:
    """Each kind of damage is found before anything is touched."""
    backup = make_backup(settings, T0)
    path = backup.folder / "epochs.db"
    data = bytearray(path.read_bytes())
    expected: type[StoreError | InputError] = StoreDamaged
    if damage == "flip":
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    elif damage == "cut":
        path.write_bytes(data[:-4096])
    elif damage == "missing":
        path.unlink()
    elif damage == "manifest":
        (backup.folder / "manifest.json").write_text("{}")
        expected = InputError
    elif damage == "newer":
        manifest = json.loads((backup.folder / "manifest.json").read_text())
        copy = SqliteStore(path)
        with copy._writing() as db:
            db.execute("INSERT INTO migration VALUES (99, 'future')")
        copy.checkpoint()
        copy.close()
        from tracker.rights.backup import _sha256

        manifest["files"]["epochs.db"] = _sha256(path)
        (backup.folder / "manifest.json").write_text(json.dumps(manifest))
        expected = NewerStore
    else:
        manifest = json.loads((backup.folder / "manifest.json").read_text())
        manifest["files"] = {"../../etc/passwd": "x"}
        (backup.folder / "manifest.json").write_text(json.dumps(manifest))
        expected = InputError
    before = (settings.data / "epochs.db").read_bytes()
    with pytest.raises(expected):
        restore(settings, backup.folder, T0)
    assert (settings.data / "epochs.db").read_bytes() == before


def test_a_backup_that_fails_leaves_nothing(settings: Settings, tmp_path: Path) -> None:
    """A damaged source is not copied as if it were good; nothing half-made stays."""
    store = open_store(settings)
    store.checkpoint()
    store.close()
    path = settings.data / "epochs.db"
    data = bytearray(path.read_bytes())
    for page in range(8, len(data) // 4096 - 2):
        data[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(data)
    with pytest.raises(StoreDamaged):
        make_backup(settings, T0, tmp_path / "elsewhere")
    assert [p.name for p in (tmp_path / "elsewhere").iterdir()] == ["backups.lock"]
    with pytest.raises(StoreError, match="nothing to back up"):
        make_backup(Settings(data=tmp_path / "empty"), T0)
