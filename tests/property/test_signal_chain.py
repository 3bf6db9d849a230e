# SPDX-License-Identifier: Apache-2.0
"""What must hold for every stream: splits, mountings and gains change nothing; faults never lie."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker import chain
from tracker.errors import InputError
from tracker.model import EPOCH_NS, Placement, Pose, Samples, State
from tracker.signal.calibrate import Axes, calibrate

PLACES = (Placement.UPPER_BACK, Placement.CHEST, Placement.WAIST, Placement.UNKNOWN)


def person(seed: int, seconds: int = 240, fs: float = 50.0, *, gyro: bool = True) -> Samples:
    """Sitting, a slouch, standing up, walking, standing; then a gap and sitting again."""
    rng = np.random.default_rng(seed)
    n = int(seconds * fs)
    t = np.arange(n) / fs
    part = np.minimum((t / (seconds / 4)).astype(int), 3)
    lean = np.array([0.0, 24.0, 4.0, 2.0])[part] + 0.4 * np.sin(2 * np.pi * 0.25 * t)
    lean += rng.normal(0, 3)
    acc = np.stack([-np.sin(np.radians(lean)), np.zeros(n), np.cos(np.radians(lean))], axis=1)
    walk = part == 2
    acc[walk, 2] += 0.2 * np.sin(2 * np.pi * 1.8 * t[walk]) + 0.08 * np.sin(
        2 * np.pi * 3.6 * t[walk]
    )
    acc[walk, 1] += 0.1 * np.sin(2 * np.pi * 0.9 * t[walk])
    acc += rng.normal(0, 0.003, (n, 3))
    gyr = rng.normal(0, 0.5, (n, 3)) + 20 * walk[:, None] * np.sin(2 * np.pi * 0.9 * t)[:, None]
    t_us = np.rint(t * 1e6).astype(np.int64)
    t_us[3 * n // 4 :] += int(rng.integers(0, 60)) * 1_000_000
    return Samples(
        t_ns=t_us * 1000,
        acc_g=acc.astype(np.float32),
        gyr_dps=gyr.astype(np.float32) if gyro else None,
    )


def through(
    samples: Samples, setup: chain.Setup, cuts: list[int], *, reload: bool
) -> chain.Results:
    """The stream in pieces, with the state saved and loaded after every piece."""
    state = chain.start(setup)
    parts = []
    for a, b in pairwise([0, *cuts, len(samples)]):
        state, result = chain.advance(state, samples[a:b])
        parts.append(result)
        if reload:
            state = chain.load(chain.dump(state), setup)
    _, result = chain.finish(state)
    parts.append(result)
    return replace(
        result,
        epochs=chain.merge_epochs([p.epochs for p in parts]),
        transitions=tuple(x for p in parts for x in p.transitions),
        sets=tuple(x for p in parts for x in p.sets),
        slouch_events=tuple(x for p in parts for x in p.slouch_events),
        shifts=tuple(x for p in parts for x in p.shifts),
        warnings=tuple(dict.fromkeys(x for p in parts for x in p.warnings)),
    )


@settings(max_examples=25)
@given(
    seed=st.integers(0, 50),
    fs=st.sampled_from([10.0, 25.0, 31.7, 50.0, 104.0]),
    gyro=st.booleans(),
    place=st.sampled_from(PLACES),
    cuts=st.lists(st.floats(0, 1), max_size=12),
    reload=st.booleans(),
)
def test_any_split_gives_the_same_results(
    seed: int, fs: float, gyro: bool, place: Placement, cuts: list[float], reload: bool
) -> None:
    """Splitting the stream anywhere, even saving and loading in between, changes no bit."""
    samples = person(seed, fs=fs, gyro=gyro)
    poses = {Pose.SITTING_TALL: [(0, 20_000_000_000)]}
    setup = chain.Setup(
        placement=place,
        calibration=calibrate(samples, place, Axes.parse("x=forward,y=left,z=up"), poses),
    )
    whole = chain.analyze(samples, setup)
    places = sorted({int(c * len(samples)) for c in cuts})
    pieces = through(samples, setup, places, reload=reload)
    assert pieces.epochs.equals(whole.epochs)
    assert pieces.transitions == whole.transitions
    assert pieces.sets == whole.sets
    assert pieces.slouch_events == whole.slouch_events
    assert pieces.shifts == whole.shifts
    told = tuple(w for w in whole.warnings if w not in setup.calibration.warnings)
    assert tuple(w for w in pieces.warnings if w not in setup.calibration.warnings) == told


def test_packets_of_a_few_samples_equal_the_batch() -> None:
    """The live path, packet by packet, ends in the table of the batch."""
    samples = person(3, seconds=160)
    setup = chain.Setup(placement=Placement.CHEST)
    whole = chain.analyze(samples, setup)
    pieces = through(samples, setup, list(range(7, len(samples), 40)), reload=False)
    assert pieces.epochs.equals(whole.epochs)


_TURNS = {
    "x=forward,y=left,z=up": np.eye(3),
    "x=up,y=left,z=back": np.array([[0, 0, -1], [0, 1, 0], [1, 0, 0]]).T,
    "x=down,y=right,z=back": np.array([[0, 0, -1], [0, -1, 0], [-1, 0, 0]]).T,
    "x=left,y=down,z=back": np.array([[0, 0, -1], [1, 0, 0], [0, -1, 0]]).T,
}


@pytest.mark.parametrize("text", list(_TURNS))
def test_turning_the_sensor_and_its_axes_together_changes_nothing(text: str) -> None:
    """Any mounting, upside down too, gives the same epochs when the axes say so."""
    samples = person(5)
    turn = Axes.parse(text).rotation().T  # body -> sensor
    moved = Samples(
        t_ns=samples.t_ns,
        acc_g=(samples.acc_g @ turn.T).astype(np.float32),
        gyr_dps=(samples.gyr_dps @ turn.T).astype(np.float32),  # type: ignore[operator]
    )
    results = []
    for data, axes in ((samples, "x=forward,y=left,z=up"), (moved, text)):
        cal = calibrate(data, Placement.CHEST, Axes.parse(axes))
        results.append(chain.analyze(data, chain.Setup(placement=Placement.CHEST, calibration=cal)))
    a, b = results[0].epochs, results[1].epochs
    assert np.array_equal(a.state, b.state)
    assert np.abs(a.tilt_deg - b.tilt_deg).max() < 0.25


def bender(seed: int) -> Samples:
    """Sits, walks, bends forward twenty times, leans, walks again; chest or back, body axes."""
    rng = np.random.default_rng(seed)
    fs = 50
    bend = [np.linspace(2, 50, 60), np.linspace(50, 2, 60)]
    parts = [
        (np.zeros(60 * fs), False),
        (np.full(60 * fs, 3.0), True),
        *((piece, False) for _ in range(20) for piece in (np.full(12 * fs, 2.0), *bend)),
        (np.full(60 * fs, 14.0), False),
        (np.full(60 * fs, 4.0), True),
        (np.full(40 * fs, 2.0), False),
    ]
    walk = np.concatenate([np.full(part.size, on) for part, on in parts])
    lean = np.concatenate([part for part, _ in parts])
    lean = np.convolve(np.pad(lean, 12, mode="edge"), np.full(25, 1 / 25), "valid")
    t = np.arange(lean.size) / fs
    a = np.radians(lean + 0.4 * np.sin(2 * np.pi * 0.25 * t))
    push = 1 + walk * (0.2 * np.sin(2 * np.pi * 1.8 * t) + 0.08 * np.sin(2 * np.pi * 3.6 * t))
    ahead = walk * 0.06 * np.sin(2 * np.pi * 1.8 * t + 1)
    sway = walk * 0.1 * np.sin(2 * np.pi * 0.9 * t)
    acc = np.stack([ahead - np.sin(a) * push, sway, np.cos(a) * push], axis=1)
    return Samples(
        t_ns=np.arange(lean.size, dtype=np.int64) * 20_000_000,
        acc_g=(acc + rng.normal(0, 0.003, acc.shape)).astype(np.float32),
    )


@settings(max_examples=8)
@given(turn=st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: sum(v * v for v in q) > 0.1))
def test_where_somebody_walks_turning_the_sensor_alone_changes_nothing(
    turn: tuple[float, float, float, float],
) -> None:
    """Any rotation at all, upside down too: up comes from walking, forward from bends."""
    samples = bender(3)
    w, x, y, z = np.array(turn) / np.linalg.norm(turn)
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    moved = replace(samples, acc_g=(samples.acc_g @ rotation.T).astype(np.float32))
    tables = []
    for data in (samples, moved):
        cal = calibrate(data, Placement.UPPER_BACK)
        assert cal.method == ("walking", "sagittal")
        setup = chain.Setup(placement=Placement.UPPER_BACK, calibration=cal)
        tables.append(chain.analyze(data, setup).epochs)
    a, b = tables
    assert np.array_equal(a.state, b.state)
    assert np.abs(a.tilt_deg - b.tilt_deg).max() < 0.5
    assert np.abs(a.side_deg - b.side_deg).max() < 0.8


@settings(max_examples=10)
@given(gain=st.floats(0.9, 1.1), seed=st.integers(0, 5))
def test_a_gain_error_changes_nothing(gain: float, seed: int) -> None:
    """A sensor that reads up to a tenth too much or too little gives the same states."""
    samples = person(seed)
    wrong = replace(samples, acc_g=(samples.acc_g * np.float32(gain)).astype(np.float32))
    tables = []
    for data in (samples, wrong):
        cal = calibrate(data, Placement.CHEST, Axes.parse("x=forward,y=left,z=up"))
        tables.append(
            chain.analyze(data, chain.Setup(placement=Placement.CHEST, calibration=cal)).epochs
        )
    assert np.array_equal(tables[0].state, tables[1].state)
    assert np.abs(tables[0].tilt_deg - tables[1].tilt_deg).max() < 0.15


def _constant(value: tuple[float, float, float], seconds: int = 600) -> Samples:
    n = seconds * 50
    return Samples(
        t_ns=np.arange(n, dtype=np.int64) * 20_000_000,
        acc_g=np.tile(np.array(value, np.float32), (n, 1)),
    )


@pytest.mark.parametrize(
    "value",
    [(0.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.6, 0.0, 0.8), (16.0, 16.0, 16.0), (0.0, 9.8, 0.0)],
)
@pytest.mark.parametrize("place", PLACES)
def test_constant_axes_are_never_a_posture(
    value: tuple[float, float, float], place: Placement
) -> None:
    """Zeros, a dead sensor, a saturated one, m/s2: unknown or not worn, never a confident state."""
    samples = _constant(value)
    cal = calibrate(samples, place)
    epochs = chain.analyze(samples, chain.Setup(placement=place, calibration=cal)).epochs
    assert set(epochs.state.tolist()) <= {State.UNKNOWN, State.NOT_WORN}
    assert not epochs.worn.any()


def test_saturation_in_the_middle_is_unknown() -> None:
    """Ten minutes at the end of the range are unknown; the rest stays what it was."""
    samples = person(1, seconds=400)
    acc = samples.acc_g.copy()
    acc[5000:9000] = 16.0
    epochs = chain.analyze(
        replace(samples, acc_g=acc), chain.Setup(placement=Placement.CHEST)
    ).epochs
    inside = (epochs.start_ns > 105e9) & (epochs.start_ns < 170e9)
    assert inside.sum() > 10
    assert set(epochs.state[inside].tolist()) <= {State.UNKNOWN, State.NOT_WORN}


def test_values_that_are_not_finite_become_a_gap() -> None:
    """NaN rows lower `valid`, and nothing else turns NaN."""
    samples = person(2)
    acc = samples.acc_g.copy()
    acc[2000:2400] = np.nan
    epochs = chain.analyze(
        replace(samples, acc_g=acc), chain.Setup(placement=Placement.CHEST)
    ).epochs
    assert np.isfinite(epochs.tilt_deg).all()
    assert epochs.valid.min() < 0.9


def test_time_that_goes_back_is_refused_in_one_sentence() -> None:
    """A clock that jumps back is an error that says what to do, within a call and between calls."""
    samples = person(2)
    setup = chain.Setup()
    state, _ = chain.advance(chain.start(setup), samples[:1000])
    with pytest.raises(InputError, match="do not increase"):
        chain.advance(state, samples[500:900])


@pytest.mark.parametrize("count", [0, 1, 2, 30])
def test_very_short_recordings_end_quietly(count: int) -> None:
    """No sample, one sample, half a second: a table, not an exception."""
    samples = person(0)[:count]
    epochs = chain.analyze(samples, chain.Setup(placement=Placement.CHEST)).epochs
    assert len(epochs) <= 1
    assert (epochs.start_ns % EPOCH_NS == 0).all()
