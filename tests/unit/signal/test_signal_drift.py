# SPDX-License-Identifier: Apache-2.0
"""A slipped sensor, one put on again, a calibration that no longer fits: live as in a batch."""

import math

import numpy as np
import pytest

from tracker import chain
from tracker.model import Placement, Samples
from tracker.signal.calibrate import Calibration, calibrate
from tracker.signal.drift import AGAIN

HOUR_S = 3600


def _stretch(kind: str, tilt_deg: float, start_s: int, seconds: int) -> Samples:
    """Sitting with breath, walking, or a table, leaning forward by `tilt_deg`; body axes."""
    n = seconds * 50
    rng = np.random.default_rng(start_s)
    t = np.arange(n) / 50
    lean = np.full(n, math.radians(tilt_deg))
    if kind == "sit":
        lean += math.radians(0.5) * np.sin(2 * np.pi * 0.25 * t)
    push = np.ones(n)
    if kind == "walk":
        push += 0.2 * np.sin(2 * np.pi * 1.8 * t) + 0.08 * np.sin(2 * np.pi * 3.6 * t)
    sway = 0.1 * np.sin(2 * np.pi * 0.9 * t) if kind == "walk" else np.zeros(n)
    acc = np.stack([-np.sin(lean) * push, sway, np.cos(lean) * push], axis=1)
    return Samples(
        t_ns=(np.arange(n, dtype=np.int64) + start_s * 50) * 20_000_000,
        acc_g=(acc + rng.normal(0, 0.002, (n, 3))).astype(np.float32),
    )


def _story(*parts: tuple[str, float, int]) -> Samples:
    """Stretches one after another; "gap" is silence."""
    made, at = [], 0
    for kind, tilt_deg, seconds in parts:
        if kind != "gap":
            made.append(_stretch(kind, tilt_deg, at, seconds))
        at += seconds
    return Samples.concat(made)


def _told(samples: Samples, calibration: Calibration, hop: int | None) -> list[str]:
    """Warnings of the chain, in a batch or hop by hop, each as often as it was said."""
    setup = chain.Setup(placement=Placement.UPPER_BACK, calibration=calibration)
    if hop is None:
        return list(chain.analyze(samples, setup).warnings)
    state, told = chain.start(setup), []
    for a in range(0, len(samples), hop):
        state, result = chain.advance(state, samples[a : a + hop])
        told += result.warnings
    return [*told, *chain.finish(state)[1].warnings]


HOPS = pytest.mark.parametrize("hop", [None, 250], ids=["batch", "live"])


@HOPS
def test_a_slip_is_told_once(hop: int | None) -> None:
    """Walking 20 degrees off the calibration, for minutes: one sentence, not one a minute."""
    samples = _story(("walk", 2, 150), ("sit", 3, 100), ("walk", 22, 400), ("sit", 20, 100))
    told = _told(samples, Calibration(walking_deg=0.0), hop)
    assert len(told) == 1
    assert "calibrate again" in told[0]


@HOPS
def test_a_slip_needs_no_calibration_from_walking(hop: int | None) -> None:
    """Where only a seated pose was taken, the first minute of walking is the reference."""
    samples = _story(("walk", 5, 150), ("sit", 3, 100), ("walk", 24, 200), ("sit", 20, 100))
    assert len(_told(samples, Calibration(tall_deg=0.0), hop)) == 1
    steady = _story(("walk", 5, 150), ("sit", 3, 100), ("walk", 8, 200), ("sit", 20, 100))
    assert _told(steady, Calibration(tall_deg=0.0), hop) == []


@HOPS
def test_yesterdays_calibration_on_a_sensor_worn_differently_is_stale(hop: int | None) -> None:
    """Calibrated in one mounting, worn in another: the first walk says so."""
    made = calibrate(_story(("sit", 0, 60), ("walk", 0, 120)), Placement.UPPER_BACK)
    today = _story(("sit", 28, 120), ("walk", 28, 200), ("sit", 28, 100))
    assert made.walking_deg == pytest.approx(0, abs=2)
    told = _told(today, made, hop)
    assert any("off its calibration" in w for w in told)


@HOPS
def test_off_and_on_again_asks_for_the_tall_pose(hop: int | None) -> None:
    """Three minutes on a table: told once. Half a minute, or a person sitting still: not."""
    table = _story(("sit", 3, 120), ("table", 15, 200), ("sit", 3, 200))
    assert _told(table, Calibration(tall_deg=0.0), hop) == [AGAIN]
    still = _story(("sit", 3, 120), ("sit", 15, 200), ("sit", 3, 200))
    assert _told(still, Calibration(tall_deg=0.0), hop) == []


@HOPS
def test_a_silent_night_counts_as_taken_off_and_a_short_gap_does_not(hop: int | None) -> None:
    """After more than an hour without data nobody knows whether the sensor sits as before."""
    night = _story(("sit", 3, 120), ("gap", 0, 8 * HOUR_S), ("sit", 3, 200))
    assert _told(night, Calibration(tall_deg=0.0), hop) == [AGAIN]
    lunch = _story(("sit", 3, 120), ("gap", 0, HOUR_S // 2), ("sit", 3, 200))
    assert _told(lunch, Calibration(tall_deg=0.0), hop) == []
