# SPDX-License-Identifier: Apache-2.0
"""A first look at a recording in the sensor's own axes: gain, walking, plane of movement, faults.

Rules alone, with thresholds in units of the sensor's own gravity, so that a gain error changes
nothing.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tracker.signal import features as f

STILL_G = 0.013  # standard deviation per axis, van Hees 2014
GAIN_RANGE = (0.85, 1.15)
DEAD_G = 1e-5  # rounding of a mean leaves up to 1e-6 of a constant; no sensor is so quiet
WALK_MIN_BLOCKS = 3
# Walking at the trunk: |a| varies by 0.05-0.5 g, most of it at the step rate, more up than down.
WALK_SD_G = (0.055, 0.45)
WALK_SHARE = 0.12
WALK_HZ = (1.1, 2.5)
# Who walks stays upright: the blocks agree. Squats, sit-ups and burpees at the step rate do not.
WALK_AGREES = 0.8
WALK_SPREAD = math.cos(math.radians(20.0))
STILL_ENOUGH = 10  # blocks from which on rest tells what is upright
BENDS_FEWEST = 4
BEND_HALVES = 12  # half seconds
BEND_REACH = math.sin(math.radians(20.0))
UPRIGHT = math.cos(math.radians(18.0))
LEAN_FEWEST = 20  # blocks
LEAN_MOST = math.radians(30.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Survey:
    """What was seen. Directions are in the sensor's axes.

    gain       factor that makes |acc| 1 g at rest
    walking    mean direction of gravity while walking, None without walking
    still      (k, 3) directions of gravity in still blocks
    moves      (k, 3) changes of direction per half second while changing posture
    all        (k, 3) directions of gravity in all blocks
    halves     (k, 3) directions of gravity in all half seconds, in order
    """

    gain: float
    walking: NDArray[np.float64] | None
    still: NDArray[np.float64]
    moves: NDArray[np.float64]
    all: NDArray[np.float64]
    halves: NDArray[np.float64]
    warnings: tuple[str, ...]

    def upright(self) -> NDArray[np.float64]:
        """Without any hint: the commonest still direction that is not along the sensor's face.

        A sensor whose face points up or down lies on its back or its front: that is a person lying
        down, or a table, and tells nothing about up. Where nobody ever rests (training, a slow
        sensor) the commonest direction of all movement is taken.
        """
        if self.still.shape[0] < STILL_ENOUGH:
            busy = self.all[np.abs(self.all[:, 2]) < math.cos(math.radians(45.0))]
            busy = busy[:: 1 + busy.shape[0] // 1000]  # a thousand tell enough
            if busy.shape[0] >= STILL_ENOUGH:
                alike = busy @ busy.T > math.cos(math.radians(25.0))
                return np.asarray(busy[alike[int(alike.sum(axis=1).argmax())]].mean(axis=0))
        from_face = np.abs(self.still[:, 2]) if self.still.size else np.empty(0)
        standing = self.still[from_face < math.cos(math.radians(45.0))] if self.still.size else None
        if standing is None or not standing.size:
            return np.array([1.0, 0.0, 0.0])
        middle = np.median(standing, axis=0)
        near = standing[standing @ middle > math.cos(math.radians(40.0))]
        return np.asarray((near if near.size else standing).mean(axis=0))

    def lean(self, rotation: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """A levelled frame turned by a few degrees so that leaning forward has no side to it.

        Sensors are stuck on by hand. Of the still directions that lean forward by 8 to 60 degrees
        the middle one is taken for straight ahead; leans to either side cancel.
        """
        if self.still.shape[0] < LEAN_FEWEST:
            return None
        body = self.still @ rotation.T
        flat = np.hypot(body[:, 0], body[:, 1])
        forward = (-body[:, 0] > 0.8 * flat) & (flat > 0.14) & (flat < 0.87) & (body[:, 2] > 0)
        if int(forward.sum()) < LEAN_FEWEST:
            return None
        angle = float(np.median(np.arctan2(-body[forward, 1], -body[forward, 0])))
        if abs(angle) > LEAN_MOST:
            return None
        c, s = math.cos(angle), math.sin(angle)
        return np.asarray(np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]]) @ rotation)

    def sagittal(self, rotation: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """`rotation` turned so that most movement is forward and back; None when undecided."""
        if self.moves.shape[0] < 60:
            return None
        flat = (self.moves @ rotation.T)[:, :2]
        xx, yy = float((flat[:, 0] ** 2).sum()), float((flat[:, 1] ** 2).sum())
        xy = float((flat[:, 0] * flat[:, 1]).sum())
        spread = math.hypot(xx - yy, 2 * xy)
        if spread < 0.6 * (xx + yy):
            return None
        angle = 0.5 * math.atan2(2 * xy, xx - yy)
        # A line has two directions. Bends tell them apart; without bends the frame given, which
        # looks along the sensor's face.
        side = self._bends(rotation, angle)
        if side == 0.0:
            if abs(math.cos(angle)) < 0.26:
                return None  # at right angles to the face: which way is forward cannot be told
            side = math.copysign(1.0, math.cos(angle))
        if side < 0:
            angle += math.pi
        c, s = math.cos(angle), math.sin(angle)
        return np.asarray(np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]]) @ rotation)

    def _bends(self, rotation: NDArray[np.float64], angle: float) -> float:
        """Which end of the line at `angle` people bend to: +1, -1, or 0 where it is not clear.

        A bend leaves the upright by more than 20 degrees and is back within 6 s. Nobody leans back
        so far and comes back so soon, so the bends of a recording point forward.
        """
        body = self.halves @ rotation.T
        upright = body[:, 2] > UPRIGHT
        edges = np.flatnonzero(np.diff(upright.astype(np.int8)))
        reach = -(body[:, 0] * math.cos(angle) + body[:, 1] * math.sin(angle))
        votes: list[float] = []
        for out, back in pairwise(edges.tolist()):
            if not upright[out] or back - out > BEND_HALVES:
                continue
            part = reach[out + 1 : back + 1]
            far = float(part[np.abs(part).argmax()])
            before, after = upright[max(0, out - 2) : out + 1], upright[back + 1 : back + 4]
            if abs(far) > BEND_REACH and before.all() and after.all():
                votes.append(math.copysign(1.0, far))
        if len(votes) < BENDS_FEWEST or abs(sum(votes)) < len(votes) / 2:
            return 0.0
        return math.copysign(1.0, sum(votes))


def walks(rows: NDArray[np.float32], gain: float) -> NDArray[np.bool_]:
    """Blocks that look like walking whatever the mounting."""
    sd = np.sqrt(rows[:, f.VM_VAR]) * np.float32(gain)
    return np.asarray(
        (sd > WALK_SD_G[0])
        & (sd < WALK_SD_G[1])
        & (rows[:, f.DOM_SHARE] > WALK_SHARE)
        & (rows[:, f.DOM_HZ] >= WALK_HZ[0])
        & (rows[:, f.DOM_HZ] <= WALK_HZ[1])
        & (rows[:, f.SKEW] > -0.5)
    )


def look(rows: NDArray[np.float32]) -> Survey:
    """What rows (n, COLUMNS) in the sensor's axes show."""
    warnings: list[str] = []
    none = np.empty((0, 3))
    if rows.shape[0] == 0:
        return Survey(
            gain=1.0, walking=None, still=none, moves=none, all=none, halves=none, warnings=()
        )
    mean = rows[:, f.MEAN].astype(np.float64)
    length = np.maximum(np.linalg.norm(mean, axis=1), 1e-9)
    spread = np.sqrt(rows[:, f.VAR].astype(np.float64).max(axis=1))
    still = (spread < STILL_G * length) & (length > 0.2)
    gain = float(1.0 / np.median(length[still])) if still.any() else 1.0
    if not GAIN_RANGE[0] <= gain <= GAIN_RANGE[1]:
        warnings.append(
            f"at rest the sensor measures {1 / gain:.2f} g instead of 1: calibrate it, or check "
            "the unit (divide m/s2 by 9.80665)"
        )
        gain = 1.0
    sd = np.sqrt(rows[:, f.VAR].astype(np.float64))
    dead = np.flatnonzero((sd < DEAD_G).all(axis=0))
    if dead.size and rows.shape[0] >= 4:
        warnings.append(
            f"the {' and '.join('xyz'[i] for i in dead)} axis never changes: the sensor is not "
            "worn, or this axis is broken"
        )
    gait = walks(rows, gain)
    walking = None
    if int(gait.sum()) >= WALK_MIN_BLOCKS:
        direction = mean[gait] / length[gait][:, None]
        middle = np.median(direction, axis=0)
        cosine = direction @ (middle / max(float(np.linalg.norm(middle)), 1e-9))
        near = cosine > 0.9
        agree = near.mean() >= WALK_AGREES and np.percentile(cosine, 25) > WALK_SPREAD
        if agree and int(near.sum()) >= WALK_MIN_BLOCKS:
            walking = np.asarray(np.median(direction[near], axis=0))
    return Survey(
        gain=gain,
        walking=walking,
        still=mean[still] / length[still][:, None],
        moves=_moves(rows, gait, gain),
        all=(mean / length[:, None])[length > 0.2],
        halves=_halves(rows),
        warnings=tuple(warnings),
    )


def _halves(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Directions of all half seconds, one after another (k, 3)."""
    subs = np.stack([rows[:, c] for c in (f.SUB_X, f.SUB_Y, f.SUB_Z)], axis=2)
    flat = subs.reshape(-1, 3).astype(np.float64)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9))


def _moves(rows: NDArray[np.float32], gait: NDArray[np.bool_], gain: float) -> NDArray[np.float64]:
    subs = np.stack([rows[:, c] for c in (f.SUB_X, f.SUB_Y, f.SUB_Z)], axis=2).astype(np.float64)
    step = np.diff(subs, axis=1) * gain
    large = np.linalg.norm(step, axis=2) > 0.06
    large &= ~gait[:, None]
    large &= (np.sqrt(rows[:, f.VM_VAR]) * gain < 0.3)[:, None]
    return np.asarray(step[large])
