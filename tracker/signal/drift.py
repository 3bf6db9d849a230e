# SPDX-License-Identifier: Apache-2.0
"""A slipped sensor, one put on again, a calibration that no longer fits.

Gravity while walking is the body's own reference (within 1.4 deg of standing at L5, gait_l5). Each
minute of walking is compared with that of the calibration, or with the first minute seen; what is
off is said once, until it fits again. A sensor that was away (not worn), or silent for an hour, and
is worn again was put on anew: slump needs a new tall pose then.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tracker.signal import features as f
from tracker.signal.calibrate import Calibration
from tracker.signal.decode import WALK
from tracker.signal.segment import Decoded
from tracker.signal.wear import AWAY, WORN

MINUTE = 24  # blocks of walking
SLIP_DEG = 12.0
FITS_DEG = 9.0  # from which on it counts as right again
AWAY_BLOCKS = 24  # one minute off the body
SILENT_BLOCKS = 1440  # one hour without data: a night, a charger
NEVER = -(2**62)
AGAIN = (
    "the sensor was taken off and put on again: sit tall for ten seconds to make slump comparable"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftState:
    """Walking summed up since the last comparison, the reference, blocks away, the newest block."""

    count: int = 0
    total: tuple[float, float, float] = (0.0, 0.0, 0.0)
    reference: tuple[float, float, float] | tuple[()] = ()
    away: int = 0
    slipped: bool = False
    last: int = NEVER


def advance_drift(
    state: DriftState, decoded: Decoded, calibration: Calibration
) -> tuple[DriftState, tuple[str, ...]]:
    """Take decoded blocks (only final ones count); return what the wearer should know."""
    n = decoded.index.shape[0] - decoded.open_n
    if not n:
        return state, ()
    walk = (decoded.posterior[:n, WALK] > 0.8) & (decoded.wear[:n] == WORN)
    away = decoded.wear[:n] == AWAY
    back = ~away & np.concatenate([[state.away > 0], away[:-1]])
    index = decoded.index[:n]
    before = index[:1] if state.last == NEVER else [state.last]
    silent = np.diff(np.concatenate([before, index])) > SILENT_BLOCKS
    state = replace(state, last=int(index[-1]))
    concerned = np.flatnonzero(walk | away | back | silent)
    if not concerned.size:
        return state, ()
    warnings: list[str] = []
    if not state.reference and not math.isnan(calibration.walking_deg):
        a = math.radians(calibration.walking_deg)
        state = replace(state, reference=(-math.sin(a), 0.0, math.cos(a)))
    means = decoded.rows[:n, f.MEAN].astype(np.float64)
    for i in concerned.tolist():
        if silent[i]:
            state = replace(state, away=max(state.away, AWAY_BLOCKS))
        state, said = _take(state, means[i], walking=bool(walk[i]), off=bool(away[i]))
        warnings += said
    return state, tuple(dict.fromkeys(warnings))


def _take(
    state: DriftState, mean: NDArray[np.float64], *, walking: bool, off: bool
) -> tuple[DriftState, list[str]]:
    if off:
        return replace(state, away=state.away + 1), []
    said = []
    if state.away >= AWAY_BLOCKS:
        said.append(AGAIN)
    state = replace(state, away=0)
    if not walking:
        return state, said
    x, y, z = (a + b for a, b in zip(state.total, mean.tolist(), strict=True))
    state = replace(state, count=state.count + 1, total=(x, y, z))
    if state.count < MINUTE:
        return state, said
    length = math.sqrt(x * x + y * y + z * z) or 1.0
    now = (x / length, y / length, z / length)
    state = replace(state, count=0, total=(0.0, 0.0, 0.0))
    if not state.reference:
        return replace(state, reference=now), said
    cosine = sum(a * b for a, b in zip(now, state.reference, strict=True))
    angle = math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
    was, slipped = state.slipped, angle > (FITS_DEG if state.slipped else SLIP_DEG)
    state = replace(state, slipped=slipped)
    if slipped and not was:
        said.append(
            f"while walking the sensor sits {angle:.0f} degrees off its calibration: it slipped or "
            "was put on differently; calibrate again"
        )
    return state, said
