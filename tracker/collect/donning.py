# SPDX-License-Identifier: Apache-2.0
"""The sensor was put on: does it sit as it did when it was calibrated? The walk to the desk says.

Gravity while walking is the body's own reference (within 1.4 deg of standing at L5, gait_l5), so
the mean acceleration of half a minute of walking shows how the sensor sits today. The mounting is
turned by that angle and holds from the moment the sensor was put on: nobody has to do anything.
A turn about the upright axis cannot be seen in gravity and stays as it was calibrated.

Where today's fit differs by more than `ASK_DEG` the sensor sits somewhere else on the body: slump
then needs the wearer's own poses of today (thirty seconds), and the page asks for them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tracker.model import EPOCH_NS, SECOND_NS, Epochs, Pose, Samples, State
from tracker.signal.calibrate import Calibration, Rotation, tilt_of

OFF_EPOCHS = 12  # a minute not worn: it was taken off
AWAY_NS = 600 * SECOND_NS  # ten minutes without data: who knows
WALK_EPOCHS = 6  # half a minute of walking
SURE = 0.7
KEEP_DEG = 3.0  # below this today's fit is the calibration
ASK_DEG = 15.0  # above it slump cannot be compared; a slipped sensor is told at 12 (signal/drift)

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How the sensor sits since it was put on.

    from_ns      when it was put on
    deg          angle between today's fit and the calibration
    calibration  the calibration with today's mounting
    """

    from_ns: int
    deg: float
    calibration: Calibration

    @property
    def asks(self) -> bool:
        """Whether the thirty-second version is asked for."""
        return self.deg > ASK_DEG


def put_on_ns(epochs: Epochs) -> int | None:
    """When the sensor was last put on, as far as the epochs show; None where it never was off."""
    worn = epochs.worn.astype(np.bool_)
    found: int | None = None
    off = 0
    for i, start_ns in enumerate(epochs.start_ns.tolist()):
        gap = i > 0 and start_ns - int(epochs.start_ns[i - 1]) - EPOCH_NS >= AWAY_NS
        if worn[i] and (gap or off >= OFF_EPOCHS):
            found = start_ns
        off = 0 if worn[i] else off + 1
    return found


def walked(epochs: Epochs, from_ns: int) -> NDArray[np.int64]:
    """Starts of epochs of walking since a time that are sure enough."""
    sure = (epochs.state == State.WALKING) & (epochs.confidence >= SURE) & (epochs.worn == 1)
    return np.asarray(epochs.start_ns[sure & (epochs.start_ns >= from_ns)])


def fit(raw: Samples, starts: NDArray[np.int64], from_ns: int, known: Calibration) -> Fit | None:
    """Today's mounting from the samples of epochs of walking; None where it cannot be told."""
    reference = _reference(known)
    rows = np.zeros(len(raw), np.bool_)
    for start in starts.tolist():
        a, b = np.searchsorted(raw.t_ns, [start, start + EPOCH_NS])
        rows[a:b] = True
    if reference is None or len(starts) < WALK_EPOCHS or not rows.any():
        return None
    mean = raw.acc_g[rows].mean(axis=0, dtype=np.float64)
    scaled = (mean - np.array(known.offset_g)) * np.array(known.gain)
    size = float(np.linalg.norm(scaled))
    if not 0.8 <= size <= 1.2:  # walking at a steady pace averages to gravity
        return None
    matrix = known.matrix().astype(np.float64)
    now = matrix @ (scaled / size)
    deg = math.degrees(math.acos(float(np.clip(now @ reference, -1.0, 1.0))))
    turned = _between(now, reference) @ matrix
    method = (*(m for m in known.method if m != "today"), "today")
    made = replace(known, rotation=_rows(turned), method=method)
    return Fit(from_ns=from_ns, deg=deg, calibration=made)


def _reference(known: Calibration) -> Vector | None:
    """Where gravity points while this wearer walks, in body axes."""
    deg = known.walking_deg if math.isfinite(known.walking_deg) else known.standing_deg
    if not math.isfinite(deg):
        return None
    a = math.radians(deg)
    return np.array([-math.sin(a), 0.0, math.cos(a)])


def _between(a: Vector, b: Vector) -> Vector:
    """The smallest rotation that brings unit vector `a` to `b`."""
    v, c = np.cross(a, b), float(a @ b)
    if c < -0.999:  # upside down: a half turn about the axis that stays forward
        return np.diag([1.0, -1.0, -1.0])
    k = np.array([[0.0, -v[2], v[1]], [v[2], 0.0, -v[0]], [-v[1], v[0], 0.0]])
    return np.asarray(np.eye(3) + k + k @ k / (1.0 + c))


def again(known: Calibration, means: Mapping[Pose, Vector]) -> Calibration:
    """The thirty-second version: the known frame levelled by standing, the angles of today.

    `means` are mean accelerations in the sensor's axes, g; standing must be among them. Forward
    stays as the whole calibration found it; what was not taken again stays as it was.
    """
    deg = known.standing_deg if math.isfinite(known.standing_deg) else known.walking_deg
    a = math.radians(deg if math.isfinite(deg) else 0.0)
    upright = np.array([-math.sin(a), 0.0, math.cos(a)])
    body = {p: known.matrix().astype(np.float64) @ m / np.linalg.norm(m) for p, m in means.items()}
    turn = _between(body[Pose.STANDING], upright)
    rotation = turn @ known.matrix().astype(np.float64)
    tall, side = known.tall_deg, known.tall_side_deg
    slumped = known.slumped_deg
    if Pose.SITTING_TALL in body:
        tall, side = tilt_of(turn @ body[Pose.SITTING_TALL])
    if Pose.SITTING_SLUMPED in body:
        slumped, _ = tilt_of(turn @ body[Pose.SITTING_SLUMPED])
    return replace(
        known,
        rotation=_rows(rotation),
        tall_deg=tall,
        tall_side_deg=side,
        slumped_deg=slumped,
        method=(*(m for m in known.method if m != "today"), "again"),
    )


def _rows(matrix: Vector) -> Rotation:
    a, b, c = matrix.tolist()
    return ((a[0], a[1], a[2]), (b[0], b[1], b[2]), (c[0], c[1], c[2]))
