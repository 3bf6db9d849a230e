# SPDX-License-Identifier: Apache-2.0
"""Two sensors on one back: the upper one sees the slump, both vote on sitting and standing.

Where both are seated or standing their odds multiply; elsewhere the surer one counts. Slouching and
leaning forward, alike at one sensor, differ at two: leaning takes the lower back along (16 of 16
deg), slouching hardly (5 of 24 deg; sit_postures, 46 people), so half is the border.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tracker.model import SECOND_NS, Epochs, Placement, State, Transition, Trunk
from tracker.signal.results import Results, Setup

_SAME_NS = 4 * SECOND_NS
_MOST = 0.99
LEAN_SHARE = 0.5


def fuse(first: Results, second: Results, setup: Setup, other: Setup) -> Results:
    """One result of two: rows of the upper sensor, and of the other where it alone has data."""
    upper = other.placement is Placement.UPPER_BACK and setup.placement is not Placement.UPPER_BACK
    a, b = (second, first) if upper else (first, second)
    above, below = (other, setup) if upper else (setup, other)
    one, two = a.epochs, b.epochs
    both, i, j = np.intersect1d(one.start_ns, two.start_ns, return_indices=True)
    if both.size:
        one = _shared(one, two, i.astype(np.intp), j.astype(np.intp), above, below)
    alone = ~np.isin(two.start_ns, one.start_ns)
    joined = Epochs.concat([one, _blind(two[alone])])
    order = np.argsort(joined.start_ns, kind="stable")
    return replace(
        a,
        epochs=replace(joined[order], algo=first.epochs.algo),
        transitions=_union(a.transitions, b.transitions),
        sets=first.sets or second.sets,
        warnings=(*first.warnings, *second.warnings),
    )


def _blind(epochs: Epochs) -> Epochs:
    """Rows of the lower sensor alone: it cannot tell the trunk of the upper one."""
    n = len(epochs)
    return replace(
        epochs,
        trunk=np.full(n, Trunk.UNKNOWN, np.uint8),
        slouch=np.zeros(n, np.uint8),
        slump_pct=np.full(n, np.nan, np.float32),
    )


def _shared(
    one: Epochs,
    two: Epochs,
    i: NDArray[np.intp],
    j: NDArray[np.intp],
    above: Setup,
    below: Setup,
) -> Epochs:
    state, confidence = one.state.copy(), one.confidence.copy()
    trunk, worn = one.trunk.copy(), one.worn.copy()
    s1, s2 = one.state[i], two.state[j]
    c1 = np.clip(one.confidence[i].astype(np.float64), 0.01, _MOST)
    c2 = np.clip(two.confidence[j].astype(np.float64), 0.01, _MOST)
    seat = (State.SITTING, State.SLOUCHING)
    up1, up2 = np.isin(s1, (*seat, State.STANDING)), np.isin(s2, (*seat, State.STANDING))
    odds1 = np.where(np.isin(s1, seat), 1, -1) * np.log(c1 / (1 - c1))
    odds2 = np.where(np.isin(s2, seat), 1, -1) * np.log(c2 / (1 - c2))
    total = odds1 + odds2
    vote = np.where(total >= 0, np.where(s1 == State.SLOUCHING, s1, State.SITTING), State.STANDING)
    surer = np.where(c2 > c1, s2, s1)
    # A sensor that was taken off leaves the word to the other one.
    surer = np.where(s1 == State.NOT_WORN, s2, np.where(s2 == State.NOT_WORN, s1, surer))
    upright = up1 & up2
    state[i] = np.where(upright, vote, surer)
    sure = np.where(upright, 1 / (1 + np.exp(-np.abs(total))), np.maximum(c1, c2))
    confidence[i] = (np.rint(np.minimum(sure, _MOST) * 100) / 100).astype(np.float32)
    worn[i] = one.worn[i] | two.worn[j]
    high = one.tilt_deg[i] - np.float32(np.nan_to_num(above.calibration.tall_deg))
    low = two.tilt_deg[j] - np.float32(np.nan_to_num(below.calibration.tall_deg))
    ahead = np.isin(trunk[i], (Trunk.SLUMPED, Trunk.FORWARD)) & np.isfinite(low) & (high > 0)
    if below.placement is Placement.LOWER_BACK and np.isfinite(below.calibration.tall_deg):
        lean = np.where(low > LEAN_SHARE * high, Trunk.FORWARD, Trunk.SLUMPED).astype(np.uint8)
        trunk[i] = np.where(ahead, lean, trunk[i])
    return replace(one, state=state, confidence=confidence, trunk=trunk, worn=worn)


def _union(a: Sequence[Transition], b: Sequence[Transition]) -> tuple[Transition, ...]:
    """Changes seen by either; those of one kind within 4 s are one."""
    extra = [
        t for t in b if not any(t.kind is u.kind and abs(t.at_ns - u.at_ns) <= _SAME_NS for u in a)
    ]
    return tuple(sorted([*a, *extra], key=lambda t: t.at_ns))
