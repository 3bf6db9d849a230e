# SPDX-License-Identifier: Apache-2.0
"""Recorded first, analysed after: however far the analysis lags, nothing is lost or differs."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tracker import chain
from tracker.collect.assemble import Piece
from tracker.collect.intake import Work
from tracker.collect.series import Series
from tracker.collect.setups import setups
from tracker.model import SECOND_NS, Epochs, Placement, Samples
from tracker.simulation.days import workday
from tracker.store.base import Batch, SensorConfig
from tracker.store.sqlite import SqliteStore

WEARER = "w1"
PLACE = Placement.UPPER_BACK
AXES = "x=forward,y=left,z=up"
CONFIG = SensorConfig(
    address="C0:00:00:00:00:00", wearer=WEARER, placement=PLACE, options={"axes": AXES}
)
FOR_EVER = 1 << 62


@pytest.fixture(scope="module")
def day() -> Samples:
    """Ten minutes of a desk day."""
    return workday(np.random.default_rng(5), hours=0.17).samples


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A real store."""
    made = SqliteStore(tmp_path / "epochs.db", "UTC")
    yield made
    made.close()


def record(
    series: Series, store: SqliteStore, samples: Samples, *, full: bool = False
) -> list[Batch]:
    """Ten-second ticks onto the disk, and nothing analysed; what it refused while it is full."""
    refused: list[Batch] = []
    for a, b in pairwise([*range(0, len(samples), 500), len(samples)]):
        piece = samples[a:b]
        batches, fresh = series.record(Work(pieces=(Piece(samples=piece),)), int(piece.t_ns[-1]))
        if full:
            refused += batches
        else:
            store.write_many(batches)
        series.heard(fresh, Work(link="streaming"), clean=not full)
    return refused


def analyse(series: Series, store: SqliteStore) -> int:
    """Until nothing is left; how many turns it took."""
    for turn in range(1, 100):
        for part in series.analyse(0):
            store.write_many(part)
        if not series.behind:
            return turn
    raise AssertionError


def finish(series: Series, store: SqliteStore) -> None:
    """A clean stop."""
    for part in series.end(0):
        store.write_many(part)


def assert_equals_batch(store: SqliteStore, day: Samples) -> None:
    """All samples are stored, and the epochs are those of one analysis of them."""
    raw = store.raw(WEARER, PLACE, 0, FOR_EVER)
    assert np.array_equal(raw.t_ns, day.t_ns)
    setup = setups(PLACE, (), {}, axes=AXES)[-1].setup
    found: Epochs = store.epochs(WEARER, PLACE, 0, FOR_EVER)
    assert found.equals(chain.analyze(raw, setup).epochs)


@pytest.mark.parametrize("analysed", [0, 9000])
def test_killed_before_anything_was_analysed(
    store: SqliteStore, day: Samples, analysed: int
) -> None:
    """Raw samples alone are on the disk; the next process makes the same epochs of them."""
    series = Series(store, CONFIG)
    record(series, store, day[:analysed])
    analyse(series, store)
    record(series, store, day[analysed:20_000])
    again = Series(store, CONFIG)
    store.write_many(again.restore())
    record(again, store, day[20_000:])
    analyse(again, store)
    assert again.lag_ns == 0
    finish(again, store)
    assert_equals_batch(store, day)


def test_late_samples_beyond_the_analysis_are_not_forgotten(
    store: SqliteStore, day: Samples
) -> None:
    """After a restart a sensor sends what was missed before the analysis had its first turn."""
    series = Series(store, CONFIG)
    record(series, store, day[:5000])
    analyse(series, store)
    again = Series(store, CONFIG)
    store.write_many(again.restore())
    record(again, store, day[15_000:20_000])
    for a in range(5000, 15_000, 500):
        batches, _ = again.record(Work(late=(day[a : a + 500],)), int(day.t_ns[20_000]))
        store.write_many(batches)
    analyse(again, store)
    record(again, store, day[20_000:])
    finish(again, store)
    assert_equals_batch(store, day)


def test_more_than_memory_should_hold_is_read_from_the_disk(
    store: SqliteStore, day: Samples
) -> None:
    """An analysis that was away for minutes takes the rest from the disk, in order."""
    series = Series(store, CONFIG, waiting=1200)
    record(series, store, day[:5000])
    analyse(series, store)
    record(series, store, day[5000:20_000])
    assert sum(len(s) for s in series._fresh) <= 1200
    assert series.lag_ns > 250 * SECOND_NS
    analyse(series, store)
    record(series, store, day[20_000:])
    finish(series, store)
    assert_equals_batch(store, day)


def test_what_is_not_on_the_disk_is_not_analysed(store: SqliteStore, day: Samples) -> None:
    """While the disk is full the analysis waits; when it takes data again nothing is missing."""
    series = Series(store, CONFIG)
    record(series, store, day[:5000])
    analyse(series, store)
    refused = record(series, store, day[5000:9000], full=True)
    for _ in range(3):
        for part in series.analyse(0):
            assert all(b.epochs is None for b in part)
            store.write_many(part)
    assert series.analyst.last_ns == int(day.t_ns[4999])
    store.write_many(refused)  # the keeper's part, in order and before anything new
    record(series, store, day[9000:])
    analyse(series, store)
    finish(series, store)
    assert_equals_batch(store, day)


def test_stopped_with_an_hour_behind_leaves_it_to_the_next_start(
    store: SqliteStore, day: Samples
) -> None:
    """A clean stop does not wait for a long analysis; state and samples are enough to go on."""
    series = Series(store, CONFIG, waiting=1200)
    record(series, store, day[:5000])
    analyse(series, store)
    record(series, store, day[5000:20_000])
    store.write_many(series.analyst.end(all_there_is=False))
    again = Series(store, CONFIG)
    store.write_many(again.restore())
    analyse(again, store)
    record(again, store, day[20_000:])
    finish(again, store)
    assert_equals_batch(store, day)


def test_a_replay_before_the_first_live_sample_is_kept(store: SqliteStore, day: Samples) -> None:
    """What a sensor kept arrives before anything live: it waits a tick and is stored, once."""
    series = Series(store, CONFIG)
    record(series, store, day[:5000])
    early = Work(late=(day[5000:7000],))
    batches, fresh = series.record(early, 0)
    assert (batches, fresh) == ([], None)
    record(series, store, day[7000:8000])
    assert np.array_equal(store.raw(WEARER, PLACE, 0, FOR_EVER).t_ns, day.t_ns[:8000])
    series.record(Work(late=(day[8000:9000],)), 0)
    store.write_many(series.recorder.end(0))
    assert np.array_equal(store.raw(WEARER, PLACE, 0, FOR_EVER).t_ns, day.t_ns[:9000])


def test_late_samples_are_noted_before_they_are_written(store: SqliteStore, day: Samples) -> None:
    """Killed between the note and the samples, or right after them: the next start knows."""
    series = Series(store, CONFIG)
    record(series, store, day[:5000])
    record(series, store, day[7000:20_000])
    analyse(series, store)
    batches, _ = series.record(Work(late=(day[5000:7000],)), 0)
    again = Series(store, CONFIG)
    store.write_many(again.restore())
    assert again.late.from_ns == int(day.t_ns[5000])
    store.write_many(batches)
    analyse(again, store)
    record(again, store, day[20_000:])
    finish(again, store)
    assert_equals_batch(store, day)


def test_what_waits_for_its_rotation_survives_a_crash(store: SqliteStore, day: Samples) -> None:
    """A belt sends both halves apart: a process that dies between them leaves the first half."""
    series = Series(store, CONFIG)
    record(series, store, day[:5000])
    for waiting in (day[5000:5040], day[5000:5070]):
        series.recorder.spill(Work(waiting=waiting))
    again = Series(store, CONFIG)
    store.write_many(again.restore())
    assert np.array_equal(store.raw(WEARER, PLACE, 0, FOR_EVER).t_ns, day.t_ns[:5070])
    again.recorder.spill(Work())
    third = Series(store, CONFIG)
    store.write_many(third.restore())
    assert third.through_ns == int(day.t_ns[5069])
    record(third, store, day[5070:])
    finish(third, store)
    assert_equals_batch(store, day)


def test_an_erasure_takes_what_waits_with_it(store: SqliteStore, day: Samples) -> None:
    """No sample of anybody stays in the notes of the store."""
    series = Series(store, CONFIG)
    record(series, store, day[:500])
    series.recorder.spill(Work(waiting=day[500:540]))
    assert store.erase(WEARER) > 1
    again = Series(store, CONFIG)
    assert again.restore() == []
