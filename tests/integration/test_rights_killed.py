# SPDX-License-Identifier: Apache-2.0
"""Erasure, backup and restore killed in the middle, at random steps of a real process.

Whatever the moment: run again, each comes to its end, and no data are lost or left behind.
"""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.series import T0, make_epochs, make_samples
from tracker.diary import Kind, Person, Role
from tracker.errors import StoreDamaged, StoreError
from tracker.model import Placement
from tracker.rights.backup import backups_folder, list_backups, make_backup, mark_changing, verify
from tracker.rights.restore import restore
from tracker.settings import Settings
from tracker.store.base import Batch
from tracker.store.records import open_records
from tracker.store.sqlite import open_reader, open_store

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = [2, pytest.param(20, marks=pytest.mark.soak)]
W, OTHER, P = "w-secret-77", "w-other", Placement.UPPER_BACK
ALL = (0, 2**62)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two wearers, a backup, and the files that a restore moved aside."""
    settings = Settings(data=tmp_path_factory.mktemp("filled") / "data", zone="UTC")
    with_store(settings, 700)
    records = open_records(settings)
    for wearer in (W, OTHER):
        person = Person(id=f"p-{wearer}", name="A", roles=frozenset({Role.WEARER}), wearer=wearer)
        records.put_person(person)
        records.put_entry(wearer, Kind.NOTE, {}, at_ns=T0, day="2026-11-24", author="a")
    records.close()
    backup = make_backup(settings, T0)
    restore(settings, backup.folder, T0)
    return settings.data


def with_store(settings: Settings, epochs: int) -> None:
    """Epochs and raw samples of both wearers."""
    store = open_store(settings)
    for wearer in (W, OTHER):
        store.write(
            Batch(
                wearer=wearer, placement=P, epochs=make_epochs(T0, epochs),
                raw=make_samples(T0, 3000),
            )
        )  # fmt: skip
    store.close()


@pytest.fixture
def chance() -> random.Random:
    """Where to kill; the seed is printed."""
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    return random.Random(seed)


def fresh(filled: Path, folder: Path) -> Settings:
    """A copy of the filled folder."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(filled, folder)
    return Settings(data=folder, zone="UTC")


def run(settings: Settings, step: int, *words: str) -> tuple[int, str, int]:
    """A command, killed at a step (0: never): exit code, stdout, number of steps."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fakes.killed", str(settings.data), str(step), *words],
        env=os.environ | settings.environment() | {"PYTHONPATH": str(ROOT)},
        cwd=settings.data.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    steps = 0 if done.returncode < 0 else int(done.stderr.splitlines()[-1])
    return done.returncode, done.stdout, steps


@pytest.mark.parametrize("rounds", ROUNDS)
def test_an_erasure_killed_anywhere_is_finished_by_the_next(
    filled: Path, tmp_path: Path, chance: random.Random, rounds: int
) -> None:
    """The second run leaves no byte of the wearer in any file; backups are whole, others stay."""
    words = ("erase", W, "--yes", "--in-backups")
    settings = fresh(filled, tmp_path / "data")
    code, out, steps = run(settings, 0, *words)
    assert (code, len(json.loads(out)["backups_cleaned"])) == (0, 2)
    for _ in range(rounds):
        settings = fresh(filled, tmp_path / "data")
        step = chance.randint(1, steps)
        print(f"killed at step {step} of {steps}")
        assert run(settings, step, *words)[0] == -9
        code, out, _ = run(settings, 0, *words)
        assert code == 0
        assert W not in out
        assert json.loads(out)["backups_left"] == []
        for file in settings.data.rglob("*"):
            assert not file.is_file() or W.encode() not in file.read_bytes(), file
        (backup,) = list_backups(backups_folder(settings))
        verify(backup.folder)
        reader = open_reader(settings)
        assert list(reader.wearers()) == [(OTHER, P)]
        assert len(reader.epochs(OTHER, P, *ALL)) == 700
        reader.close()


@pytest.mark.parametrize("rounds", ROUNDS)
def test_a_restore_killed_anywhere_leaves_no_half_of_the_old_data(
    filled: Path, tmp_path: Path, chance: random.Random, rounds: int
) -> None:
    """The service finds the old data, the new ones, or the sentence; run again, it is done."""
    settings = fresh(filled, tmp_path / "data")
    (backup,) = list_backups(backups_folder(settings))
    steps = run(settings, 0, "restore", str(backup.folder), "--yes")[2]
    for _ in range(rounds):
        settings = fresh(filled, tmp_path / "data")
        with_store(settings, 900)  # after the backup, so that old and new differ
        step = chance.randint(1, steps)
        print(f"killed at step {step} of {steps}")
        words = ("restore", str(backups_folder(settings) / backup.folder.name), "--yes")
        assert run(settings, step, *words)[0] == -9
        try:
            store = open_store(settings)
        except StoreError as error:
            assert f"run `backstay restore {words[1]}` again" in str(error)  # noqa: PT017
        else:
            assert len(store.epochs(W, P, *ALL)) in (700, 900)
            store.close()
        assert run(settings, 0, *words)[0] == 0
        store = open_store(settings)
        assert store.epochs(W, P, *ALL).equals(make_epochs(T0, 700))
        store.close()
        kept = [open_reader(replaced(f)) for f in settings.data.glob("before-restore-*/epochs.db")]
        assert 900 in [len(reader.epochs(W, P, *ALL)) for reader in kept]
        for reader in kept:
            reader.close()


def replaced(file: Path) -> Settings:
    """Settings of a folder with an epochs.db."""
    return Settings(data=file.parent, zone="UTC")


def test_a_backup_killed_anywhere_is_no_backup_and_leaves_nothing(
    filled: Path, tmp_path: Path, chance: random.Random
) -> None:
    """What is listed is whole; the next backup takes away what the killed one left."""
    settings = fresh(filled, tmp_path / "data")
    steps = run(settings, 0, "backup")[2]
    for _ in range(2):
        settings = fresh(filled, tmp_path / "data")
        step = chance.randint(2, steps)
        print(f"killed at step {step} of {steps}")
        assert run(settings, step, "backup")[0] == -9
        for backup in list_backups(backups_folder(settings)):
            verify(backup.folder)
        make_backup(settings, T0 + 10**9)
        assert not list(backups_folder(settings).glob(".*.part"))


def test_a_backup_in_the_middle_of_an_erasure_says_so(filled: Path, tmp_path: Path) -> None:
    """It is not called damaged for ever: the sentence names the way out, and the way works."""
    settings = fresh(filled, tmp_path / "data")
    (backup,) = list_backups(backups_folder(settings))
    mark_changing(backup)  # where a killed erasure leaves it
    with pytest.raises(StoreDamaged, match="--in-backups"):
        verify(backup.folder)
    assert run(settings, 0, "erase", W, "--yes", "--in-backups")[0] == 0
    verify(backup.folder)


def test_a_copy_that_cannot_be_read_is_named_and_stops_nothing(
    filled: Path, tmp_path: Path
) -> None:
    """A damaged backup stands among those left; the good one is cleaned all the same."""
    settings = fresh(filled, tmp_path / "data")
    (aside,) = settings.data.glob("before-restore-*")
    (aside / "epochs.db").write_bytes(b"no database" * 1000)
    code, out, _ = run(settings, 0, "erase", W, "--yes", "--in-backups")
    assert code == 0
    receipt = json.loads(out)
    assert receipt["backups_left"] == [aside.name]
    assert len(receipt["backups_cleaned"]) == 1


def test_a_restore_names_erasures_that_it_undoes(filled: Path, tmp_path: Path) -> None:
    """Somebody erased after the backup is back with it: the command says whose receipt."""
    settings = fresh(filled, tmp_path / "data")
    (backup,) = list_backups(backups_folder(settings))
    _, out, _ = run(settings, 0, "erase", W, "--yes")
    receipt = json.loads(out)
    assert receipt["backups_left"][0] == backup.folder.name
    done = subprocess.run(
        [sys.executable, "-m", "tracker", "restore", str(backup.folder), "--yes"],
        env=os.environ | settings.environment(), cwd=ROOT, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert receipt["id"] in done.stderr
