# SPDX-License-Identifier: Apache-2.0
"""What no recording here shows: sensors on a table, and whole desk days at the upper back."""

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.accuracy_prompts import false_prompts
from tracker import chain
from tracker.model import EPOCH_NS, SECOND_NS, Epochs, Placement, Pose, Samples, State
from tracker.signal.calibrate import Axes, calibrate
from tracker.simulation.days import Day, workday
from tracker.simulation.sensor import random_sensor

FIRST_SEED = 1000  # days that nobody looked at while a number was chosen
HELD = 4  # epochs: 20 s of a pose of the first calibration


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
    guided: Counter[str] = Counter()
    tall_alone: Counter[str] = Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        rng = np.random.default_rng(seed)
        day = workday(rng, hours=hours, sensor=random_sensor(rng))
        plain = _run(day, {}).epochs
        truth = _played(day, plain.start_ns)
        whole = np.where(truth == State.SLOUCHING, State.SITTING, truth)
        state = np.where(plain.state == State.SLOUCHING, State.SITTING, plain.state)
        for s in State:
            seen[s] += (whole == s).sum()
            right[s] += ((whole == s) & (state == s)).sum()
        tall, slumped = (
            {pose: spans} if (spans := _held(plain, truth, kind)) else {}
            for pose, kind in (
                (Pose.SITTING_TALL, State.SITTING),
                (Pose.SITTING_SLUMPED, State.SLOUCHING),
            )
        )
        for told, poses in ((guided, tall | slumped), (tall_alone, tall)):
            results = _run(day, poses)
            told.update(false_prompts(results.epochs, truth))
            told.update(_slouches(results, truth))
    per_8_h = 8 / (count * hours)
    return {
        "hours": count * hours,
        "recall": {s.label: round(float(right[s] / seen[s]), 3) for s in State if seen[s] > 0},
        "guided": dict(guided),
        "tall_alone": dict(tall_alone),
        "false_prompts_per_8_h": {
            name: round((told["false_sitting"] + told["false_slouch"]) * per_8_h, 3)
            for name, told in (("guided", guided), ("tall_alone", tall_alone))
        },
    }


def _slouches(results: chain.Results, truth: NDArray[np.uint8]) -> dict[str, int]:
    """Slouch events (a minute and more), and those in which the wearer mostly did not slouch."""
    start_ns = results.epochs.start_ns
    share = [
        float((truth[(start_ns >= e.start_ns) & (start_ns < e.end_ns)] == State.SLOUCHING).mean())
        for e in results.slouch_events
    ]
    return {"events": len(share), "false_events": sum(s < 0.5 for s in share)}


def _run(day: Day, poses: dict[Pose, list[tuple[int, int]]]) -> chain.Results:
    cal = calibrate(day.samples, day.placement, None, poses)
    return chain.analyze(day.samples, chain.Setup(placement=day.placement, calibration=cal))


def _played(day: Day, start_ns: NDArray[np.int64]) -> NDArray[np.uint8]:
    at = np.minimum(start_ns // SECOND_NS + 2, len(day.truth.state_s) - 1)
    return np.asarray(day.truth.state_s[at])


def _held(epochs: Epochs, truth: NDArray[np.uint8], kind: State) -> list[tuple[int, int]]:
    """Twenty seconds of a pose, as at the first calibration; none where it was not held so long.

    Sitting tall: the lower quarter of the angles while sitting without a slump (the least of all
    would be a moment of leaning back). Relaxed: the middle of the angles while slouching.
    """
    held = np.convolve(truth == kind, np.ones(HELD), "valid") == HELD
    if not held.any():
        return []
    lean = np.convolve(epochs.tilt_deg, np.ones(HELD) / HELD, "valid")
    rank = 25 if kind == State.SITTING else 50
    off = np.abs(lean - np.percentile(epochs.tilt_deg[truth == kind], rank))
    off[~held] = np.inf
    first = int(epochs.start_ns[int(off.argmin())])
    return [(first, first + HELD * EPOCH_NS)]
