# SPDX-License-Identifier: Apache-2.0
"""The pose of the trunk in one epoch, relative to the wearer's own upright pose."""

import math

import numpy as np
from numpy.typing import NDArray

from tracker.model import Placement, State, Trunk
from tracker.signal.results import Setup
from tracker.signal.slouch import SlouchLimits

SIDE_DEG = 10.0
BACK_DEG = 9.0
FORWARD_DEG = 15.0


def trunk_of(
    state: NDArray[np.uint8],
    tilt_deg: NDArray[np.float32],
    side_deg: NDArray[np.float32],
    pct: NDArray[np.float32],
    found: SlouchLimits | None,
    setup: Setup,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Trunk pose and slouch flag per epoch; without an upright reference the pose is unknown."""
    cal = setup.calibration
    upright = next((a for a in (cal.tall_deg, cal.standing_deg) if not math.isnan(a)), math.nan)
    pose = np.full(tilt_deg.shape[0], Trunk.UNKNOWN, np.uint8)
    slouch = np.zeros(tilt_deg.shape[0], np.uint8)
    if found is not None:
        slouch[(pct > found.over_pct) & (state != State.LYING)] = 1
    if math.isnan(upright):
        return pose, slouch
    away = tilt_deg - upright
    side = side_deg - (0.0 if math.isnan(cal.tall_side_deg) else cal.tall_side_deg)
    pose[:] = Trunk.UPRIGHT
    sees = setup.placement is Placement.UPPER_BACK
    pose[away > (10.0 if sees else FORWARD_DEG)] = Trunk.SLUMPED if sees else Trunk.FORWARD
    pose[away < -BACK_DEG] = Trunk.BACK
    pose[side > SIDE_DEG] = Trunk.RIGHT
    pose[side < -SIDE_DEG] = Trunk.LEFT
    pose[(state == State.LYING) | (state == State.NOT_WORN)] = Trunk.UNKNOWN
    return pose, slouch
