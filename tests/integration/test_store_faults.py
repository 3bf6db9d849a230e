# SPDX-License-Identifier: Apache-2.0
"""The embedded store under faults with real processes: every acknowledged sample is there."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import lacking
from tests.fakes.series import T0, make_epochs
from tests.fakes.store_process import Writer
from tests.fakes.store_writer import HZ, START, WEARERS, P, raw_of, stored_seconds
from tracker.collect.keeper import Keeper
from tracker.errors import StoreBusy, StoreDamaged, StoreError, StoreFull
from tracker.model import GapReason
from tracker.settings import Settings
from tracker.store.base import Batch
from tracker.store.sqlite import open_reader, open_store

ROUNDS = [3, pytest.param(20, marks=pytest.mark.soak)]
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("rounds", ROUNDS)
def test_kill_9_of_the_writer_at_random_moments_loses_nothing(tmp_path: Path, rounds: int) -> None:
    """Each round: every acknowledged second is stored, bit for bit, once; the next run goes on."""
    settings = Settings(data=tmp_path / "data", zone="UTC")
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    stored = [0, 0]
    for _ in range(rounds):
        writer = Writer(settings.data)
        try:
            writer.wait_for("start")
            writer.wait_acked(min(stored) + chance.randrange(20, 150))
            time.sleep(chance.uniform(0, 0.05))
        finally:
            writer.kill()
        reader = open_reader(settings)
        stored = stored_seconds(reader)
        assert stored[0] == stored[1], "a transaction of both wearers was torn"
        assert writer.acked + 1 <= stored[0] <= writer.acked + 2
        reader.close()
    store = open_store(settings)
    assert list(store.integrity()) == []
    store.close()


def test_a_second_collector_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    """Two processes on one file: the second gets the sentence, the first loses nothing."""
    first = Writer(tmp_path / "data")
    try:
        first.wait_acked(5)
        second = subprocess.run(
            [sys.executable, "-m", "tests.fakes.store_writer", str(tmp_path / "data")],
            cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        assert second.returncode != 0
        assert "one file has one writing process" in second.stderr
        first.wait_acked(first.acked + 5)
    finally:
        first.kill()
    reader = open_reader(Settings(data=tmp_path / "data"))
    assert stored_seconds(reader)[0] >= first.acked + 1
    reader.close()


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[bool]:
    """A tmpfs of this size at `folder`; False where mounting is refused."""
    folder.mkdir()
    mounted = not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder],
        capture_output=True, check=False,
    ).returncode  # fmt: skip
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_is_said_and_what_was_acknowledged_stays(tmp_path: Path) -> None:
    """The write that finds no space is refused whole; with space again the next one is taken."""
    with small_disk(tmp_path / "small", "2m") as mounted:
        data = tmp_path / "small" / "data"
        options = [] if mounted else ["--limit", str(1 << 20)]  # a quota on file size instead
        writer = Writer(data, *options)
        try:
            refused = writer.wait_for("refused")
            writer.wait_for("end")
        finally:
            writer.end()
        assert refused.startswith("refused StoreFull no space left"), refused
        settings = Settings(data=data, zone="UTC")
        reader = open_reader(settings)
        assert stored_seconds(reader) == [writer.acked + 1] * 2
        reader.close()
        if mounted:
            subprocess.run(["mount", "-o", "remount,size=8m", tmp_path / "small"], check=True)
        store = open_store(settings)
        store.write(Batch(wearer="w-3", placement=P, epochs=make_epochs(T0, 10)))
        assert list(store.integrity()) == []
        store.close()


def test_a_full_disk_in_this_process_raises_and_recovers(tmp_path: Path) -> None:
    """The same store object goes on after space was made: the collector need not restart."""
    with small_disk(tmp_path / "small", "1m") as mounted:
        if not mounted:
            lacking("mounting a tmpfs is refused here; the test above uses a quota instead")
        ballast = tmp_path / "small" / "ballast"
        settings = Settings(data=tmp_path / "small" / "data", zone="UTC")
        store = open_store(settings)
        store.write(Batch(wearer="w", placement=P, epochs=make_epochs(T0, 10)))
        free = os.statvfs(tmp_path / "small").f_bavail * 4096
        ballast.write_bytes(b"x" * (free - 40_000))
        with pytest.raises(StoreFull):
            store.write(Batch(wearer="w", placement=P, epochs=make_epochs(T0, 17_000)))
        assert len(store.epochs("w", P, 0, 2**62)) == 10
        ballast.unlink()
        store.write(Batch(wearer="w", placement=P, epochs=make_epochs(T0, 2_000)))
        assert len(store.epochs("w", P, 0, 2**62)) == 2_000
        store.close()


def test_a_full_disk_under_a_collector_is_stored_or_a_gap(tmp_path: Path) -> None:
    """The collector's keeper on a real disk that fills up: every sample is there or in a gap.

    Samples wait in memory up to its limit; the oldest become one gap with the reason.
    """
    with small_disk(tmp_path / "small", "3m") as mounted:
        if not mounted:
            lacking("mounting a tmpfs is refused here; tests of the keeper use a fake disk")
        ballast = tmp_path / "small" / "ballast"
        settings = Settings(data=tmp_path / "small" / "data", zone="UTC")
        store = open_store(settings)
        keeper = Keeper(store, limit=20 * HZ)

        def seconds(first: int, last: int) -> list[bool]:
            batches = [Batch(wearer="w-1", placement=P, raw=raw_of("w-1", s))
                       for s in range(first, last)]  # fmt: skip
            return [keeper.write([batch]) for batch in batches]

        assert all(seconds(0, 20))
        free = os.statvfs(tmp_path / "small").f_bavail * 4096
        ballast.write_bytes(b"x" * (free - 8192))
        taken = seconds(20, 120)
        assert not taken[-1]
        assert "no space" in keeper.error
        ballast.unlink()
        assert all(seconds(120, 130))
        raw, gaps = store.raw("w-1", P, 0, 2**62), store.gaps("w-1", P, 0, 2**62)
        assert keeper.given_up > 0
        assert len(raw) + keeper.given_up == 130 * HZ
        stored = set(raw.t_ns.tolist())
        lost = [t for s in range(130) for t in raw_of("w-1", s).t_ns.tolist() if t not in stored]
        assert len(lost) == keeper.given_up
        assert {g.reason for g in gaps} == {GapReason.STORE_FULL}
        assert all(any(g.start_ns <= t < g.end_ns for g in gaps) for t in lost)
        assert list(store.integrity()) == []
        store.close()


def test_a_read_only_disk_is_a_sentence_and_stays_readable(tmp_path: Path) -> None:
    """Writing is refused with the reason; pages can still read everything."""
    with small_disk(tmp_path / "small", "4m") as mounted:
        if not mounted and os.getuid() == 0:
            lacking("root may write everywhere and mounting is refused here")
        settings = Settings(data=tmp_path / "small" / "data", zone="UTC")
        store = open_store(settings)
        store.write(Batch(wearer="w", placement=P, epochs=make_epochs(T0, 10)))
        store.close()
        if mounted:
            subprocess.run(["mount", "-o", "remount,ro", tmp_path / "small"], check=True)
        else:
            settings.data.chmod(0o500)
            settings.epochs_db.chmod(0o400)
        with pytest.raises(StoreError, match=r"check the folder's owner|cannot lock"):
            open_store(settings)
        reader = open_reader(settings)
        assert len(reader.epochs("w", P, 0, 2**62)) == 10
        reader.close()
        if not mounted:
            settings.data.chmod(0o700)


def test_corrupted_pages_are_found_and_named(tmp_path: Path) -> None:
    """Overwritten pages never give wrong numbers in silence: reading or the check says so."""
    settings = Settings(data=tmp_path / "data", zone="UTC")
    store = open_store(settings)
    for i in range(4):
        store.write(Batch(wearer=f"w-{i}", placement=P, epochs=make_epochs(T0, 3000, seed=i)))
    store.checkpoint()
    store.close()
    data = bytearray(settings.epochs_db.read_bytes())
    for page in range(40, len(data) // 4096, 3):
        data[page * 4096 : page * 4096 + 64] = b"\x5a" * 64
    settings.epochs_db.write_bytes(data)
    reader = open_reader(settings)
    try:
        found = list(reader.integrity())
    except StoreDamaged as error:
        found = [str(error)]
    reader.close()
    assert found
    reader = open_reader(settings)

    def read_all() -> None:
        for i in range(4):
            reader.epochs(f"w-{i}", P, 0, 2**62)

    with pytest.raises(StoreDamaged, match="backstay restore"):
        read_all()
    reader.close()


def test_readers_never_wait_for_the_writer(tmp_path: Path) -> None:
    """A reader that works back to back during writing meets no lock and only whole transactions."""
    settings = Settings(data=tmp_path / "data", zone="UTC")
    writer = Writer(settings.data)
    try:
        writer.wait_acked(3)
        reader = open_reader(settings)
        seen = 0
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            counts = [len(reader.raw(w, P, START, 2**62)) for w in WEARERS]
            assert counts[1] >= counts[0] >= seen
            seen = counts[0]
        reader.close()
        with pytest.raises(StoreBusy):
            open_store(settings)
    finally:
        writer.kill()
    assert seen > 0
