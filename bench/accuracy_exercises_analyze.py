# SPDX-License-Identifier: Apache-2.0
"""Exermote through the same calls as `backstay analyze --sets`, each recording on its own.

Calibration is part of it here: with stated axes, without any, with gain and zero off, on a slower
or faster clock, with packets lost, at the belly. Part of `python -m bench.accuracy_exercises`.
"""

from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from bench import recordings as data
from tracker.chain import Setup, analyze
from tracker.model import Exercise, ExerciseSet, Placement, Samples
from tracker.signal.calibrate import Axes, calibrate
from tracker.simulation.sensor import rotation

NAMES = {1: Exercise.BURPEE, 2: Exercise.SQUAT, 3: Exercise.SIT_UP}
Floats = NDArray[np.float64]
# Time (ns), acceleration (g), number of the recording -> the same changed, and how time stretched.
Change = Callable[[NDArray[np.int64], Floats, int], tuple[NDArray[np.int64], Floats, float]]
Want = tuple[Exercise, int, int, int]


def _parts(belly: bool) -> Iterator[tuple[NDArray[np.int64], Floats, list[Want], str]]:
    """Each recording of each person: new packets, true sets, axes."""
    for person in data.people("exermote"):
        one = data.load("exermote", person)
        fresh = one.extra["fresh_belly" if belly else "fresh"].astype(bool)
        acc = one.extra["acc_belly"] if belly else one.samples.acc_g
        for piece in np.unique(one.seg):
            whole = one.seg == piece
            rows = whole & fresh
            begin = int(one.samples.t_ns[whole][0])
            wanted = []
            for number in sorted(set(one.extra["set"][whole].tolist()) - {-1}):
                own = whole & (one.extra["set"] == number)
                codes = Counter(c for c in one.label[own].tolist() if c in NAMES)
                reps = one.extra["rep"][own]
                first, last = one.samples.t_ns[own][[0, -1]] - begin
                count = np.unique(reps[reps >= 0]).shape[0]
                wanted.append((NAMES[codes.most_common(1)[0][0]], int(first), int(last), count))
            assert one.axes is not None
            yield one.samples.t_ns[rows] - begin, acc[rows].astype(np.float64), wanted, one.axes


def _same(t: NDArray[np.int64], acc: Floats, k: int) -> tuple[NDArray[np.int64], Floats, float]:
    return t, acc, 1.0


def _at(fs_hz: float) -> Change:
    def change(t: NDArray[np.int64], acc: Floats, k: int):  # type: ignore[no-untyped-def]  # a Change
        grid = np.arange(0, t[-1], 1e9 / fs_hz).astype(np.int64)
        return grid, np.stack([np.interp(grid, t, acc[:, i]) for i in range(3)], 1), 1.0

    return change


def _off(gain: float, zero_g: float) -> Change:
    def change(t: NDArray[np.int64], acc: Floats, k: int):  # type: ignore[no-untyped-def]  # a Change
        rng = np.random.default_rng(k)
        return t, acc * (1 + rng.uniform(-gain, gain, 3)) + rng.uniform(-zero_g, zero_g, 3), 1.0

    return change


def _turned(deg: float) -> Change:
    def change(t: NDArray[np.int64], acc: Floats, k: int):  # type: ignore[no-untyped-def]  # a Change
        return t, acc @ rotation(np.random.default_rng(k).normal(size=3), deg).T, 1.0

    return change


def _pace(scale: float) -> Change:
    def change(t: NDArray[np.int64], acc: Floats, k: int):  # type: ignore[no-untyped-def]  # a Change
        return (t * scale).astype(np.int64) // 1000 * 1000, acc, scale

    return change


def _lost(share: float) -> Change:
    def change(t: NDArray[np.int64], acc: Floats, k: int):  # type: ignore[no-untyped-def]  # a Change
        keep = np.random.default_rng(k).random(t.shape[0]) > share
        return t[keep], acc[keep], 1.0

    return change


CASES: dict[str, tuple[Change, bool, bool]] = {
    # name: (what is changed, axes stated, worn at the belly)
    "axes stated": (_same, True, False),
    "nothing stated": (_same, False, False),
    "at 20 Hz": (_at(20), True, False),
    "at 100 Hz": (_at(100), True, False),
    "gain 4 %, zero 50 mg off": (_off(0.04, 0.05), True, False),
    "turned by 15 deg": (_turned(15), True, False),
    "a quarter faster": (_pace(0.75), True, False),
    "a third slower": (_pace(1.35), True, False),
    "one packet in five lost": (_lost(0.2), True, False),
    "belly (as waist), axes stated": (_same, True, True),
}


def through_analyze() -> dict[str, dict[str, float]]:
    """Sets found, within one, exact and extra sets for each case."""
    return {name: _case(*case) for name, case in CASES.items()}


def _case(change: Change, stated: bool, belly: bool) -> dict[str, float]:
    total: Counter[str] = Counter()
    place = Placement.WAIST if belly else Placement.CHEST
    for k, (t, acc, wanted, axes) in enumerate(_parts(belly)):
        t_ns, changed, scale = change(t, acc, k)
        samples = Samples(t_ns=t_ns, acc_g=changed.astype(np.float32))
        made = calibrate(samples, place, axes=Axes.parse(axes) if stated else None)
        found = analyze(samples, Setup(placement=place, calibration=made)).sets
        _count(total, wanted, found, scale)
    n = total["sets"]
    return {
        "sets": n,
        "found": total["found"],
        "extra": total["extra"],
        "f1": 2 * total["found"] / (n + total["found"] + total["extra"]),
        "within_1": total["within"] / n,
        "exact": total["exact"] / n,
    }


def _count(
    total: "Counter[str]", wanted: list[Want], found: tuple[ExerciseSet, ...], scale: float
) -> None:
    used: set[int] = set()
    for exercise, first, last, reps in wanted:
        begin, end = first * scale, last * scale
        total["sets"] += 1
        fits = [
            i
            for i, one in enumerate(found)
            if i not in used
            and one.exercise is exercise
            and min(end, one.end_ns) - max(begin, one.start_ns)
            > min(end - begin, one.end_ns - one.start_ns) / 2
        ]
        if fits:
            best = max(fits, key=lambda i: found[i].reps)
            used.add(best)
            away = abs(found[best].reps - reps)
            total["found"] += 1
            total["within"] += away <= 1
            total["exact"] += away == 0
    total["extra"] += len(found) - len(used)
