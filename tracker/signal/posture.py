# SPDX-License-Identifier: Apache-2.0
"""What a block looks like: evidence for lying, sitting, standing, walking and exercise.

A small trained model where the place has one, rules where it has none; both obey the same physics:
lying is an inclination, nothing changes without motion, and up is not down (`events.lift`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.model import Placement
from tracker.signal import context
from tracker.signal import features as f
from tracker.signal.decode import CLASSES, EXER, LIE, SIT, STAND, WALK, Evidence
from tracker.signal.events import lift
from tracker.signal.gait import stepping
from tracker.signal.models import model_for
from tracker.signal.results import Setup
from tracker.signal.wear import WORN

BORROWED = frozenset({Placement.UPPER_BACK, Placement.LOWER_BACK})
LOOK_AHEAD = 16  # blocks after a block that its evidence may use
LOOK_BACK = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class PostureParams:
    """Thresholds of rules and decoder; sources in docs/recognition.md."""

    lying_deg: float = 60.0  # 64.9 deg, Vaha-Ypya 2018
    upright_deg: float = 52.0  # nobody lies this upright
    flat_deg: float = 76.0  # nor sits this flat
    walk_sd_g: float = 0.055
    walk_share: float = 0.1
    run_sd_g: float = 0.65
    trust: float = 0.5  # blocks overlap, so their evidence is not independent
    change_still: float = 3e-4
    change_moving: float = 0.15
    move_g: float = 0.15
    lift_per_m: float = 6.0
    lift_least_m: float = 0.25  # half a rise: less speaks against one
    lift_most: float = 5.0
    still_sd_g: float = 0.02
    rhythm_sd_g: float = 0.08
    rhythm_share: float = 0.15
    steps_decades: float = 3.0  # odds of walking where every half second steps, or none does
    steps_weight: float = 20.0
    borrowed_trust: float = 0.0
    sit_odds: float = 1.06  # with `trust`: a minute and a half of standing without a step


PARAMS = PostureParams()


def evidence(
    rows: NDArray[np.float32],
    worn: NDArray[np.uint8],
    setup: Setup,
    params: PostureParams = PARAMS,
    first: int = 0,
) -> Evidence:
    """Evidence for consecutive rows (n, COLUMNS) from `first` on; the ones before are context.

    Rows without data or not worn say nothing.
    """
    lifted = lift(rows)
    seen = context.describe(rows, lifted)[first:]
    gyro = not bool(np.isnan(rows[:, f.GYR_VAR][rows[:, f.VALID] > 0]).any())
    change = _change(rows, lifted, params)[first:]
    rows, worn = rows[first:], worn[first:]
    model = model_for(setup.placement, gyro=gyro, research=setup.research_models)
    incline = np.degrees(np.arccos(np.clip(seen[:, 2].astype(np.float64), -1, 1)))
    if model is None:
        lik = rules(rows, incline, params)
    else:
        lik = np.full((rows.shape[0], CLASSES), 1e-4)
        logp = model.log_probabilities(seen)
        for i, code in enumerate(model.classes.tolist()):
            lik[:, code] = np.exp(np.maximum(logp[:, i], -9.0))
        if setup.placement in BORROWED:
            _share_upright(lik, params)
            _steps(rows, lik, params)
        if setup.placement is Placement.LOWER_BACK:
            # Machines of the chest's training set are no match for steps at the pelvis.
            slow = np.sqrt(rows[:, f.VM_VAR].astype(np.float64)) < params.run_sd_g
            lik[slow, WALK] += 0.95 * lik[slow, EXER]
            lik[slow, EXER] *= 0.05
        if EXER not in model.classes:
            fast = np.sqrt(rows[:, f.VM_VAR].astype(np.float64)) > params.run_sd_g
            lik[fast, EXER] = 1.0
            lik[fast, WALK] *= 0.1
    lik[incline < params.upright_deg, LIE] *= 1e-3
    lik[incline > params.flat_deg, STAND] *= 1e-2
    lik[incline > params.flat_deg, SIT] *= 2e-2
    _physics(rows, lik, params)
    lik = lik**params.trust
    lik[(rows[:, f.VALID] < 0.3) | (worn != WORN)] = 1.0
    return Evidence(likelihood=lik, change=change)


def _physics(rows: NDArray[np.float32], lik: NDArray[np.float64], params: PostureParams) -> None:
    """Nobody walks without moving, and a clear rhythm of steps is neither sitting nor standing."""
    sd = np.sqrt(rows[:, f.VM_VAR].astype(np.float64))
    still = sd < params.still_sd_g
    lik[still, WALK] *= 1e-3
    lik[still, EXER] *= 0.1
    rhythm = (
        (sd > params.rhythm_sd_g)
        & (rows[:, f.DOM_SHARE] > params.rhythm_share)
        & (rows[:, f.DOM_HZ] > 0.9)
    )
    for own in (LIE, SIT, STAND):
        lik[rhythm, own] *= 0.05


def _steps(rows: NDArray[np.float32], lik: NDArray[np.float64], params: PostureParams) -> None:
    """Where a model is borrowed, the steps alone tell walking from sitting and standing."""
    part, share = stepping(rows), rows[:, f.DOM_SHARE]
    odds = 10.0 ** (params.steps_decades * (2 * part - 1))
    odds[share < params.walk_share] /= params.steps_weight
    seat = lik[:, SIT] + lik[:, STAND]
    whole = seat + lik[:, WALK]
    lik[:, WALK] = whole * odds / (1 + odds)
    scale = whole / (1 + odds) / np.maximum(seat, 1e-12)
    lik[:, SIT] *= scale
    lik[:, STAND] *= scale
    # Little movement is no exercise, and the rhythm of steps is a walk before it is a machine.
    steps = (part >= 0.6) & (share > params.rhythm_share)
    lik[(part <= 0.4) | steps, EXER] /= params.steps_weight


def _share_upright(lik: NDArray[np.float64], params: PostureParams) -> None:
    """Where a place borrows a model, how sitting and standing *look* is known only vaguely."""
    both = lik[:, SIT] + lik[:, STAND]
    odds = (lik[:, SIT] / lik[:, STAND]) ** params.borrowed_trust * params.sit_odds
    lik[:, SIT] = both * odds / (1 + odds)
    lik[:, STAND] = both / (1 + odds)


def rules(
    rows: NDArray[np.float32], incline: NDArray[np.float64], params: PostureParams
) -> NDArray[np.float64]:
    """Likelihoods (n, 5) by rules alone: for a place without a model."""
    sd = np.sqrt(rows[:, f.VM_VAR].astype(np.float64))
    moving = sd > params.walk_sd_g
    periodic = moving & (rows[:, f.DOM_SHARE] > params.walk_share)
    lik = np.full((rows.shape[0], CLASSES), 0.02)
    lying = incline > params.lying_deg
    run = sd > params.run_sd_g
    lik[:, LIE] = np.where(lying & ~periodic, 1.0, 0.02)
    lik[:, WALK] = np.where(periodic & ~lying & ~run, 1.0, np.where(moving, 0.3, 0.02))
    lik[:, EXER] = np.where(run, 1.0, np.where(moving, 0.1, 0.02))
    upright = ~lying & ~periodic
    lik[:, SIT] = np.where(upright, 0.6, 0.05)
    lik[:, STAND] = np.where(upright, 0.5, 0.05)
    return lik


# How likely a change goes from one posture (row) to another, LIE SIT STAND WALK EXER.
_WAYS = np.array(
    [
        [0.0, 0.6, 0.25, 0.1, 0.05],
        [0.2, 0.0, 0.5, 0.2, 0.1],
        [0.1, 0.35, 0.0, 0.45, 0.1],
        [0.05, 0.2, 0.6, 0.0, 0.15],
        [0.1, 0.25, 0.4, 0.25, 0.0],
    ]
)


def _change(
    rows: NDArray[np.float32], lifted: NDArray[np.float64], params: PostureParams
) -> NDArray[np.float64]:
    spread = np.where(rows[:, f.VALID] > 0, rows[:, f.VM_MAX] - rows[:, f.VM_MIN], np.float32(1))
    before = np.empty_like(spread)
    before[1:] = spread[:-1]
    before[:1] = spread[:1]
    moved = np.maximum(spread, before).astype(np.float64)
    odds = np.clip((np.log10(np.maximum(moved, 1e-3)) - np.log10(params.move_g)) / 0.3, -1, 1)
    low, high = np.log10(params.change_still), np.log10(params.change_moving)
    p = 10.0 ** (low + (high - low) * (odds + 1) / 2)
    change = p[:, None, None] * _WAYS
    up = params.lift_per_m * lifted
    least, most = params.lift_per_m * params.lift_least_m, params.lift_most
    rise, fall = (np.exp(np.clip(way - least, -most, most)) for way in (up, -up))
    for low_state, high_state in ((SIT, STAND), (SIT, WALK), (LIE, SIT), (LIE, STAND), (LIE, WALK)):
        change[:, low_state, high_state] *= rise
        change[:, high_state, low_state] *= fall
    leave = change.sum(axis=2)
    over = np.maximum(leave / 0.9, 1.0)
    change /= over[:, :, None]
    for s in range(CLASSES):
        change[:, s, s] = 1.0 - leave[:, s] / over[:, s]
    return np.asarray(change)
