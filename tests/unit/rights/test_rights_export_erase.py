# SPDX-License-Identifier: Apache-2.0
"""Export holds everything about one wearer, erasure leaves nothing of them; both are audited."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from click.testing import CliRunner

from tests.fakes.series import T0, make_epochs, make_samples
from tracker.commands.erase import command as erase_command
from tracker.commands.export import command as export_command
from tracker.diary import AuditLine, Kind, Person, Role
from tracker.errors import InputError
from tracker.model import Gap, GapReason, Placement, Samples
from tracker.recording import read_recording
from tracker.rights.backup import make_backup, verify
from tracker.rights.columns import EPOCHS
from tracker.rights.erase import erase_wearer, holds
from tracker.rights.export import export_wearer
from tracker.rights.research import export_days
from tracker.settings import Settings
from tracker.store.base import Batch, CalibrationRecord, SensorConfig
from tracker.store.records import Records, open_records
from tracker.store.sqlite import SqliteStore, open_store

W, P = "w-secret-1", Placement.UPPER_BACK
OTHER = "w-other"
ALL = (0, 2**62)


def fill(store: SqliteStore, records: Records) -> None:
    """Two wearers with everything a store can hold."""
    for wearer in (W, OTHER):
        store.write(
            Batch(
                wearer=wearer, placement=P, epochs=make_epochs(T0, 800), raw=make_samples(T0, 3000),
                gaps=[Gap(start_ns=T0, end_ns=T0 + 1, reason=GapReason.LINK_LOST)],
            )
        )  # fmt: skip
        store.put_sensor(SensorConfig(address=f"AA-{wearer}", wearer=wearer, placement=P))
        store.put_calibration(wearer, P, CalibrationRecord(from_ns=1, kind="poses", body={"a": 1}))
        store.put_wearer_setting(wearer, "zone", "Europe/Berlin")
        records.put_person(
            Person(id=f"p-{wearer}", name="Anna", roles=frozenset({Role.WEARER}), wearer=wearer)
        )
        entry = records.put_entry(
            wearer, Kind.NOTE, {"text": f"mine {wearer}"}, at_ns=T0, day="2026-11-24", author="a"
        )
        records.edit_entry(entry.id, {"text": f"edited {wearer}"}, author="a")
        records.put_credential(f"p-{wearer}", "password", HASH)
        records.audit(
            AuditLine(
                at_ns=T0, viewer="p-x", wearer=wearer, scope="pain", action="read", allowed=False
            )
        )


GOOD = "drei blaue segel"
HASH = PasswordHasher.from_parameters(CHEAPEST).hash(GOOD)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a fresh folder."""
    return Settings(data=tmp_path / "data", zone="Europe/Berlin")


@pytest.fixture
def store(settings: Settings) -> Iterator[SqliteStore]:
    """The series."""
    opened = open_store(settings)
    yield opened
    opened.close()


@pytest.fixture
def records(settings: Settings, store: SqliteStore) -> Iterator[Records]:
    """The records; both stores are filled."""
    opened = open_records(settings)
    fill(store, opened)
    yield opened
    opened.close()


def test_export_holds_every_row_and_explains_every_column(
    store: SqliteStore, records: Records, tmp_path: Path
) -> None:
    """CSV and Parquet hold the same rows as the store; the README names each column of each."""
    target = tmp_path / "out.zip"
    export_wearer(W, series=store, records=records, target=target, now_ns=T0)
    with zipfile.ZipFile(target) as archive:
        names = set(archive.namelist())
        readme = archive.read("README.md").decode()
        rows = list(csv.DictReader(io.StringIO(archive.read(f"{P}/epochs.csv").decode())))
        table = pq.read_table(io.BytesIO(archive.read(f"{P}/epochs.parquet")))
        told = json.loads(archive.read("records.json"))
        everything = b"".join(archive.read(n) for n in names)
        for name in names:
            if name.endswith(".csv") and not name.endswith("days.csv"):
                for column in archive.read(name).decode().splitlines()[0].split(","):
                    assert f"| {column}" in readme, column
    assert list(rows[0]) == list(EPOCHS)
    assert len(rows) == 800
    assert table.num_rows == 800
    tilts = [None if r["tilt_deg"] == "" else float(r["tilt_deg"]) for r in rows]
    assert tilts == table["tilt_deg"].to_pylist()
    stored = store.epochs(W, P, *ALL).tilt_deg
    assert np.array_equal(
        np.array([np.nan if t is None else t for t in tilts], np.float32), stored, equal_nan=True
    )
    assert [e["body"]["text"] for e in told["entries"]] == [f"mine {W}", f"edited {W}"]
    assert told["audit"][0]["action"] == "read"
    assert OTHER.encode() not in everything
    assert b"argon-hash" not in everything


def test_exported_raw_is_a_recording_that_can_be_analysed(
    store: SqliteStore, records: Records, tmp_path: Path
) -> None:
    """Raw days come back through the product's own reader, equal to the stored samples."""
    target = tmp_path / "out.zip"
    export_wearer(W, series=store, records=records, target=target, now_ns=T0)
    with zipfile.ZipFile(target) as archive:
        archive.extract(f"{P}/raw/2026-11-24.parquet", tmp_path)
    read = read_recording(tmp_path / P / "raw" / "2026-11-24.parquet")
    samples = read if isinstance(read, Samples) else read.samples
    stored = store.raw(W, P, *ALL)
    assert np.array_equal(samples.t_ns, stored.t_ns)
    assert np.array_equal(samples.acc_g, stored.acc_g)


def test_export_of_nobody_is_refused_and_leaves_no_file(
    store: SqliteStore, records: Records, tmp_path: Path
) -> None:
    """A mistyped id is one sentence, not an empty ZIP."""
    with pytest.raises(InputError, match="check the id"):
        export_wearer("w-typo", series=store, records=records, target=tmp_path / "x.zip", now_ns=T0)
    assert not list(tmp_path.glob("*.zip*"))


def test_research_files_are_written_once_per_change(store: SqliteStore, tmp_path: Path) -> None:
    """One Parquet per day; a second run writes nothing; a changed day is written again."""
    store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0, 800)))
    store.refresh()
    first = export_days(W, series=store, folder=tmp_path)
    assert [p.name for p in first] == ["2026-11-24.parquet"]
    assert pq.read_table(first[0]).num_rows == 800
    assert export_days(W, series=store, folder=tmp_path) == []
    store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0, 900, seed=3)))
    store.refresh()
    assert export_days(W, series=store, folder=tmp_path) == first


def test_erasure_leaves_nothing_of_one_wearer_anywhere(
    settings: Settings, store: SqliteStore, records: Records
) -> None:
    """No file of the data folder, backups included, holds the pseudonym; the receipt neither."""
    backup = make_backup(settings, T0)
    assert holds(backup, W)

    def erase(in_backups: bool) -> object:
        return erase_wearer(
            W, series=store, records=records, influx=False, in_backups=in_backups, now_ns=T0,
            backups=settings.data / "backups", receipts=settings.data / "receipts",
        )  # fmt: skip

    first = erase(in_backups=False)
    assert first.backups_left == (backup.folder.name,)
    assert (first.series_rows > 800, first.record_rows > 3) == (True, True)
    second = erase(in_backups=True)
    assert (second.series_rows, second.record_rows) == (0, 0)
    assert second.backups_cleaned == (backup.folder.name,)
    verify(backup.folder)
    assert not holds(backup, W)
    assert holds(backup, OTHER)
    for file in settings.data.rglob("*"):
        if file.is_file():
            assert W.encode() not in file.read_bytes(), file
    assert len(store.epochs(OTHER, P, *ALL)) == 800
    assert len(records.entries(OTHER)) == 1
    assert [a.action for a in records.audit_lines("erased")].count("erase") == 2


def test_commands_export_and_erase_without_a_service(
    settings: Settings, store: SqliteStore, records: Records, tmp_path: Path
) -> None:
    """The commands do it end to end; the export stands in the audit, the receipt is printed."""
    store.close()
    records.close()
    env = settings.environment()
    out = tmp_path / "mine.zip"
    result = CliRunner().invoke(
        export_command, [W, "--out", str(out), "--no-raw"], env=env, input=GOOD
    )
    assert result.exit_code == 0, result.output
    assert out.stat().st_size > 1000
    result = CliRunner().invoke(erase_command, [W, "--yes"], env=env, input=GOOD)
    assert result.exit_code == 0, result.output
    receipt = json.loads(result.stdout)
    assert receipt["influx"] == "none"
    assert W not in result.output
    again = open_records(settings)
    assert [a.action for a in again.audit_lines()][-2:] == ["export", "erase"]
    again.close()


def test_an_erasure_while_the_dashboard_runs_is_finished_at_its_next_start(
    settings: Settings, store: SqliteStore, records: Records
) -> None:
    """Series go at once, the diary when the dashboard opens it next; the receipt says so."""
    store.close()
    result = CliRunner().invoke(erase_command, [W, "--yes"], env=settings.environment(), input=GOOD)
    assert result.exit_code == 0, result.output
    assert '"records": "queued"' in result.output
    assert len(records.entries(W)) == 1
    records.close()
    again = open_records(settings)
    assert again.entries(W, history=True) == []
    assert again.person_of(W) is None
    assert [a.action for a in again.audit_lines("erased")].count("erase") == 1
    again.close()
    for file in settings.data.rglob("*"):
        if file.is_file():
            assert W.encode() not in file.read_bytes(), file


def test_an_export_while_the_dashboard_runs_is_audited_later(
    settings: Settings, store: SqliteStore, records: Records, tmp_path: Path
) -> None:
    """The dashboard owns the file: the line waits beside it and is taken in at the next opening."""
    env = settings.environment()
    args = [W, "--out", str(tmp_path / "a.zip"), "--no-raw"]
    result = CliRunner().invoke(export_command, args, env=env, input=GOOD)
    assert result.exit_code == 0, result.output
    assert "export" not in [a.action for a in records.audit_lines()]
    records.close()
    for _ in range(2):
        again = open_records(settings)
        assert [a.action for a in again.audit_lines()].count("export") == 1
        again.close()
