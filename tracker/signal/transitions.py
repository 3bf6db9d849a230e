# SPDX-License-Identifier: Apache-2.0
"""Standing up, sitting down, lying down, getting up: read off the settled postures.

The decoder knows *that* and which way (recognition.md section 4: threshold detectors miss 60 % of
what decoding finds); the movement around the change says *when*: the centre of what the trunk
turned and pushed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.model import SECOND_NS, Transition, TransitionKind
from tracker.signal import features as f
from tracker.signal.blocks import BLOCK_NS
from tracker.signal.decode import CLASSES, EXER, LIE, SIT, STAND, WALK
from tracker.signal.segment import Decoded
from tracker.signal.wear import WORN

LEAST = 0.1  # a change less sure than this is a flicker of the decoder
BEFORE, AFTER = 3, 3  # blocks around a change that are looked at
_DOWN, _SEAT, _UP, _NONE = 0, 1, 2, -1
_GROUP = np.full(CLASSES, _NONE)
_GROUP[[LIE, SIT, STAND, WALK, EXER]] = [_DOWN, _SEAT, _UP, _UP, _NONE]
_KIND = {
    (_SEAT, _UP): TransitionKind.SIT_TO_STAND,
    (_UP, _SEAT): TransitionKind.STAND_TO_SIT,
    (_DOWN, _SEAT): TransitionKind.LIE_TO_SIT,
    (_DOWN, _UP): TransitionKind.LIE_TO_SIT,
    (_SEAT, _DOWN): TransitionKind.SIT_TO_LIE,
    (_UP, _DOWN): TransitionKind.SIT_TO_LIE,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TransitionState:
    """Final blocks that are still looked at; the first `done` were already compared."""

    index: NDArray[np.int64]
    rows: NDArray[np.float32]
    posterior: NDArray[np.float64]
    group: NDArray[np.int64]
    done: int
    last: int  # group before the first block that is not compared yet
    changed: int = -(2**62)  # block of the newest transition


def start_transitions() -> TransitionState:
    """Nothing seen."""
    return TransitionState(
        index=np.empty(0, np.int64),
        rows=np.empty((0, f.COLUMNS), np.float32),
        posterior=np.empty((0, CLASSES)),
        group=np.empty(0, np.int64),
        done=0,
        last=_NONE,
    )


def advance_transitions(
    state: TransitionState, decoded: Decoded, *, flush: bool
) -> tuple[TransitionState, tuple[Transition, ...]]:
    """Take final blocks; return the changes among them. `flush` ends a stretch."""
    n_final = decoded.index.shape[0] - decoded.open_n
    new = _GROUP[decoded.posterior[:n_final].argmax(axis=1)]
    new = np.where(
        (decoded.wear[:n_final] == WORN) & (decoded.rows[:n_final, f.VALID] > 0.3), new, _NONE
    )
    index = np.concatenate([state.index, decoded.index[:n_final]])
    rows = np.concatenate([state.rows, decoded.rows[:n_final]])
    posterior = np.concatenate([state.posterior, decoded.posterior[:n_final]])
    group = np.concatenate([state.group, new])
    end = group.shape[0] if flush else max(state.done, group.shape[0] - AFTER)
    found: list[Transition] = []
    last, changed = state.last, state.changed
    for i in range(state.done, end):
        here = int(group[i])
        if here in (_NONE, last):
            continue
        if here == _SEAT and last != _NONE and _passing(group[i + 1 : i + AFTER]):
            continue
        if last != _NONE:
            # A movement that belongs to the transition before says nothing about this one.
            a = max(0, i - BEFORE, min(i, int(np.searchsorted(index, changed, side="right"))))
            b = min(group.shape[0], i + AFTER)
            sure = _share(posterior[max(0, i - 1)], last) * _share(
                posterior[min(b - 1, i + 1)], here
            )
            if sure >= LEAST:
                changed = int(index[i])
                found.append(
                    Transition(
                        at_ns=_middle(index[a:b], rows[a:b]),
                        kind=_KIND[last, here],
                        confidence=round(min(1.0, sure), 2),
                    )
                )
        last = here
    if flush:
        return start_transitions(), tuple(found)
    keep = max(0, end - BEFORE)
    state = TransitionState(
        index=index[keep:],
        rows=rows[keep:],
        posterior=posterior[keep:],
        group=group[keep:],
        done=end - keep,
        last=last,
        changed=changed,
    )
    return state, tuple(found)


def _passing(after: NDArray[np.int64]) -> bool:
    """Whether a seat is only the way between lying and standing, or a flicker."""
    return bool(((after != _SEAT) & (after != _NONE)).any())


def _share(posterior: NDArray[np.float64], group: int) -> float:
    return float(sum(posterior[s] for s in range(CLASSES) if _GROUP[s] == group))


def _middle(index: NDArray[np.int64], rows: NDArray[np.float32]) -> int:
    """Time of the middle of the movement, whole milliseconds."""
    level = rows[:, f.SUB_VM].astype(np.float64).reshape(-1)
    where = np.stack(
        [rows[:, c].astype(np.float64).reshape(-1) for c in (f.SUB_X, f.SUB_Y, f.SUB_Z)]
    )
    turn = np.zeros(level.shape[0])
    step = (where[:, 1:] - where[:, :-1]) ** 2
    turn[1:] += step.sum(axis=0)
    turn[:-1] += step.sum(axis=0)
    weight = np.nan_to_num(turn + (level - np.nanmedian(level)) ** 2)
    t = (index[:, None] * f.SUBS + np.arange(f.SUBS)).reshape(-1).astype(np.float64) * 0.5 + 0.25
    total = float(weight.sum())
    peak = float(t[int(weight.argmax())]) if total > 0 else float(index[-1]) * BLOCK_NS / SECOND_NS
    near = np.abs(t - peak) <= 2.5
    mass = float(weight[near].sum())
    at = float((t[near] * weight[near]).sum()) / mass if mass > 0 else peak
    return round(at * 1000) * 1_000_000
