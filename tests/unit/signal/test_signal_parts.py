# SPDX-License-Identifier: Apache-2.0
"""Single steps of the signal chain on inputs with known answers."""

import math

import numpy as np
import pytest

from tracker import chain
from tracker.errors import InputError, UsageError
from tracker.model import SECOND_NS, Placement, Pose, Samples, State, Trunk
from tracker.signal import features as f
from tracker.signal import pack
from tracker.signal.blocks import BLOCK_N, BLOCK_NS
from tracker.signal.calibrate import Axes, Calibration, calibrate
from tracker.signal.events import lift
from tracker.signal.glance import glance
from tracker.signal.grid import advance_grid, finish_grid, start_grid
from tracker.signal.models import model_for
from tracker.signal.results import Setup
from tracker.signal.slouch import (
    DwellState,
    SlouchEvent,
    SlouchLimits,
    SlouchParams,
    advance_dwell,
    limits,
    slump_pct,
)
from tracker.signal.wear import AWAY, WORN, wear

EYE, ZERO, ONE = np.eye(3, dtype=np.float32), np.zeros(3, np.float32), np.ones(3, np.float32)


def gridded(samples: Samples):
    """All blocks of samples."""
    state, blocks = advance_grid(start_grid(), samples, EYE, ZERO, ONE)
    return blocks.join(finish_grid(state)[1])


def ramp(fs_hz: float, seconds: float) -> Samples:
    """X grows by 1 g a second, at any rate."""
    t = np.rint(np.arange(int(seconds * fs_hz)) / fs_hz * 1e6).astype(np.int64) * 1000
    acc = np.stack([t / 1e9, np.zeros(len(t)), np.ones(len(t))], axis=1).astype(np.float32)
    return Samples(t_ns=t, acc_g=acc)


@pytest.mark.parametrize("fs_hz", [3.0, 10.0, 33.3, 50.0, 100.0, 104.0, 200.0])
def test_the_grid_keeps_a_ramp_at_every_rate(fs_hz: float) -> None:
    """Interpolation and averaging give the value of the time they claim to give, within 8 ms."""
    blocks = gridded(ramp(fs_hz, 12.0))
    t = (blocks.index[:, None] * BLOCK_N + np.arange(BLOCK_N)) * 0.02
    inside = blocks.valid
    assert np.abs(blocks.values[0] - t)[inside].max() < 0.008
    assert inside.mean() > 0.85


def test_a_gap_is_not_interpolated() -> None:
    """0.6 s without samples at 50 Hz stays empty, 0.4 s is bridged."""
    samples = ramp(50.0, 20.0)
    keep = np.ones(len(samples), bool)
    keep[300:330] = False
    keep[600:620] = False
    cut = Samples(t_ns=samples.t_ns[keep], acc_g=samples.acc_g[keep])
    valid = gridded(cut).valid.reshape(-1)
    assert not valid[301:329].any()
    assert valid[600:620].all()


def test_the_last_block_holds_its_last_value() -> None:
    """A recording that ends in the middle of a block ends still, not with a fall to 0 g."""
    n = 160  # 3.2 s at 50 Hz: the second block is short
    samples = Samples(
        t_ns=np.arange(n, dtype=np.int64) * 20_000_000,
        acc_g=np.tile(np.array([0.0, 0.0, 1.0], np.float32), (n, 1)),
    )
    eye, zero, one = np.eye(3, dtype=np.float32), np.zeros(3, np.float32), np.ones(3, np.float32)
    state, blocks = advance_grid(start_grid(), samples, eye, zero, one)
    _, last = finish_grid(state)
    assert len(blocks) + len(last) == 2
    assert not last.valid[-1].all()
    assert (last.values[2, -1] == 1.0).all()


def test_at_3_hz_a_step_of_two_seconds_is_no_gap() -> None:
    """The limit is eight sample periods for slow sensors."""
    samples = ramp(3.0, 30.0)
    keep = np.ones(len(samples), bool)
    keep[40:45] = False
    blocks = gridded(Samples(t_ns=samples.t_ns[keep], acc_g=samples.acc_g[keep]))
    assert blocks.valid.reshape(-1)[50:-60].all()


def test_axes_are_checked_for_words_and_handedness() -> None:
    """Unknown words, a missing axis and a mirrored frame are refused; a good text is a rotation."""
    for text in ("x=up", "x=up,y=left,z=sideways", "x=up,y=left,z=forward", "nonsense"):
        with pytest.raises(UsageError, match="--axes"):
            Axes.parse(text)
    assert np.linalg.det(Axes.parse("x=up, y=left, z=back").rotation()) == pytest.approx(1.0)


def test_a_calibration_survives_json() -> None:
    """NaN, warnings and the matrix come back as they were."""
    cal = Calibration(tall_deg=3.5, method=("axes", "poses"), warnings=("x",))
    back = Calibration.from_json(cal.to_json())
    assert back.tall_deg == 3.5
    assert math.isnan(back.slumped_deg)
    assert back.rotation == cal.rotation
    assert back.method == cal.method


def still(tilt_deg: float, seconds: int, start_s: int = 0) -> Samples:
    """Breathing, sitting still, leaning forward by `tilt_deg`, body axes."""
    rng = np.random.default_rng(start_s + seconds)
    n = seconds * 50
    t = np.arange(n) / 50
    a = np.radians(tilt_deg + 0.4 * np.sin(2 * np.pi * 0.25 * t))
    acc = np.stack([-np.sin(a), np.zeros(n), np.cos(a)], axis=1) + rng.normal(0, 0.003, (n, 3))
    return Samples(
        t_ns=(np.arange(n, dtype=np.int64) + start_s * 50) * 20_000_000,
        acc_g=acc.astype(np.float32),
    )


def test_an_upright_pose_makes_up_and_tilt_zero() -> None:
    """The tall pose is 0 deg whatever the mounting, leaning forward is positive."""
    both = Samples.concat([still(28.0, 20), still(50.0, 20, 20)])
    turn = np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]], np.float32)  # sensor: x up, z back
    moved = Samples(t_ns=both.t_ns, acc_g=both.acc_g @ turn.T)
    cal = calibrate(
        moved,
        Placement.UPPER_BACK,
        Axes.parse("x=up,y=left,z=back"),
        {Pose.SITTING_TALL: [(0, 20 * SECOND_NS)]},
    )
    assert cal.tall_deg == pytest.approx(0, abs=0.01)
    rows = f.advance_features(f.start_features(), gridded(moved))[1]
    body = rows[:, f.MEAN] @ cal.matrix().T
    tilt = np.degrees(np.arctan2(-body[:, 0], body[:, 2]))
    assert tilt[-2] == pytest.approx(22.0, abs=0.7)


def test_axes_that_contradict_gravity_are_named() -> None:
    """A sensor worn upside down against its stated axes is said, not silently accepted."""
    cal = calibrate(
        still(0.0, 20),
        Placement.CHEST,
        Axes.parse("x=forward,y=right,z=down"),
        {Pose.STANDING: [(0, 20 * SECOND_NS)]},
    )
    assert any("upside down" in w for w in cal.warnings)


def test_a_dead_axis_is_named() -> None:
    """An axis that never changes is reported."""
    samples = still(0.0, 30)
    acc = samples.acc_g.copy()
    acc[:, 1] = 0.25
    cal = calibrate(Samples(t_ns=samples.t_ns, acc_g=acc), Placement.CHEST)
    assert any("y axis never changes" in w for w in cal.warnings)


@pytest.mark.parametrize("fs_hz", [20, 50, 100])
@pytest.mark.parametrize("noise_g", [0.0005, 0.002, 0.006])
def test_a_table_is_not_worn_and_a_breathing_trunk_is(fs_hz: int, noise_g: float) -> None:
    """White noise alone is a table, upright or not; breath of half a degree is a person."""
    n = fs_hz * 200
    rng = np.random.default_rng(n)
    t = np.arange(n) / fs_hz
    for breath, expected in ((0.0, AWAY), (0.5, WORN)):
        a = np.radians(20 + breath * np.sin(2 * np.pi * 0.25 * t))
        acc = np.stack([-np.sin(a), np.zeros(n), np.cos(a)], axis=1)
        acc += rng.normal(0, noise_g, (n, 3))
        samples = Samples(t_ns=np.rint(t * 1e9).astype(np.int64), acc_g=acc.astype(np.float32))
        rows = f.advance_features(f.start_features(), gridded(samples))[1]
        seen = wear(rows, float(fs_hz))[1:-1]
        if expected == WORN:
            assert (seen == WORN).all()
        else:
            assert (seen != WORN).mean() > 0.95


def test_a_rise_and_a_fall_have_opposite_signs() -> None:
    """0.35 m up in 1.6 s, minimum jerk, is a rise; the same downwards a fall."""
    n = 20 * 125
    t = np.arange(n) / 50
    u = np.clip((t - 24.0) / 1.6, 0, 1)
    push = 0.35 / 1.6**2 * (60 * u - 180 * u**2 + 120 * u**3) / 9.81
    for sign in (1.0, -1.0):
        acc = np.zeros((n, 3), np.float32)
        acc[:, 2] = 1 + sign * push
        rows = f.advance_features(
            f.start_features(),
            gridded(Samples(t_ns=np.arange(n, dtype=np.int64) * 20_000_000, acc_g=acc)),
        )[1]
        found = lift(rows)
        assert np.sign(found[np.abs(found).argmax()]) == sign
        assert np.abs(found).max() > 0.1


def test_slump_is_percent_of_the_wearers_own_span() -> None:
    """0 at the tall pose, 100 at the slumped one, clipped at -50 and 150, whole percent."""
    own = SlouchLimits(tall_deg=5.0, span_deg=20.0, over_pct=60, end_pct=50)
    got = slump_pct(np.array([5.0, 25.0, 15.1, -60.0, 90.0], np.float32), own)
    assert got.tolist() == [0, 100, 50, -50, 150]


def test_without_a_slumped_pose_ten_degrees_at_t4_are_the_limit() -> None:
    """The documented span (24 deg) and threshold (10 deg) stand in; the lower back sees nothing."""
    cal = Calibration(tall_deg=0.0)
    own = limits(Placement.UPPER_BACK, cal, SlouchParams())
    assert own is not None
    assert own.span_deg == 24.0
    assert own.over_pct * 24.0 / 100 == pytest.approx(10.0)
    assert limits(Placement.LOWER_BACK, cal, SlouchParams()) is None


def _events(pcts: list[float]) -> list[SlouchEvent]:
    own = SlouchLimits(tall_deg=0, span_deg=24, over_pct=60, end_pct=50)
    state = DwellState()
    found = []
    for i, pct in enumerate([*pcts, *[0.0] * 10]):
        a = i * 5 * SECOND_NS
        state, event = advance_dwell(
            state, a, a + 5 * SECOND_NS, State.SITTING, pct, own, SlouchParams()
        )
        if event:
            found.append(event)
    return found


def test_one_slouch_is_one_event() -> None:
    """60 s make an event, 55 s none; dips to the hysteresis and gaps under 30 s do not cut it."""
    assert _events([80.0] * 11) == []
    long = _events([80.0] * 20)
    assert [(e.start_ns, e.end_ns) for e in long] == [(0, 100 * SECOND_NS)]
    assert len(_events([80.0] * 10 + [55.0] * 6 + [80.0] * 5)) == 1
    assert len(_events([80.0] * 13 + [10.0] * 4 + [80.0] * 13)) == 1
    assert len(_events([80.0] * 13 + [10.0] * 7 + [80.0] * 13)) == 2


def test_states_are_bytes_without_pickle() -> None:
    """Nested states come back; foreign bytes are refused in one sentence."""
    value = {"a": np.arange(3), "b": DwellState(since_ns=5), "c": (1, 2.5, None)}
    back = pack.load(pack.dump(value), {"a": None, "b": DwellState(), "c": ()})
    assert back["b"] == DwellState(since_ns=5)
    assert np.array_equal(back["a"], [0, 1, 2])
    with pytest.raises(InputError, match="start the stream anew"):
        pack.load(b"not a state", value)


def test_the_research_model_can_be_left_out() -> None:
    """BACKSTAY_HAPT_MODEL=off: the waist falls back to rules, other places keep their model."""
    assert model_for(Placement.WAIST, gyro=True, research=True) is not None
    assert model_for(Placement.WAIST, gyro=True, research=False) is None
    assert model_for(Placement.CHEST, gyro=True, research=False) is not None
    assert model_for(Placement.UNKNOWN, gyro=True, research=True) is None


def test_a_glance_knows_lying_and_keeps_what_was() -> None:
    """The provisional label: flat is lying, still keeps the state before."""
    upright = np.tile(np.array([[0.0], [0.0], [1.0]], np.float32), (1, BLOCK_N))
    flat = np.tile(np.array([[1.0], [0.0], [0.0]], np.float32), (1, BLOCK_N))
    setup = Setup()
    assert glance(flat, State.SITTING, setup).state is State.LYING
    assert glance(upright, State.STANDING, setup).state is State.STANDING


def test_blocks_are_aligned_to_absolute_time() -> None:
    """A stream that starts anywhere fills the block its time belongs to."""
    start = 7 * BLOCK_NS + 40 * 20_000_000
    n = 500
    samples = Samples(
        t_ns=start + np.arange(n, dtype=np.int64) * 20_000_000,
        acc_g=np.tile(np.array([0, 0, 1], np.float32), (n, 1)),
    )
    blocks = gridded(samples)
    assert blocks.index[0] == 7
    assert blocks.valid[0].sum() == BLOCK_N - 40


def test_two_sensors_share_what_each_can_see() -> None:
    """The lower back tells leaning from slouching and adds its vote; the upper keeps the slump."""
    poses = {Pose.SITTING_TALL: [(0, 20 * SECOND_NS)]}
    axes = Axes.parse("x=forward,y=left,z=up")
    upper = Samples.concat([still(5.0, 30), still(25.0, 40, 30)])
    for below_deg, expected in ((8.0, Trunk.SLUMPED), (24.0, Trunk.FORWARD)):
        lower = Samples.concat([still(5.0, 30), still(below_deg, 40, 30)])
        setups = [
            Setup(placement=place, calibration=calibrate(data, place, axes, poses))
            for place, data in ((Placement.UPPER_BACK, upper), (Placement.LOWER_BACK, lower))
        ]
        both = chain.analyze(upper, setups[0], second=(lower, setups[1])).epochs
        swapped = chain.analyze(lower, setups[1], second=(upper, setups[0])).epochs
        late = both.start_ns >= 40 * SECOND_NS
        assert (both.trunk[late] == expected).all()
        assert (both.slump_pct[late] > 60).all()
        assert np.array_equal(both.slump_pct, swapped.slump_pct)
        assert np.array_equal(both.state, swapped.state)


def _walk(tilt_deg: float, seconds: int, start_s: int) -> Samples:
    n = seconds * 50
    rng = np.random.default_rng(start_s)
    t = np.arange(n) / 50
    acc = np.zeros((n, 3))
    a = math.radians(tilt_deg)
    push = 0.2 * np.sin(2 * np.pi * 1.8 * t) + 0.08 * np.sin(2 * np.pi * 3.6 * t)
    acc[:, 0] = -math.sin(a) * (1 + push)
    acc[:, 2] = math.cos(a) * (1 + push)
    acc[:, 1] = 0.1 * np.sin(2 * np.pi * 0.9 * t)
    acc += rng.normal(0, 0.003, (n, 3))
    return Samples(
        t_ns=(np.arange(n, dtype=np.int64) + start_s * 50) * 20_000_000,
        acc_g=acc.astype(np.float32),
    )


def test_a_slipped_sensor_is_noticed_while_walking() -> None:
    """Walking 20 degrees off the reference is said; walking as before is not."""
    cal = Calibration(walking_deg=0.0)
    setup = Setup(placement=Placement.LOWER_BACK, calibration=cal)
    good = chain.analyze(_walk(2.0, 300, 0), setup)
    slipped = chain.analyze(_walk(20.0, 300, 0), setup)
    assert good.warnings == ()
    assert any("calibrate again" in w for w in slipped.warnings)


def test_a_sensor_put_on_again_asks_for_the_tall_pose() -> None:
    """Worn, on a table for some minutes, worn again."""
    rng = np.random.default_rng(0)
    table = still(0.0, 200, 60)
    flat = np.tile(np.array([0.3, 0.0, 0.95]), (len(table), 1)) + rng.normal(
        0, 0.002, (len(table), 3)
    )
    parts = [
        still(3.0, 60),
        Samples(t_ns=table.t_ns, acc_g=flat.astype(np.float32)),
        still(3.0, 90, 260),
    ]
    results = chain.analyze(Samples.concat(parts), Setup(placement=Placement.UPPER_BACK))
    assert any("put on again" in w for w in results.warnings)


def test_rotation_that_begins_late_is_the_same_in_one_piece_and_in_two() -> None:
    """Acceleration before rotation after a reconnect: kept, whether it comes as NaN or without."""
    n, late = 1500, 70
    rng = np.random.default_rng(5)
    t_ns = np.arange(n, dtype=np.int64) * 20_000_000
    acc = (np.array([0.0, 0.0, 1.0]) + rng.normal(0, 0.01, (n, 3))).astype(np.float32)
    gyr = rng.normal(0, 1, (n, 3)).astype(np.float32)
    whole_gyr = gyr.copy()
    whole_gyr[500 : 500 + late] = np.nan
    whole = Samples(t_ns=t_ns, acc_g=acc, gyr_dps=whole_gyr)
    setup = chain.Setup(placement=Placement.WAIST)
    batch = chain.analyze(whole, setup).epochs
    pieces = (
        Samples(t_ns=t_ns[:500], acc_g=acc[:500], gyr_dps=gyr[:500]),
        Samples(t_ns=t_ns[500 : 500 + late], acc_g=acc[500 : 500 + late]),
        Samples(t_ns=t_ns[500 + late :], acc_g=acc[500 + late :], gyr_dps=gyr[500 + late :]),
    )
    state, parts = chain.start(setup), []
    for piece in pieces:
        state, results = chain.advance(state, piece)
        parts.append(results.epochs)
    _, results = chain.finish(state)
    live = chain.merge_epochs([*parts, results.epochs])
    assert live.equals(batch)
    assert (batch.valid == 1.0).all()
