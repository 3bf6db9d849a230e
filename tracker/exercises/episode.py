# SPDX-License-Identifier: Apache-2.0
"""A stretch of movement at 10 Hz and the angles that repetitions are looked for in."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tracker.exercises.filters import moving_mean
from tracker.exercises.spec import Tuning
from tracker.model import SECOND_NS, Placement

FS_HZ = 10.0
STEP_NS = SECOND_NS // 10

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Episode:
    """Rows at 10 Hz, zero phase (each is the mean of 0.1 s of samples).

    t0_ns      time of the middle of the first row
    acc_body_g (n, 3) float32
    gyr_body_dps (n, 3) float32, or None
    valid      (n,) bool
    """

    t0_ns: int
    acc_body_g: NDArray[np.float32]
    gyr_body_dps: NDArray[np.float32] | None
    valid: NDArray[np.bool_]
    placement: Placement
    tuning: Tuning = field(default_factory=Tuning)
    _memo: dict[tuple[str, float], Floats] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.acc_body_g.shape[0])

    def time_ns(self, row: float) -> int:
        """Time of a row, to the whole 0.1 s."""
        return self.t0_ns + round(row) * STEP_NS

    def smooth(self, seconds: float) -> Floats:
        """Acceleration (n, 3) after two moving averages of half the length (a triangle)."""
        key = ("acc", seconds)
        if key not in self._memo:
            size = max(1, round(seconds * FS_HZ / 2))
            acc = self.acc_body_g.astype(np.float64)
            once = moving_mean(acc, size)
            # The second window leans the other way, so that even lengths keep zero phase.
            shift = -1 if size % 2 == 0 else 0
            self._memo[key] = moving_mean(once, size, origin=shift)
        return self._memo[key]

    def force(self) -> Floats:
        """Size of the specific force (n,) in g, smoothed over 0.3 s."""
        key = ("force", 0.3)
        if key not in self._memo:
            acc = moving_mean(self.acc_body_g, 3)
            self._memo[key] = np.sqrt((acc * acc).sum(axis=1))
        return self._memo[key]

    def signal(self, name: str, smooth_s: float) -> Floats | None:
        """`theta`, `psi` or `yaw` (n,) in degrees; None where the sensor cannot see it."""
        key = (name, smooth_s)
        if key not in self._memo:
            if name == "yaw":
                turned = self._yaw(smooth_s)
                if turned is None:
                    return None
                self._memo[key] = turned
            else:
                self._memo[key] = (
                    _theta(self.smooth(smooth_s))
                    if name == "theta"
                    else _psi(self.smooth(smooth_s))
                )
        return self._memo[key]

    def _yaw(self, smooth_s: float) -> Floats | None:
        if self.gyr_body_dps is None or len(self) < 2:
            return None
        up = self.smooth(1.0)
        up = up / np.maximum(np.linalg.norm(up, axis=1, keepdims=True), 1e-3)
        rate = (self.gyr_body_dps * up).sum(axis=1)
        # The median rate is the zero offset: nobody turns one way for more than half of an episode.
        turned = np.cumsum(rate - np.median(rate)) / FS_HZ
        size = max(1, round(smooth_s * FS_HZ)) | 1
        yaw: Floats = moving_mean(turned, size)
        return yaw


def _theta(acc: Floats) -> Floats:
    """Forward lean, continuous over the head-down half; held where the trunk lies on a side."""
    theta = np.rad2deg(np.arctan2(-acc[:, 0], acc[:, 2]))
    clear = acc[:, 0] ** 2 + acc[:, 2] ** 2 > 0.15
    if not clear.any():
        return np.zeros(acc.shape[0])
    if not clear.all():
        rows = np.arange(acc.shape[0])
        theta = theta[clear][np.maximum(np.cumsum(clear) - 1, 0)][rows]
    # A bend beyond the horizontal reads up to +-180; a body on its back reads -90 to -150.
    wrapped: Floats = np.where(theta < -160, theta + 360, theta)
    return wrapped


def _psi(acc: Floats) -> Floats:
    size = np.maximum(np.linalg.norm(acc, axis=1), 1e-3)
    lean: Floats = np.rad2deg(np.arcsin(np.clip(acc[:, 1] / size, -1, 1)))
    return lean
