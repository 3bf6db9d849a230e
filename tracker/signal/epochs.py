# SPDX-License-Identifier: Apache-2.0
"""Two blocks make an epoch: state, confidence, tilt, slump, movement."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.model import EPOCH_NS, Epochs, State
from tracker.signal import features as f
from tracker.signal import gait
from tracker.signal.decode import CLASSES, EXER, LIE, SIT, STAND, WALK
from tracker.signal.results import Setup
from tracker.signal.segment import Decoded
from tracker.signal.slouch import limits, slump_pct
from tracker.signal.trunk import trunk_of
from tracker.signal.wear import AWAY, BROKEN

_STATE = np.zeros(CLASSES, np.uint8)
_STATE[[LIE, SIT, STAND, WALK, EXER]] = [
    State.LYING,
    State.SITTING,
    State.STANDING,
    State.WALKING,
    State.EXERCISE,
]
UNKNOWN_BELOW = 1 / 3
AWAY_CONFIDENCE = 0.97


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairState:
    """Final blocks that are not an epoch yet; the first `done` are only the neighbour before."""

    index: NDArray[np.int64]
    rows: NDArray[np.float32]
    posterior: NDArray[np.float64]
    wear: NDArray[np.uint8]
    done: int = 0


def start_pairs() -> PairState:
    """Nothing seen."""
    return PairState(
        index=np.empty(0, np.int64),
        rows=np.empty((0, f.COLUMNS), np.float32),
        posterior=np.empty((0, CLASSES)),
        wear=np.empty(0, np.uint8),
    )


def advance_pairs(
    state: PairState, decoded: Decoded, setup: Setup, *, flush: bool
) -> tuple[PairState, Epochs, int]:
    """Epochs of the decoded blocks and how many of them are final.

    An epoch is final when the block after it is: a walk's edge is told by both neighbours.
    """
    index = np.concatenate([state.index, decoded.index])
    rows = np.concatenate([state.rows, decoded.rows])
    posterior = np.concatenate([state.posterior, decoded.posterior])
    worn = np.concatenate([state.wear, decoded.wear])
    known = index.shape[0] - decoded.open_n
    n = known if flush else known - 1
    if not flush and n > 0 and index[n - 1] % 2 == 0:
        n -= 1
    n = max(n, state.done)
    # An edge looks one block to either side, so what is final is the same with more blocks behind.
    refined = gait.edges(index, rows, posterior)
    part = slice(state.done, None)
    epochs = _epochs(index[part], rows[part], refined[part], worn[part], setup)
    end_ns = int(index[n]) // 2 * EPOCH_NS if n < index.shape[0] else None
    final = len(epochs) if end_ns is None else int(np.searchsorted(epochs.start_ns, end_ns))
    if flush:
        return start_pairs(), epochs, final
    rest = slice(max(0, n - 1), known)
    state = PairState(
        index=index[rest],
        rows=rows[rest],
        posterior=posterior[rest],
        wear=worn[rest],
        done=min(n, 1),
    )
    return state, epochs, final


def _epochs(
    index: NDArray[np.int64],
    rows: NDArray[np.float32],
    posterior: NDArray[np.float64],
    worn: NDArray[np.uint8],
    setup: Setup,
) -> Epochs:
    there = rows[:, f.VALID] > 0
    index, rows, posterior, worn = index[there], rows[there], posterior[there], worn[there]
    n = index.shape[0]
    if n == 0:
        return Epochs.empty()
    own = index // 2
    first = np.flatnonzero(np.diff(own, prepend=own[0] - 1))
    weight = rows[:, f.VALID].astype(np.float64)
    total = np.add.reduceat(weight, first)

    def pooled(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.add.reduceat(values * weight, first) / total)

    mean = np.stack([pooled(rows[:, i].astype(np.float64)) for i in range(3)], axis=1)
    share = np.stack([pooled(posterior[:, i]) for i in range(CLASSES)], axis=1)
    # Sitting and standing are one answer first: two halves must not lose against a third.
    upright = share[:, SIT] + share[:, STAND]
    seat = np.where(share[:, SIT] >= share[:, STAND], SIT, STAND)
    rest = share.copy()
    rest[:, [SIT, STAND]] = 0.0
    best = np.where(upright >= rest.max(axis=1), seat, rest.argmax(axis=1))
    confidence = np.take_along_axis(share, best[:, None], 1)[:, 0]
    state = np.where(confidence < UNKNOWN_BELOW, State.UNKNOWN, _STATE[best]).astype(np.uint8)
    away = pooled((worn == AWAY).astype(np.float64)) >= 0.5
    broken = pooled((worn == BROKEN).astype(np.float64)) >= 0.5
    state[away] = State.NOT_WORN
    state[broken] = State.UNKNOWN
    confidence = np.where(away, AWAY_CONFIDENCE, np.where(broken, 0.0, confidence))
    tilt = np.degrees(np.arctan2(-mean[:, 0], mean[:, 2]))
    side = np.degrees(np.arctan2(mean[:, 1], np.hypot(mean[:, 0], mean[:, 2])))
    tilt = _fixed(tilt, 10)
    side = _fixed(side, 10)
    found = limits(setup.placement, setup.calibration, setup.slouch)
    k = first.shape[0]
    pct = np.full(k, np.nan, np.float32) if found is None else slump_pct(tilt, found)
    trunk, slouch = trunk_of(state, tilt, side, pct, found, setup)
    return Epochs(
        start_ns=own[first] * EPOCH_NS,
        state=state,
        confidence=_fixed(confidence, 100),
        trunk=trunk,
        slouch=slouch,
        tilt_deg=tilt,
        side_deg=side,
        slump_pct=pct,
        move_mg=_fixed(pooled(rows[:, f.VM_MAD].astype(np.float64)) * 1000, 10),
        exercise=np.zeros(k, np.uint8),
        worn=(~(away | broken)).astype(np.uint8),
        valid=_fixed(total / 2, 100),
    )


def _fixed(values: NDArray[np.float64], per_unit: int) -> NDArray[np.float32]:
    """Whole steps of the resolution, as the float32 nearest to the decimal number."""
    return (np.rint(values * per_unit) / per_unit).astype(np.float32)
