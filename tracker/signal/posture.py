# SPDX-License-Identifier: Apache-2.0
"""What a block looks like: evidence for lying, sitting, standing, walking and exercise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.signal import features as f
from tracker.signal.decode import CLASSES, EXER, LIE, SIT, STAND, WALK, Evidence
from tracker.signal.results import Setup

LOOK_AHEAD = 12  # blocks after a block that its evidence may use
LOOK_BACK = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleParams:
    """Thresholds of the rules; sources in docs/recognition.md."""

    lying_deg: float = 62.0  # 64.9 deg, Vaha-Ypya 2018
    walk_sd_g: float = 0.055
    walk_share: float = 0.08
    run_sd_g: float = 0.45
    still_range_g: float = 0.25
    change_still: float = 3e-4
    change_moving: float = 0.06


def evidence(
    rows: NDArray[np.float32], setup: Setup, params: RuleParams = RuleParams()
) -> Evidence:
    """Evidence of the rules for rows (n, COLUMNS); rows without data say nothing."""
    n = rows.shape[0]
    mean = rows[:, f.MEAN].astype(np.float64)
    length = np.maximum(np.sqrt((mean * mean).sum(axis=1)), 1e-6)
    incline = np.degrees(np.arccos(np.clip(mean[:, 2] / length, -1, 1)))
    sd = np.sqrt(rows[:, f.VM_VAR].astype(np.float64))
    share = rows[:, f.DOM_SHARE]
    moving = sd > params.walk_sd_g
    periodic = moving & (share > params.walk_share)
    lik = np.full((n, CLASSES), 0.02)
    lying = incline > params.lying_deg
    run = sd > params.run_sd_g
    lik[:, LIE] = np.where(lying & ~periodic, 1.0, 0.02)
    lik[:, WALK] = np.where(periodic & ~lying & ~run, 1.0, np.where(moving, 0.3, 0.02))
    lik[:, EXER] = np.where(run, 1.0, np.where(moving, 0.1, 0.02))
    upright = ~lying & ~periodic
    lik[:, SIT] = np.where(upright, 0.6, 0.05)
    lik[:, STAND] = np.where(upright, 0.5, 0.05)
    lik[rows[:, f.VALID] < 0.5] = 1.0
    swing = (rows[:, f.VM_MAX] - rows[:, f.VM_MIN]) > params.still_range_g
    p = np.where(swing, params.change_moving, params.change_still)
    change = np.empty((n, CLASSES, CLASSES))
    change[:] = (p / (CLASSES - 1))[:, None, None]
    for s in range(CLASSES):
        change[:, s, s] = 1 - p
    return Evidence(likelihood=lik, change=change)
