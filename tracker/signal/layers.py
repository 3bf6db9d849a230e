# SPDX-License-Identifier: Apache-2.0
"""What is laid over the epochs afterwards: slouching that lasted, and exercise.

Both may reach back: a slouch counts from its beginning once it lasted, an exercise once it is
recognised. Rows of the last minutes are kept for that; nothing older changes.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tracker.model import EPOCH_NS, SECOND_NS, Epochs, Exercise, State
from tracker.signal.results import Setup
from tracker.signal.slouch import DwellState, SlouchEvent, advance_dwell, limits

REACH_NS = 630 * SECOND_NS  # the longest set the exercises report
KEEP_NS = 2 * REACH_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch that is exercise."""

    start_ns: int
    end_ns: int
    exercise: Exercise


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayerState:
    """Rows that may still change, before exercise is laid over them, and the slouch machine."""

    kept: Epochs
    spans: NDArray[np.int64]  # (k, 3): start, end, exercise
    dwell: DwellState


def start_layers() -> LayerState:
    """Nothing seen."""
    return LayerState(kept=Epochs.empty(), spans=np.empty((0, 3), np.int64), dwell=DwellState())


def advance_layers(
    state: LayerState, epochs: Epochs, final: int, setup: Setup
) -> tuple[LayerState, Epochs, tuple[SlouchEvent, ...]]:
    """Rows to give out (old ones that changed, new ones) and slouch events that ended."""
    new = epochs[:final]
    dwell, marks, ended = _dwell(state.dwell, new, setup)
    kept = Epochs.concat([state.kept, new])
    if not marks:
        return replace(state, kept=kept, dwell=dwell), lay(epochs, state.spans), ended
    changed = np.zeros(len(kept), np.bool_)
    changed[len(state.kept) :] = True
    label = kept.state.copy()
    for a, b in marks:
        hit = (kept.start_ns >= a) & (kept.start_ns < b) & (label == State.SITTING)
        label[hit] = State.SLOUCHING
        changed |= hit
    kept = replace(kept, state=label)
    out = lay(Epochs.concat([kept[changed], epochs[final:]]), state.spans)
    return replace(state, kept=kept, dwell=dwell), out, ended


def mark_exercise(state: LayerState, spans: list[Span]) -> tuple[LayerState, Epochs]:
    """Take the spans of finished sets; return the rows that became exercise. Ends a call."""
    table, kept = state.spans, state.kept
    out = Epochs.empty()
    if spans:
        fresh = np.array(
            [(max(s.start_ns, s.end_ns - REACH_NS), s.end_ns, int(s.exercise)) for s in spans],
            np.int64,
        )
        table = np.concatenate([table, fresh])
        out = lay(kept[kept.start_ns >= int(fresh[:, 0].min()) - EPOCH_NS], table)
    if len(kept) and int(kept.start_ns[0]) < (edge := int(kept.start_ns[-1]) - KEEP_NS):
        kept = kept[int(np.searchsorted(kept.start_ns, edge)) :]
        table = table[table[:, 1] >= edge]
    return replace(state, kept=kept, spans=table), out


def lay(epochs: Epochs, spans: NDArray[np.int64]) -> Epochs:
    """Epochs that are mostly inside a span are exercise."""
    if not len(epochs) or not spans.shape[0]:
        return epochs
    state, exercise = epochs.state.copy(), epochs.exercise.copy()
    for a, b, code in spans.tolist():
        inside = np.minimum(epochs.start_ns + EPOCH_NS, b) - np.maximum(epochs.start_ns, a)
        hit = inside * 2 >= EPOCH_NS
        state[hit] = State.EXERCISE
        exercise[hit] = code
    return replace(epochs, state=state, exercise=exercise)


def _dwell(
    state: DwellState, epochs: Epochs, setup: Setup
) -> tuple[DwellState, list[tuple[int, int]], tuple[SlouchEvent, ...]]:
    found = limits(setup.placement, setup.calibration, setup.slouch)
    if found is None or not len(epochs):
        return state, [], ()
    marks: list[tuple[int, int]] = []
    ended: list[SlouchEvent] = []
    for start_ns, label, pct in zip(
        epochs.start_ns.tolist(), epochs.state.tolist(), epochs.slump_pct.tolist(), strict=True
    ):
        was = state
        state, event = advance_dwell(
            state, start_ns, start_ns + EPOCH_NS, State(label), pct, found, setup.slouch
        )
        if event is not None:
            ended.append(event)
        if state.open and state.last_over_ns == start_ns + EPOCH_NS:
            marks.append((start_ns if was.open else state.since_ns, start_ns + EPOCH_NS))
    return state, marks, tuple(ended)
