# SPDX-License-Identifier: Apache-2.0
"""The stored epochs are those of one batch analysis, however the samples arrived."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tracker import chain
from tracker.collect.assemble import Piece
from tracker.collect.intake import Work
from tracker.collect.series import Series
from tracker.collect.setups import record_of, setups
from tracker.model import (
    EPOCH_NS,
    SECOND_NS,
    Epochs,
    Gap,
    GapReason,
    Placement,
    Pose,
    Samples,
    State,
)
from tracker.signal.calibrate import calibrate
from tracker.signal.results import Setup
from tracker.simulation.days import workday
from tracker.store.base import SensorConfig
from tracker.store.sqlite import SqliteStore

WEARER = "w1"
PLACE = Placement.UPPER_BACK
CONFIG = SensorConfig(address="C0:00:00:00:00:00", wearer=WEARER, placement=PLACE)
START_NS = 1_795_420_800 * SECOND_NS
FOR_EVER = 1 << 62


@pytest.fixture(scope="module")
def day() -> Samples:
    """Twenty minutes of a desk day."""
    made = workday(np.random.default_rng(5), hours=0.35, start_ns=START_NS)
    return made.samples


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A real store."""
    made = SqliteStore(tmp_path / "epochs.db", "Europe/Berlin")
    yield made
    made.close()


def calibrated(store: SqliteStore, day: Samples) -> Setup:
    """Store a calibration from the first seconds; the setup it makes."""
    t0 = int(day.t_ns[0])
    spans = {Pose.STANDING: [(t0, t0 + 15 * SECOND_NS)]}
    made = calibrate(day[:1000], PLACE, None, spans)
    store.put_calibration(WEARER, PLACE, record_of(made, from_ns=t0, kind="poses"))
    return Setup(placement=PLACE, calibration=made)


def step(series: Series, store: SqliteStore, work: Work, now_ns: int) -> None:
    """One tick as the hub does it; every part in one transaction, as a crash would leave them."""
    batches, fresh = series.record(work, now_ns)
    store.write_many(batches)
    series.heard(fresh, work, clean=True)
    analyse(series, store, now_ns)


def analyse(series: Series, store: SqliteStore, now_ns: int = 0) -> None:
    """Take in what is on the disk."""
    for part in series.analyse(now_ns):
        store.write_many(part)


def rework(series: Series, store: SqliteStore, now_ns: int) -> None:
    """Analyse again what came late, which must be due."""
    made = series.rework(now_ns)
    assert made
    store.write_many(made)
    series.late.done()


def begun(store: SqliteStore) -> Series:
    """A process starts on what the store holds."""
    series = Series(store, CONFIG)
    store.write_many(series.restore())
    return series


def end(series: Series, store: SqliteStore) -> None:
    """A clean stop."""
    for part in series.end(0):
        store.write_many(part)


def play(series: Series, store: SqliteStore, samples: Samples, tick_s: float = 7.0) -> None:
    """In ticks of a few seconds, which end anywhere in an epoch."""
    if not len(samples):
        return
    size = int(tick_s * SECOND_NS)
    edges = np.arange(samples.t_ns[0], samples.t_ns[-1] + size, size)
    cuts = [*np.searchsorted(samples.t_ns, edges).tolist(), len(samples)]
    for a, b in pairwise(cuts):
        if b > a:
            part = samples[a:b]
            work = Work(pieces=(Piece(samples=part),), link="streaming")
            step(series, store, work, int(part.t_ns[-1]))


def stored(store: SqliteStore) -> Epochs:
    """All epochs."""
    return store.epochs(WEARER, PLACE, 0, FOR_EVER)


def batch(store: SqliteStore, setup: Setup) -> Epochs:
    """One analysis of all samples that are stored."""
    return chain.analyze(store.raw(WEARER, PLACE, 0, FOR_EVER), setup).epochs


def assert_same(a: Epochs, b: Epochs) -> None:
    """Equal, and say where not."""
    assert len(a) == len(b)
    differ = np.flatnonzero(a.state != b.state)
    assert not len(differ), (a.start_ns[differ], a.state[differ], b.state[differ])
    assert a.equals(b)


def test_live_equals_batch(store: SqliteStore, day: Samples) -> None:
    """Tick by tick through the store gives the epochs of one analysis of all samples."""
    setup = calibrated(store, day)
    series = Series(store, CONFIG)
    play(series, store, day)
    end(series, store)
    assert_same(stored(store), batch(store, setup))
    assert np.array_equal(store.raw(WEARER, PLACE, 0, FOR_EVER).t_ns, day.t_ns)


@pytest.mark.parametrize("at", [0.11, 0.72])
def test_after_a_crash_equals_batch(store: SqliteStore, day: Samples, at: float) -> None:
    """A process that vanishes and starts again on the store alone continues as if nothing was."""
    setup = calibrated(store, day)
    cut = int(at * len(day))
    play(Series(store, CONFIG), store, day[:cut])
    again = begun(store)
    play(again, store, day[cut:])
    end(again, store)
    assert_same(stored(store), batch(store, setup))


def test_late_samples_equal_batch(store: SqliteStore, day: Samples) -> None:
    """Samples that a sensor kept and sent ten minutes later change the minutes they belong to."""
    setup = calibrated(store, day)
    n = len(day)
    a, b, c = int(0.3 * n), int(0.45 * n), int(0.7 * n)
    series = Series(store, CONFIG)
    play(series, store, day[:a])
    play(series, store, day[b:c])
    without = batch(store, setup)
    late = tuple(day[i : i + 2000] for i in range(a, b, 2000))
    now = int(day.t_ns[c])
    step(series, store, Work(late=late), now)
    assert not series.analyst.rework_due(now)
    assert series.analyst.rework_due(now + 3 * SECOND_NS)
    rework(series, store, FOR_EVER)
    play(series, store, day[c:])
    end(series, store)
    assert len(stored(store)) > len(without)
    assert_same(stored(store), batch(store, setup))


def test_crash_between_late_samples_and_their_analysis(store: SqliteStore, day: Samples) -> None:
    """The note of what came late survives the process: the next start analyses it."""
    setup = calibrated(store, day)
    n = len(day)
    a, b, c = int(0.3 * n), int(0.45 * n), int(0.7 * n)
    series = Series(store, CONFIG)
    play(series, store, day[:a])
    play(series, store, day[b:c])
    step(series, store, Work(late=(day[a:b],)), int(day.t_ns[c]))
    again = begun(store)
    play(again, store, day[c:])
    end(again, store)
    assert_same(stored(store), batch(store, setup))


def test_late_samples_before_the_first_calibration(store: SqliteStore, day: Samples) -> None:
    """A hole in the first twenty seconds is filled before anything is known of the mounting."""
    series = Series(store, CONFIG)
    play(series, store, day[:300])
    play(series, store, day[500:600])
    for part in (day[300:450], day[450:500]):  # the second comes after the first was quiet
        now = int(day.t_ns[600]) + 9 * SECOND_NS
        step(series, store, Work(late=(part,)), now)
        assert not series.analyst.rework_due(now + 3 * SECOND_NS)
    play(series, store, day[600:3000])
    assert series.analyst.rework_due(int(day.t_ns[3000]))
    rework(series, store, FOR_EVER)
    end(series, store)
    setup = setups(PLACE, store.calibrations(WEARER, PLACE), {})[0].setup
    assert_same(stored(store), batch(store, setup))


def test_without_calibration_one_is_made_and_kept(store: SqliteStore, day: Samples) -> None:
    """An uncalibrated sensor gives epochs after 20 s, from a mounting stored as `auto`."""
    series = Series(store, CONFIG)
    play(series, store, day[:15_000])
    end(series, store)
    (record,) = store.calibrations(WEARER, PLACE)
    assert (record.kind, record.from_ns) == ("auto", int(day.t_ns[0]))
    assert len(stored(store)) > 50


def test_a_calibration_holds_from_its_time(store: SqliteStore, day: Samples) -> None:
    """A calibration made later changes nothing before it and everything after it."""
    setup = calibrated(store, day)
    series = Series(store, CONFIG)
    half = len(day) // 2
    play(series, store, day[:half])
    from_ns = int(day.t_ns[half - 3000])  # the recording of the poses began a minute ago
    new = replace(setup.calibration, tall_deg=1.0, slumped_deg=12.0)
    store.put_calibration(WEARER, PLACE, record_of(new, from_ns=from_ns, kind="poses"))
    series.analyst.reload()
    rework(series, store, FOR_EVER)
    play(series, store, day[half:])
    end(series, store)
    cut = half - 3000
    before = chain.analyze(day[:cut], setup).epochs
    after = chain.analyze(day[cut:], replace(setup, calibration=new)).epochs
    found = stored(store)
    assert_same(found[found.start_ns > from_ns], after[after.start_ns > from_ns])
    assert_same(found[found.start_ns < from_ns - 5 * SECOND_NS], before[: len(before) - 1])


def test_the_wearers_word_holds_over_a_new_analysis(store: SqliteStore, day: Samples) -> None:
    """Epochs that a person corrected keep that state when later samples revise their minutes."""
    calibrated(store, day)
    series = Series(store, CONFIG)
    play(series, store, day[:6000])
    start = int(day.t_ns[0]) // EPOCH_NS * EPOCH_NS
    said = {"start_ns": start, "end_ns": start + 60 * SECOND_NS, "state": "lying"}
    store.put_wearer_setting(WEARER, "corrections", [{**said, "placement": str(PLACE)}])
    series.analyst.reload()
    series.late.mark(start)
    rework(series, store, FOR_EVER)
    found = stored(store)
    inside = found.start_ns < start + 60 * SECOND_NS
    assert set(found.state[inside].tolist()) == {State.LYING}
    assert State.LYING not in found.state[~inside]


def test_gaps_keep_what_late_samples_did_not_fill(store: SqliteStore, day: Samples) -> None:
    """Half of an outage was replayed: the gap that is stored is the other half."""
    calibrated(store, day)
    series = Series(store, CONFIG)
    play(series, store, day[:5000])
    play(series, store, day[8000:9000])
    gap = Gap(
        start_ns=int(day.t_ns[4999]), end_ns=int(day.t_ns[8000]), reason=GapReason.OUT_OF_REACH
    )
    now = int(day.t_ns[9000])
    step(series, store, Work(late=(day[5000:6500],)), now)
    step(series, store, Work(check=(gap,)), now)
    (kept,) = store.gaps(WEARER, PLACE, 0, FOR_EVER)
    assert kept == replace(gap, start_ns=int(day.t_ns[6499]))


def test_a_hole_nobody_explained_is_the_collectors(store: SqliteStore, day: Samples) -> None:
    """After a crash during an outage the next start names the hole."""
    calibrated(store, day)
    series = Series(store, CONFIG)
    play(series, store, day[:5000])
    play(series, store, day[8000:9000])
    begun(store)
    (gap,) = store.gaps(WEARER, PLACE, 0, FOR_EVER)
    assert gap.reason is GapReason.COLLECTOR_DOWN
    assert (gap.start_ns, gap.end_ns) == (int(day.t_ns[4999]), int(day.t_ns[8000]))


def test_live_row_shows_no_old_state_as_new(store: SqliteStore, day: Samples) -> None:
    """While samples flow the row has state, tilt and trace; 31 s after the last it claims none."""
    calibrated(store, day)
    series = Series(store, CONFIG)
    play(series, store, day[:10_000])
    live = store.live(WEARER, PLACE)
    assert live is not None
    assert live.link == "streaming"
    assert np.isfinite(live.tilt_deg)
    assert sum(np.isfinite(live.trace)) >= 58
    step(series, store, Work(link="lost"), live.at_ns + 31 * SECOND_NS)
    later = store.live(WEARER, PLACE)
    assert later is not None
    assert (later.state.label, later.confidence) == ("unknown", 0.0)
    assert np.isnan(later.tilt_deg)


def test_a_long_silence_settles_and_changes_nothing(store: SqliteStore, day: Samples) -> None:
    """After 30 s without samples the last epochs are given out; what follows equals one batch."""
    setup = calibrated(store, day)
    a, b = 5003, 9001
    series = Series(store, CONFIG)
    play(series, store, day[:a])
    before = len(stored(store))
    step(series, store, Work(link="lost"), int(day.t_ns[a]) + 31 * SECOND_NS)
    assert len(stored(store)) > before
    play(series, store, day[b:])
    end(series, store)
    assert_same(stored(store), batch(store, setup))
