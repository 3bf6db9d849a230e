# SPDX-License-Identifier: Apache-2.0
"""A trunk of two segments that moves: angles in, specific force and angular rate out.

The pelvis segment carries `pitch, roll, twist, yaw`; the chest segment turns against it by
`flex_pitch, flex_roll, flex_twist`. The orientation of a point of the trunk is
Rz(yaw) Ry(pitch) Rx(roll) Rz(twist), so that (all in degrees, body frame X forward, Y left, Z up):

* pitch forward positive: standing 0, supine -90, prone, plank and all fours +90;
* roll to the right positive; twist about the long axis, to the left positive:
  supine with twist +90 lies on the left side, -90 on the right side, 180 face down.

Deviations from a real body: rigid segments, soft tissue and the rise of the skin are left out;
the sensor's place enters as a share of the chest segment's turn and a lever arm from the hips.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.model import Placement

Floats = NDArray[np.float64]

G_MS2 = 9.80665
PITCH, ROLL, TWIST, YAW, FLEX_PITCH, FLEX_ROLL, FLEX_TWIST = range(7)
N_ANGLES = 7

# Share of the chest segment's turn that the place sees; distance from the hip axis in metres.
# Shares follow the recordings: slouching turns T4 by 24 deg and L5 by 3-5 deg (sit_postures);
# lever arms are segment lengths of an adult of 1.75 m (anthropometric tables, rounded).
SHARE = {
    Placement.UPPER_BACK: 1.0,
    Placement.CHEST: 0.95,
    Placement.LOWER_BACK: 0.15,
    Placement.WAIST: 0.05,
    Placement.UNKNOWN: 1.0,
}
LEVER_M = {
    Placement.UPPER_BACK: 0.42,
    Placement.CHEST: 0.38,
    Placement.LOWER_BACK: 0.10,
    Placement.WAIST: 0.02,
    Placement.UNKNOWN: 0.42,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Motion:
    """A stretch of movement on a regular grid.

    fs_hz       grid rate
    angles_deg  (n, 7) float64: pitch, roll, twist, yaw, flex_pitch, flex_roll, flex_twist
    push_g      (n, 3) float64: acceleration of the hips, forward / left / up in the heading frame
    """

    fs_hz: float
    angles_deg: Floats
    push_g: Floats

    def __len__(self) -> int:
        return int(self.angles_deg.shape[0])


def kinematics(motion: Motion, placement: Placement) -> tuple[Floats, Floats]:
    """Specific force (n, 3) in g and angular rate (n, 3) in deg/s of one place, body frame."""
    share = SHARE[placement]
    angles = motion.angles_deg
    rad = np.deg2rad(angles[:, :4])
    rad[:, :3] += share * np.deg2rad(angles[:, 4:7])
    pitch, roll, twist = rad[:, PITCH], rad[:, ROLL], rad[:, TWIST]
    rate = np.gradient(rad, 1 / motion.fs_hz, axis=0) if len(motion) > 1 else np.zeros_like(rad)
    sp, cp = np.sin(pitch), np.cos(pitch)
    sr, cr = np.sin(roll), np.cos(roll)
    st, ct = np.sin(twist), np.cos(twist)

    force = motion.push_g + _lever(sp, cp, sr, motion.fs_hz, LEVER_M[placement])
    force[:, 2] += 1.0
    # The pitch undone first, then roll and twist.
    x = cp * force[:, 0] - sp * force[:, 2]
    z = sp * force[:, 0] + cp * force[:, 2]
    acc = _roll_twist(x, force[:, 1], z, sr, cr, st, ct)

    # Turning about the vertical, then about the left axis, the forward axis, the long axis.
    x = -sp * rate[:, YAW]
    z = cp * rate[:, YAW]
    gyr = _roll_twist(x, rate[:, PITCH], z, sr, cr, st, ct)
    gyr[:, 0] += ct * rate[:, ROLL]
    gyr[:, 1] -= st * rate[:, ROLL]
    gyr[:, 2] += rate[:, TWIST]
    return acc, np.rad2deg(gyr)


def _roll_twist(
    x: Floats, y: Floats, z: Floats, sr: Floats, cr: Floats, st: Floats, ct: Floats
) -> Floats:
    """Rx(roll)^T, then Rz(twist)^T."""
    left = cr * y + sr * z
    out = np.empty((x.shape[0], 3))
    out[:, 0] = ct * x + st * left
    out[:, 1] = -st * x + ct * left
    out[:, 2] = -sr * y + cr * z
    return out


def _lever(sp: Floats, cp: Floats, sr: Floats, fs_hz: float, arm_m: float) -> Floats:
    """Acceleration in g of a point `arm_m` up the trunk that comes from turning about the hips."""
    if sp.shape[0] < 3:
        return np.zeros((sp.shape[0], 3))
    place = arm_m * np.stack([sp, -sr * cp, cp], axis=1)
    speed = np.gradient(place, 1 / fs_hz, axis=0)
    return np.gradient(speed, 1 / fs_hz, axis=0) / G_MS2
