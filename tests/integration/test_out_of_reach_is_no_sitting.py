# SPDX-License-Identifier: Apache-2.0
"""A wearer who walks out of reach: from samples to bouts, the time away is never sitting."""

import numpy as np
import pytest

from tracker import chain
from tracker.model import SECOND_NS, Placement, Samples, State
from tracker.signal.calibrate import Calibration
from tracker.trends.bouts import bouts_of_runs, breaks
from tracker.trends.runs import state_runs

PARTS = {"sit": (12.0, 0.0), "rise": (30.0, 0.0), "walk": (4.0, 0.2)}


def _samples(*parts: tuple[str, float]) -> Samples:
    """Sitting, a rise and steps of a sensor at the waist; "away" has no samples."""
    rng = np.random.default_rng(4)
    made: list[Samples] = []
    at = 0
    for kind, seconds in parts:
        n = round(seconds * 50)
        if kind != "away":
            lean_deg, push_g = PARTS[kind]
            t = np.arange(n) / 50
            a = np.radians(lean_deg + 0.5 * np.sin(2 * np.pi * 0.25 * t))
            if kind == "rise":
                a = np.radians(12 + 18 * np.sin(np.pi * t / seconds))
            up = 1 + push_g * (np.sin(2 * np.pi * 1.8 * t) + 0.4 * np.sin(2 * np.pi * 3.6 * t))
            if kind == "rise":
                u = t / seconds
                up += 0.35 / seconds**2 * (60 * u - 180 * u**2 + 120 * u**3) / 9.81
            sway = 0.5 * push_g * np.sin(2 * np.pi * 0.9 * t)
            acc = np.stack([-np.sin(a) * up, sway, np.cos(a) * up], axis=1)
            made.append(
                Samples(
                    t_ns=(np.arange(n, dtype=np.int64) + at) * 20_000_000,
                    acc_g=(acc + rng.normal(0, 0.003, (n, 3))).astype(np.float32),
                )
            )
        at += n
    return Samples.concat(made)


@pytest.mark.parametrize("steps_s", [15.0, 40.0], ids=["few steps", "a walk"])
@pytest.mark.parametrize("away_s", [60.0, 240.0, 1800.0])
def test_a_link_lost_after_steps_ends_the_sitting(steps_s: float, away_s: float) -> None:
    """Sit, rise, steps, out of reach, steps, sit: two bouts, one break, none of the time away."""
    story = (
        ("sit", 600.0), ("rise", 2.0), ("walk", steps_s), ("away", away_s),
        ("walk", 30.0), ("sit", 600.0),
    )  # fmt: skip
    setup = chain.Setup(placement=Placement.WAIST, calibration=Calibration(standing_deg=0.0))
    epochs = chain.analyze(_samples(*story), setup).epochs
    total = int(sum(seconds for _, seconds in story)) * SECOND_NS
    gap = (int(602 + steps_s) * SECOND_NS, int(602 + steps_s + away_s) * SECOND_NS)
    inside = (epochs.start_ns >= gap[0]) & (epochs.start_ns + 5 * SECOND_NS <= gap[1])
    assert not inside.any()
    runs = state_runs(epochs, 0, total)
    bouts = bouts_of_runs(runs)
    assert len(bouts) == 2
    assert bouts[0].end_ns <= gap[0]
    assert bouts[1].start_ns >= gap[1]
    sitting = np.isin(epochs.state, (State.SITTING, State.SLOUCHING))
    assert abs(5 * int(sitting.sum()) - 1200) <= 30
    assert breaks(runs) == 1
