# SPDX-License-Identifier: Apache-2.0
"""The pose of the trunk in one epoch, relative to the wearer's own upright pose.

From forward and side angle alone. Slumping and leaning forward overlap at one sensor (24 +- 5 and
16 +- 5 deg at T4, sit_postures): which of the two it is, is the least sure answer here. Where the
weights are not shipped, and at places other than the upper back, plain thresholds stand in.
"""

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from tracker.model import Placement, State, Trunk
from tracker.signal.results import Setup
from tracker.signal.slouch import SlouchLimits

SIDE_DEG = 10.0
BACK_DEG = 9.0
FORWARD_DEG = 15.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrunkModel:
    """Softmax of :func:`numbers`; `classes` are codes of :class:`tracker.model.Trunk`."""

    classes: NDArray[np.int64]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weight: NDArray[np.float64]  # (f, c)
    bias: NDArray[np.float64]

    def poses(
        self, forward_deg: NDArray[np.float64], side_deg: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Most probable pose and its probability."""
        z = (numbers(forward_deg, side_deg) - self.mean) / self.scale
        score = np.zeros((z.shape[0], self.classes.shape[0]))
        for i in range(z.shape[1]):
            score += z[:, i : i + 1] * self.weight[i]
        score += self.bias
        score -= score.max(axis=1, keepdims=True)
        p = np.exp(score)
        p /= p.sum(axis=1, keepdims=True)
        best = p.argmax(axis=1)
        return self.classes[best], np.take_along_axis(p, best[:, None], 1)[:, 0]


def numbers(forward_deg: NDArray[np.float64], side_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the model sees (n, 6)."""
    t = np.clip(forward_deg, -60, 70) / 10.0
    s = np.clip(side_deg, -45, 45) / 10.0
    return np.stack([t, s, np.abs(s), t * t, s * s, t * np.abs(s)], axis=1)


def angles(mean_body: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Forward and side tilt in degrees of mean directions (n, 3) in body axes."""
    forward = np.degrees(np.arctan2(-mean_body[:, 0], mean_body[:, 2]))
    side = np.degrees(np.arctan2(mean_body[:, 1], np.hypot(mean_body[:, 0], mean_body[:, 2])))
    return forward, side


@lru_cache(maxsize=1)
def trunk_model() -> TrunkModel | None:
    """The shipped model; None where it is not shipped."""
    path = files("tracker.signal") / "weights" / "trunk.json"
    if not path.is_file():
        return None
    data = json.loads(path.read_text(encoding="utf-8"))
    return TrunkModel(
        classes=np.array(data["classes"], np.int64),
        mean=np.array(data["mean"]),
        scale=np.array(data["scale"]),
        weight=np.array(data["weight"]),
        bias=np.array(data["bias"]),
    )


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
    hidden = (state == State.LYING) | (state == State.NOT_WORN)
    if found is not None:
        slouch[(pct > found.over_pct) & ~hidden] = 1
    if math.isnan(upright):
        return pose, slouch
    away = tilt_deg.astype(np.float64) - upright
    side = side_deg.astype(np.float64) - (
        0.0 if math.isnan(cal.tall_side_deg) else cal.tall_side_deg
    )
    model = trunk_model() if setup.placement is Placement.UPPER_BACK else None
    if model is not None:
        pose[:] = model.poses(away, side)[0]
    else:
        pose[:] = Trunk.UPRIGHT
        pose[away > FORWARD_DEG] = Trunk.FORWARD
        pose[away < -BACK_DEG] = Trunk.BACK
        pose[side > SIDE_DEG] = Trunk.RIGHT
        pose[side < -SIDE_DEG] = Trunk.LEFT
    pose[hidden] = Trunk.UNKNOWN
    return pose, slouch
