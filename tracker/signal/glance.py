# SPDX-License-Identifier: Apache-2.0
"""The provisional label of the newest block: what can be said at once, for the live page.

The full decoder runs every few blocks (`chain.CALM`), since its cost is a fixed one per call. In
between the newest block is looked at with three rules: lying is an inclination, walking is rhythm,
and what was sitting or standing before stays so while nothing moves.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.model import State
from tracker.signal.results import Setup
from tracker.signal.slouch import limits

LYING_DEG = 62.0
WALK_SD_G = 0.08
MOVED_SD_G = 0.02  # as `posture.still_sd_g`: nobody changes posture with less
KEEP = frozenset({State.SITTING, State.SLOUCHING, State.STANDING, State.NOT_WORN, State.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """State, confidence and angles of one block, and whether the trunk moved in it."""

    state: State
    confidence: float
    tilt_deg: float
    side_deg: float
    slump_pct: float
    moved: bool


def glance(block: NDArray[np.float32], before: State, setup: Setup) -> Glance:
    """Look at a block (c, 125) in body axes."""
    acc = block[:3]
    n = acc.shape[1]
    x, y, z = (np.add.reduce(acc, axis=1) / np.float32(n)).tolist()
    size = np.sqrt(np.add.reduce(acc * acc, axis=0))
    away = size - np.add.reduce(size) / np.float32(n)
    sd = math.sqrt(float(np.add.reduce(away * away)) / n)
    length = math.sqrt(x * x + y * y + z * z)
    tilt = math.degrees(math.atan2(-x, z))
    side = math.degrees(math.atan2(y, math.hypot(x, z)))
    found = limits(setup.placement, setup.calibration, setup.slouch)
    pct = math.nan
    if found is not None:
        pct = min(150.0, max(-50.0, round((tilt - found.tall_deg) / found.span_deg * 100)))
    if length < 0.5:
        state, confidence = State.UNKNOWN, 0.0
    elif z < math.cos(math.radians(LYING_DEG)) * length:
        state, confidence = State.LYING, 0.7
    elif sd > WALK_SD_G:
        state, confidence = (before, 0.5) if before is State.EXERCISE else (State.WALKING, 0.6)
    elif before in KEEP:
        state, confidence = before, 0.6
    else:
        state, confidence = State.STANDING if before is State.WALKING else State.SITTING, 0.5
    return Glance(
        state=state,
        confidence=confidence,
        tilt_deg=round(tilt, 1),
        side_deg=round(side, 1),
        slump_pct=pct,
        moved=sd > MOVED_SD_G,
    )
