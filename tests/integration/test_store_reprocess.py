# SPDX-License-Identifier: Apache-2.0
"""Re-analysis by day equals the live analysis, resumes, and survives the death of a worker."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tracker import chain
from tracker.collect.setups import at, record_of, setups
from tracker.commands.reprocess import command
from tracker.errors import ServiceError
from tracker.model import SECOND_NS, Epochs, Exercise, ExerciseSet, Placement, Samples, State
from tracker.reprocess import DayJob, Progress, days_with_raw, make_job, reprocess, run_job
from tracker.settings import Settings
from tracker.signal.calibrate import calibrate
from tracker.simulation.days import workday
from tracker.store.base import Batch
from tracker.store.sqlite import SqliteStore, open_reader, open_store

W, P = "w-1", Placement.UPPER_BACK
ALL = (0, 2**62)
MIDNIGHT = 1_795_474_800 * SECOND_NS  # 2026-11-24 00:00 in Berlin
LATER = MIDNIGHT + 10 * 86_400 * SECOND_NS


@pytest.fixture(scope="module")
def samples() -> Samples:
    """A little more than an hour around midnight, with a hole of two minutes."""
    day = workday(
        np.random.default_rng(5), hours=0.8, placement=P,
        start_ns=MIDNIGHT - 1500 * SECOND_NS, training=[Exercise.SQUAT],
    )  # fmt: skip
    hole = (day.samples.t_ns > MIDNIGHT + 300 * SECOND_NS) & (
        day.samples.t_ns < MIDNIGHT + 420 * SECOND_NS
    )
    gyr = day.samples.gyr_dps
    return Samples(
        t_ns=day.samples.t_ns[~hole],
        acc_g=day.samples.acc_g[~hole],
        gyr_dps=None if gyr is None else gyr[~hole],
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a fresh folder."""
    return Settings(data=tmp_path / "data", zone="Europe/Berlin")


@pytest.fixture
def store(settings: Settings, samples: Samples) -> Iterator[SqliteStore]:
    """Raw samples and the calibration, no results yet."""
    opened = open_store(settings)
    made = calibrate(samples[:1500], P)
    opened.put_calibration(W, P, record_of(made, from_ns=int(samples.t_ns[0]), kind="auto"))
    opened.write(Batch(wearer=W, placement=P, raw=samples))
    yield opened
    opened.close()


def live(store: SqliteStore, samples: Samples) -> Epochs:
    """What the collector makes of the samples as they come, minute by minute."""
    known = setups(P, store.calibrations(W, P), {})
    index = at(known, int(samples.t_ns[0])) or 0
    state = chain.start(known[index].setup)
    parts = []
    for a in range(0, len(samples), 3000):
        state, result = chain.advance(state, samples[a : a + 3000])
        parts.append(result.epochs)
    _, result = chain.finish(state)
    return chain.merge_epochs([*parts, result.epochs])


def jobs(store: SqliteStore, *, force: bool = False) -> list[DayJob | None]:
    """Jobs of every finished day."""
    days = days_with_raw(store, W, P, "0000", "9999", LATER)
    assert [d.isoformat() for d in days] == ["2026-11-23", "2026-11-24"]
    return [make_job(store, W, P, day, force=force) for day in days]


def run(store: SqliteStore, executor: Executor, *, force: bool = False) -> Progress:
    """Re-analyse everything."""
    made = jobs(store, force=force)
    return reprocess(store, store, executor, iter(made), len(made))


def test_reprocessed_days_equal_the_live_result(store: SqliteStore, samples: Samples) -> None:
    """Two days done apart hold exactly the epochs of a live run, across midnight and a hole."""
    expected = live(store, samples)
    with ThreadPoolExecutor(1) as executor:
        assert run(store, executor) == Progress(total=2, done=2)
    stored = store.epochs(W, P, *ALL)
    assert stored.equals(expected)
    assert "day-" in stored.algo
    assert store.days(W, P, "2026-11-23", "2026-11-24")[1].values["seen_s"] > 0


def test_a_second_run_skips_and_force_repeats_with_equal_numbers(store: SqliteStore) -> None:
    """What is up to date is skipped; a new setting or `force` does it again; nothing doubles."""
    with ThreadPoolExecutor(1) as executor:
        run(store, executor)
        before = store.epochs(W, P, *ALL)
        assert run(store, executor) == Progress(total=2, skipped=2)
        assert run(store, executor, force=True) == Progress(total=2, done=2)
        assert store.epochs(W, P, *ALL).equals(before)
        store.put_wearer_setting(W, "slouch_over_pct", 70)
        assert run(store, executor) == Progress(total=2, done=2)


def test_epochs_without_raw_stay(store: SqliteStore, samples: Samples) -> None:
    """Retention took the raw of the morning: a re-analysis leaves its epochs alone."""
    with ThreadPoolExecutor(1) as executor:
        run(store, executor)
        before = store.epochs(W, P, *ALL)
        cut_us = (MIDNIGHT - 600 * SECOND_NS) // 1000
        with store._writing() as db:
            db.execute("DELETE FROM raw WHERE end_us < ?", (cut_us,))
        assert run(store, executor).done >= 1
    after = store.epochs(W, P, *ALL)
    assert np.array_equal(after.start_ns, before.start_ns)
    old = after.start_ns < MIDNIGHT - 700 * SECOND_NS
    assert after[old].equals(before[old])


def test_what_a_person_said_stays(store: SqliteStore) -> None:
    """A corrected stretch keeps the person's state, a confirmed set stays as it was told."""
    start = MIDNIGHT - 1200 * SECOND_NS
    told = ExerciseSet(
        start_ns=start, end_ns=start + 60 * SECOND_NS, exercise=Exercise.PLANK, reps=0,
        hold_s=60.0, confidence="high", source="user",
    )  # fmt: skip
    store.write(Batch(wearer=W, placement=P, sets=[told]))
    entry = {"placement": str(P), "start_ns": start, "end_ns": start + 60 * SECOND_NS,
             "state": "lying"}  # fmt: skip
    store.put_wearer_setting(W, "corrections", [entry])
    with ThreadPoolExecutor(1) as executor:
        run(store, executor)
    part = store.epochs(W, P, start, start + 60 * SECOND_NS)
    assert set(part.state.tolist()) == {int(State.LYING)}
    assert told in store.sets(W, P, *ALL)


def test_a_day_that_fails_is_named_and_the_others_go_on(store: SqliteStore) -> None:
    """One broken job leaves its day as it was and the run goes on."""
    first, second = jobs(store)
    assert first is not None
    broken = replace(first, raw=first.raw[:-50])
    with ThreadPoolExecutor(1) as executor:
        done = reprocess(store, store, executor, iter([broken, second]), 2)
    assert (done.done, len(done.failed)) == (1, 1)
    assert "2026-11-23" in done.failed[0]
    assert len(store.epochs(W, P, 0, MIDNIGHT)) == 0


def test_command_runs_and_resumes(settings: Settings, store: SqliteStore) -> None:
    """The command redoes all days, a second run says that nothing was left to do."""
    store.close()
    for sentence in ("2 days redone, 0 were", "0 days redone, 2 were"):
        env = settings.environment() | {"BACKSTAY_CLOCK": f"{LATER}@1"}
        result = CliRunner().invoke(command, [], env=env)
        assert result.exit_code == 0, result.output
        assert sentence in result.output


def test_a_command_that_is_killed_goes_on_where_it_was(
    settings: Settings, store: SqliteStore, samples: Samples
) -> None:
    """`kill -9` after the first day is stored: the second run does the rest, equal to live."""
    expected = live(store, samples)
    store.close()
    env = settings.environment() | {"BACKSTAY_CLOCK": f"{LATER}@1"}
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW], env=os.environ | env | {"PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    reader = open_reader(settings)
    deadline = time.monotonic() + 120
    while not len(reader.epochs(W, P, 0, MIDNIGHT)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.wait()
    assert len(reader.epochs(W, P, MIDNIGHT, 2**62)) == 0
    result = CliRunner().invoke(command, [], env=env)
    assert "1 days redone, 1 were" in result.output
    assert reader.epochs(W, P, *ALL).equals(expected)
    reader.close()


SLOW = """
import time
from tracker import reprocess
plain = reprocess.run_job
def slowly(job):
    if job.day > "2026-11-23":
        time.sleep(600)
    return plain(job)
reprocess.run_job = slowly
from tracker.commands.reprocess import command
command([])
"""


@contextmanager
def dask_cluster(folder: Path, workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A real scheduler and real workers, each its own process, on loopback."""
    where = folder / "scheduler.json"
    log = (folder / "log").open("wb")
    env = os.environ | {"PYTHONPATH": str(Path.cwd())}

    def begin(program: str, *options: str) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", f"distributed.cli.{program}", "--host", "127.0.0.1",
                 "--no-dashboard", "--scheduler-file", str(where), *options]  # fmt: skip
        return subprocess.Popen(words, env=env, cwd=folder, stdout=log, stderr=log)

    started = [begin("dask_scheduler", "--port", "0")]
    try:
        options = ("--no-nanny", "--nthreads", "1", "--memory-limit", "0")
        started += [begin("dask_worker", *options) for _ in range(workers)]
        deadline = time.monotonic() + 60
        while not where.exists():
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.1)
        yield json.loads(where.read_text())["address"], started[1:]
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()
        log.close()


def slow_job(job: DayJob) -> list[Batch]:
    """A job that takes long enough for a worker to be killed under it."""
    time.sleep(0.5)
    return run_job(job)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning:distributed")
def test_dask_cluster_survives_the_death_of_a_worker(
    store: SqliteStore, samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scheduler and two workers on loopback; one is killed in the middle; all days are equal."""
    pytest.importorskip("distributed", reason="install backstay[cluster]")
    from distributed import Client

    from tracker import reprocess as module
    from tracker.cluster import dask_executor

    expected = live(store, samples)
    made = jobs(store)
    many = [made[0], made[1]] * 2  # the same days again: writing twice changes nothing
    monkeypatch.setattr(module, "run_job", slow_job)
    with dask_cluster(tmp_path, 2) as (address, workers):
        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        killed: list[int] = []

        def tell(progress: Progress) -> None:
            if progress.done == 1 and not killed:
                os.kill(workers[0].pid, signal.SIGKILL)
                killed.append(workers[0].pid)

        with dask_executor(address) as executor:
            done = reprocess(store, store, executor, iter(many), len(many), ahead=4, tell=tell)
    assert killed
    assert done == Progress(total=4, done=4)
    assert store.epochs(W, P, *ALL).equals(expected)


def test_no_scheduler_is_a_sentence() -> None:
    """An address where nobody listens says how to start one."""
    pytest.importorskip("distributed", reason="install backstay[cluster]")
    from tracker.cluster import dask_executor

    with (
        pytest.raises(ServiceError, match="dask scheduler"),
        dask_executor("tcp://127.0.0.1:9", timeout_s=0.5),
    ):
        pass
