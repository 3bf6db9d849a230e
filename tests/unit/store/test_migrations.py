# SPDX-License-Identifier: Apache-2.0
"""Files of every released version are upgraded; a step that fails leaves the file as it was."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes.series import T0, make_epochs, make_samples
from tracker.diary import Kind
from tracker.errors import StoreError
from tracker.model import Placement
from tracker.settings import Settings
from tracker.store import sqlite as module
from tracker.store.base import Batch
from tracker.store.migrations import migrate, version_of
from tracker.store.records import open_records
from tracker.store.records_schema import RECORDS_STEPS
from tracker.store.sqlite import open_reader, open_store
from tracker.store.sqlite_schema import EPOCHS_STEPS

STORES = Path(__file__).resolve().parents[2] / "golden" / "stores"
W, P = "w-golden", Placement.UPPER_BACK
ALL = (0, 2**62)


def test_a_file_of_every_released_version_is_kept() -> None:
    """Whoever adds a step also keeps a file of the version before it."""
    for name, steps in (("epochs", EPOCHS_STEPS), ("app", RECORDS_STEPS)):
        kept = {p.name for p in STORES.glob(f"{name}-v*.sqlite")}
        assert kept == {f"{name}-v{i + 1}.sqlite" for i in range(len(steps))}


@pytest.mark.parametrize("file", sorted(STORES.glob("epochs-*.sqlite")), ids=lambda p: p.stem)
def test_series_of_every_version_open_and_hold_their_data(file: Path, tmp_path: Path) -> None:
    """After the upgrade everything that was in the file is there, and writing goes on."""
    settings = Settings(data=tmp_path, zone="Europe/Berlin")
    shutil.copyfile(file, settings.epochs_db)
    store = open_store(settings)
    assert store.epochs(W, P, *ALL).equals(make_epochs(T0, 300))
    raw = make_samples(T0, 120)
    assert (store.raw(W, P, *ALL).acc_g == raw.acc_g).all()
    assert [r.day for r in store.days(W, P, "2026-01-01", "2026-12-31")] == ["2026-11-24"]
    assert store.chain_state(W, P) == (int(raw.t_ns[-1]), b"state")
    store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0, 400)))
    assert len(store.epochs(W, P, *ALL)) == 400
    assert list(store.integrity()) == []
    store.close()


@pytest.mark.parametrize("file", sorted(STORES.glob("app-*.sqlite")), ids=lambda p: p.stem)
def test_records_of_every_version_open_and_hold_their_data(file: Path, tmp_path: Path) -> None:
    """People and diary survive the upgrade."""
    settings = Settings(data=tmp_path)
    shutil.copyfile(file, settings.app_db)
    records = open_records(settings)
    (entry,) = records.entries(W)
    assert (entry.kind, entry.body, entry.version) == (Kind.EVENING, {"tension": 4}, 2)
    person = records.person_of(W)
    assert person is not None
    assert person.name == "Golden"
    records.close()


def _transaction(db: sqlite3.Connection) -> Callable[[], object]:
    from contextlib import contextmanager

    @contextmanager
    def begin() -> object:
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")

    return begin


def test_a_step_and_its_record_are_one_transaction(tmp_path: Path) -> None:
    """A step that fails in the middle leaves neither its tables nor its record; later it runs."""

    def one(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE a (x)")

    def broken(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE b (x)")
        db.execute("CREATE TABLE a (x)")

    def mended(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE b (x)")

    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as db:
        with pytest.raises(sqlite3.OperationalError):
            migrate(_transaction(db), (one, broken), "x.db")
        assert version_of(db) == 1
        assert db.execute("SELECT name FROM sqlite_master WHERE name = 'b'").fetchall() == []
        assert migrate(_transaction(db), (one, mended), "x.db") == 1
        assert migrate(_transaction(db), (one, mended), "x.db") == 0
        assert version_of(db) == 2


def test_a_reader_waits_for_the_upgrade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old file is not read by a newer program before the writer upgraded it: a sentence."""
    settings = Settings(data=tmp_path)
    open_store(settings).close()
    more = (*EPOCHS_STEPS, lambda db: db.execute("CREATE TABLE later (x)"))
    more[-1].__name__ = "later"
    monkeypatch.setattr("tracker.store.sqlite_open.EPOCHS_STEPS", more)
    reader = open_reader(settings)
    with pytest.raises(StoreError, match="start the service once"):
        reader.wearers()
    monkeypatch.setattr(module, "EPOCHS_STEPS", more)
    open_store(settings).close()
    assert list(reader.wearers()) == []
    reader.close()
