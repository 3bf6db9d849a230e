# SPDX-License-Identifier: Apache-2.0
"""What a finished calibration shows about the sensor: wrong place, upside down, a dead axis.

Each finding is a code with values; the page has the sentence and what to do. The angles are our
own choice, wide enough for how people stand and bend; none of them stops a calibration.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tracker.model import Placement, Pose, Samples
from tracker.signal.calibrate import Axes, Calibration

DEAD_G, ALIVE_G = 0.002, 0.1  # range of one axis while another one moved
SCALE = (0.85, 1.15)  # |acceleration| at rest, in g
OVER_DEG = 120.0  # turned by more against what is known: worn upside down
TIP_DEG = 55.0  # sitting down tips a thigh or a pocket by about 90 deg, a back by less than 30
BEND_DEG = 15.0  # a bend that is asked for is deeper at every place of the trunk
FACE_DEG = 20.0  # so far a bend must lean before it tells front from back
ALIKE_DEG = 3.0  # the poses of sitting differ by less: nothing to compare slump with
BACKS = (Placement.UPPER_BACK, Placement.LOWER_BACK)
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One finding: the key of its sentence, and the values in it."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)


def look_over(
    raw: Samples,
    spans: Mapping[Pose, Sequence[tuple[int, int]]],
    placement: Placement,
    *,
    before: Calibration | None = None,
    axes: str = "",
) -> tuple[Check, ...]:
    """Findings of one calibration. `before` is the last one of the same series, if any."""
    means = {pose: m for pose in spans if (m := mean_of(raw, spans[pose])) is not None}
    return (
        *_axes(raw),
        *_scale(means),
        *_over(means, before, axes),
        *_place(means),
        *_bend(means, placement),
        *_alike(means),
    )


def mean_of(raw: Samples, spans: Sequence[tuple[int, int]]) -> Vector | None:
    """Mean acceleration of a pose in the sensor's axes, g; None without samples."""
    rows = np.zeros(len(raw), np.bool_)
    for start, end in spans:
        a, b = np.searchsorted(raw.t_ns, [start, end])
        rows[a:b] = True
    return raw.acc_g[rows].mean(axis=0, dtype=np.float64) if rows.any() else None


def _axes(raw: Samples) -> Iterator[Check]:
    if len(raw) < 100:
        return
    moved = np.ptp(raw.acc_g, axis=0)
    for i in np.flatnonzero(moved < DEAD_G).tolist():
        if moved.max() > ALIVE_G:
            yield Check(code="dead_axis", values={"axis": "xyz"[i]})


def _scale(means: Mapping[Pose, Vector]) -> Iterator[Check]:
    still = [float(np.linalg.norm(m)) for p, m in means.items() if p is not Pose.WALKING]
    if still and not SCALE[0] <= (size := float(np.median(still))) <= SCALE[1]:
        yield Check(code="wrong_scale", values={"size": round(size, 2)})


def _over(means: Mapping[Pose, Vector], before: Calibration | None, axes: str) -> Iterator[Check]:
    now = means.get(Pose.STANDING)
    if now is None:
        return
    up = None
    if axes:
        up = Axes.parse(axes).rotation()[2]
    elif before is not None:
        up = before.matrix().astype(np.float64)[2]
    if up is not None and angle_deg(now, up) > OVER_DEG:
        yield Check(code="upside_down")


def _place(means: Mapping[Pose, Vector]) -> Iterator[Check]:
    """Somewhere that tips when one sits down is no trunk."""
    if (tip := _apart(means, Pose.STANDING, Pose.SITTING_TALL)) is not None and tip > TIP_DEG:
        yield Check(code="wrong_place", values={"deg": round(tip)})


def _bend(means: Mapping[Pose, Vector], placement: Placement) -> Iterator[Check]:
    deg = _apart(means, Pose.STANDING, Pose.BEND)
    if deg is None:
        return
    if deg < BEND_DEG:
        yield Check(code="no_bend", values={"deg": round(deg)})
        return
    # The face (+z) of a sensor on the back looks up while bending, that of one on the chest down.
    stand, bend = (means[p] / np.linalg.norm(means[p]) for p in (Pose.STANDING, Pose.BEND))
    z = bend - stand * float(bend @ stand)
    lean = math.degrees(math.asin(float(np.clip(z[2], -1.0, 1.0))))
    if abs(lean) >= FACE_DEG and (lean > 0) != (placement in BACKS):
        yield Check(code="other_side" if placement in BACKS else "other_side_front")


def _alike(means: Mapping[Pose, Vector]) -> Iterator[Check]:
    deg = _apart(means, Pose.SITTING_TALL, Pose.SITTING_SLUMPED)
    if deg is not None and deg < ALIKE_DEG:
        yield Check(code="poses_alike", values={"deg": round(deg)})


def _apart(means: Mapping[Pose, Vector], one: Pose, two: Pose) -> float | None:
    return angle_deg(means[one], means[two]) if one in means and two in means else None


def angle_deg(a: Vector, b: Vector) -> float:
    """Angle between two directions, degrees."""
    size = max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-9)
    return math.degrees(math.acos(float(np.clip(float(a @ b) / size, -1.0, 1.0))))
