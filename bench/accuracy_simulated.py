# SPDX-License-Identifier: Apache-2.0
"""What no recording here shows: sensors on a table, and whole desk days at the upper back."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker import chain
from tracker.model import EPOCH_NS, SECOND_NS, Epochs, Placement, Pose, Samples, State
from tracker.signal.calibrate import Axes, calibrate
from tracker.simulation.days import Day, workday
from tracker.simulation.sensor import random_sensor

FIRST_SEED = 1000  # days that nobody looked at while a number was chosen
PROMPT = 360  # epochs: half an hour of sitting asks for a break
TALL = 4  # epochs: 20 s of the first calibration


def stillness(hours: float) -> dict[str, Any]:
    """Sensors on a table, several orientations, rates and noises: minutes called sitting."""
    worst = 0.0
    total = 0.0
    named: dict[str, float] = {}
    rng = np.random.default_rng(11)
    for fs, noise, step in (
        (50, 0.002, 2048),
        (50, 0.0005, 4096),
        (20, 0.004, 256),
        (100, 0.006, 1024),
    ):
        for up in ((0.0, 0.0, 1.0), (0.0, 0.3, 0.95), (1.0, 0.0, 0.0), (-0.5, 0.0, 0.85)):
            n = int(hours * 3600 * fs / 16)
            acc = np.array(up) / np.linalg.norm(up) + rng.normal(0, noise, (n, 3))
            acc += np.cumsum(rng.normal(0, 1e-6, (n, 3)), axis=0)
            samples = Samples(
                t_ns=(np.arange(n) * (SECOND_NS // fs)).astype(np.int64),
                acc_g=(np.round(acc * step) / step).astype(np.float32),
            )
            for place in (Placement.UPPER_BACK, Placement.WAIST):
                axes = Axes.parse("x=forward,y=left,z=up")
                setup = chain.Setup(placement=place, calibration=calibrate(samples, place, axes))
                state = chain.analyze(samples, setup).epochs.state
                sitting = float(np.isin(state, (State.SITTING, State.SLOUCHING)).sum()) / 12
                worst = max(worst, sitting)
                named["sitting"] = named.get("sitting", 0.0) + sitting
                named["not_worn"] = (
                    named.get("not_worn", 0.0) + float((state == State.NOT_WORN).sum()) / 12
                )
                total += len(state) / 12
    return {
        "hours": round(total / 60, 1),
        "minutes_called_sitting": round(named["sitting"], 2),
        "share_not_worn": round(named["not_worn"] / total, 4),
    }


def days(count: int, hours: float) -> dict[str, Any]:
    """Simulated desk days at the upper back: states and prompts against what was played."""
    right, seen = np.zeros(len(State)), np.zeros(len(State))
    sitting = slouching = told = 0
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        rng = np.random.default_rng(seed)
        day = workday(rng, hours=hours, sensor=random_sensor(rng))
        plain = _run(day, {})
        truth = _played(day, plain.epochs.start_ns)
        whole = np.where(truth == State.SLOUCHING, State.SITTING, truth)
        state = np.where(plain.epochs.state == State.SLOUCHING, State.SITTING, plain.epochs.state)
        for s in State:
            seen[s] += (whole == s).sum()
            right[s] += ((whole == s) & (state == s)).sum()
        # A prompt for sitting needs half an hour of it; false when it was not sitting.
        run = 0
        for own, said in zip(whole.tolist(), state.tolist(), strict=True):
            run = run + 1 if said == State.SITTING else 0
            sitting += run == PROMPT and own != State.SITTING
        for event in _run(day, _tall(plain.epochs, truth)).slouch_events:
            told += 1
            inside = (plain.epochs.start_ns >= event.start_ns) & (
                plain.epochs.start_ns < event.end_ns
            )
            slouching += not (truth[inside] == State.SLOUCHING).mean() >= 0.5
    per_8_h = 8 / (count * hours)
    return {
        "hours": count * hours,
        "recall": {s.label: round(float(right[s] / seen[s]), 3) for s in State if seen[s] > 0},
        "false_sitting_prompts_per_8_h": round(sitting * per_8_h, 3),
        "slouch_events": told,
        "false_slouch_events_per_8_h": round(slouching * per_8_h, 3),
    }


def _run(day: Day, poses: dict[Pose, list[tuple[int, int]]]) -> chain.Results:
    cal = calibrate(day.samples, day.placement, None, poses)
    return chain.analyze(day.samples, chain.Setup(placement=day.placement, calibration=cal))


def _played(day: Day, start_ns: NDArray[np.int64]) -> NDArray[np.uint8]:
    at = np.minimum(start_ns // SECOND_NS + 2, len(day.truth.state_s) - 1)
    return np.asarray(day.truth.state_s[at])


def _tall(epochs: Epochs, truth: NDArray[np.uint8]) -> dict[Pose, list[tuple[int, int]]]:
    """Twenty seconds of sitting tall, as at the first calibration.

    The lower quarter of the angles while sitting without a slump: the least of all would be a
    moment of leaning back.
    """
    seated = np.convolve(truth == State.SITTING, np.ones(TALL), "valid") == TALL
    lean = np.convolve(epochs.tilt_deg, np.ones(TALL) / TALL, "valid")
    off = np.abs(lean - np.percentile(epochs.tilt_deg[truth == State.SITTING], 25))
    off[~seated] = np.inf
    first = int(epochs.start_ns[int(off.argmin())])
    return {Pose.SITTING_TALL: [(first, first + TALL * EPOCH_NS)]}
