# SPDX-License-Identifier: Apache-2.0
"""The steps in order: samples in, epochs out, live and batch alike.

`advance` is the only way through: `analyze` calls it in chunks of half an hour. Rows of the newest
two minutes may come again with a better answer; `merge_epochs` keeps the last one. The final table
does not depend on how the samples were split.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from tracker.exercises import engine
from tracker.model import EPOCH_NS, SECOND_NS, Epochs, ExerciseSet, Samples, State, Transition
from tracker.signal import pack
from tracker.signal.blocks import BLOCK_NS, Blocks, no_blocks
from tracker.signal.drift import DriftState, advance_drift
from tracker.signal.epochs import PairState, advance_pairs, start_pairs
from tracker.signal.features import FeatureState, advance_features, start_features
from tracker.signal.fuse import fuse
from tracker.signal.glance import glance
from tracker.signal.grid import GridState, advance_grid, finish_grid, start_grid
from tracker.signal.layers import (
    LayerState,
    Span,
    advance_layers,
    mark_exercise,
    start_layers,
)
from tracker.signal.results import NEVER_NS, Results, Setup
from tracker.signal.segment import SegmentState, advance_segment, start_segment
from tracker.signal.shifts import Shift, ShiftState, advance_shifts, start_shifts
from tracker.signal.transitions import (
    TransitionState,
    advance_transitions,
    start_transitions,
)

if TYPE_CHECKING:
    from tracker.signal.slouch import SlouchEvent

__all__ = [
    "ChainState",
    "Results",
    "Setup",
    "advance",
    "analyze",
    "dump",
    "finish",
    "load",
    "merge_epochs",
    "start",
]

# Longer ones make arrays that the allocator maps anew every time, which costs more than the calls.
CHUNK_NS = 1800 * SECOND_NS
# Blocks that may wait for the next full pass, whose cost hardly depends on their number: after 5 s
# where the posture seems to change, 12.5 s while something moves, 20 s while nothing does.
CHANGED, MOVED, CALM = 2, 5, 8
_NOTHING = Results(epochs=Epochs.empty())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChainState:
    """What one call leaves for the next. Arrays and numbers alone; see :func:`dump`."""

    setup: Setup
    grid: GridState
    features: FeatureState
    segment: SegmentState
    pairs: PairState
    layers: LayerState
    transitions: TransitionState
    shifts: ShiftState
    drift: DriftState
    exercises: engine.EngineState
    queue: Blocks  # blocks that wait for the next full pass
    patience: int  # how many may wait
    seen: int  # code of the newest state


def start(setup: Setup) -> ChainState:
    """A chain that has seen nothing."""
    return ChainState(
        setup=setup,
        grid=start_grid(),
        features=start_features(),
        segment=start_segment(),
        pairs=start_pairs(),
        layers=start_layers(),
        transitions=start_transitions(),
        shifts=start_shifts(),
        drift=DriftState(),
        exercises=engine.start(engine.EngineParams(placement=setup.placement)),
        queue=no_blocks(),
        patience=CALM,
        seen=int(State.UNKNOWN),
    )


def advance(state: ChainState, samples: Samples) -> tuple[ChainState, Results]:
    """Take the next samples. Raises InputError where time does not increase."""
    cal = state.setup.calibration
    grid, blocks = advance_grid(
        state.grid,
        samples,
        cal.matrix(),
        np.array(cal.offset_g, np.float32),
        np.array(cal.gain, np.float32),
    )
    if not len(blocks):
        return replace(state, grid=grid), _NOTHING
    queue = state.queue.join(blocks)
    look = glance(blocks.values[:, -1], State(state.seen), state.setup)
    changed = look.state != state.seen
    patience = min(state.patience, CHANGED if changed else MOVED if look.moved else CALM)
    if len(queue) < patience:
        held = replace(state, grid=grid, queue=queue, patience=patience, seen=int(look.state))
        return held, Results(
            epochs=_NOTHING.epochs,
            provisional=look.state,
            provisional_ns=int(blocks.index[-1]) * BLOCK_NS,
            provisional_confidence=look.confidence,
            tilt_deg=look.tilt_deg,
            side_deg=look.side_deg,
            slump_pct=look.slump_pct,
        )
    state = replace(state, grid=grid, queue=no_blocks(), patience=CALM)
    state, result = _through(state, queue, flush=False)
    return state, replace(
        result, tilt_deg=look.tilt_deg, side_deg=look.side_deg, slump_pct=look.slump_pct
    )


def finish(state: ChainState) -> tuple[ChainState, Results]:
    """Everything that is still held, settled."""
    grid, blocks = finish_grid(state.grid)
    queue = state.queue.join(blocks)
    return _through(replace(state, grid=grid, queue=no_blocks()), queue, flush=True)


def _through(state: ChainState, blocks: Blocks, *, flush: bool) -> tuple[ChainState, Results]:
    setup = state.setup
    features, rows = advance_features(state.features, blocks)
    segment, decoded = advance_segment(
        state.segment, blocks.index, rows, setup, fs_hz=blocks.fs_hz, flush=flush
    )
    pairs, layers, exercises = state.pairs, state.layers, state.exercises
    sets: list[ExerciseSet] = []
    spans: list[Span] = []
    for run in blocks.runs():
        exercises, found, marks = engine.advance(exercises, run)
        sets += found
        spans += [Span(start_ns=m.start_ns, end_ns=m.end_ns, exercise=m.exercise) for m in marks]
    if flush:
        exercises, found, marks = engine.finish(exercises)
        sets += found
        spans += [Span(start_ns=m.start_ns, end_ns=m.end_ns, exercise=m.exercise) for m in marks]
    transitions, drift, shifts = state.transitions, state.drift, state.shifts
    warnings: list[str] = []
    changes: list[Transition] = []
    tables: list[Epochs] = []
    events: list[SlouchEvent] = []
    moves: list[Shift] = []
    last = Epochs.empty()
    settled = NEVER_NS
    for i, part in enumerate(decoded):
        closing = flush or i < len(decoded) - 1
        pairs, epochs, final = advance_pairs(pairs, part, setup, flush=closing)
        layers, out, ended = advance_layers(layers, epochs, final, setup)
        transitions, changed = advance_transitions(transitions, part, flush=closing)
        changes.extend(changed)
        shifts, moved = advance_shifts(shifts, epochs[:final], flush=closing)
        moves.extend(moved)
        drift, said = advance_drift(drift, part, setup.calibration)
        warnings.extend(said)
        tables.append(out)
        events.extend(ended)
        if final:
            settled = int(epochs.start_ns[final - 1]) + EPOCH_NS
        last = epochs[-1:] if len(epochs) else last
    layers, out = mark_exercise(layers, spans)
    tables.append(out)
    state = replace(
        state,
        features=features,
        segment=segment,
        pairs=pairs,
        layers=layers,
        exercises=exercises,
        transitions=transitions,
        shifts=shifts,
        drift=drift,
        seen=int(last.state[0]) if len(last) else state.seen,
    )
    return state, Results(
        epochs=replace(merge_epochs(tables), algo=setup.algo),
        transitions=tuple(changes),
        sets=tuple(sets),
        warnings=tuple(dict.fromkeys(warnings)),
        slouch_events=tuple(events),
        shifts=tuple(moves),
        settled_ns=settled,
        provisional=State(int(last.state[0])) if len(last) else State.UNKNOWN,
        provisional_ns=int(last.start_ns[0]) if len(last) else -1,
        provisional_confidence=float(last.confidence[0]) if len(last) else 0.0,
    )


def merge_epochs(parts: Sequence[Epochs]) -> Epochs:
    """One sorted table; where a start comes more than once the last row wins."""
    joined = Epochs.concat(parts)
    if not len(joined):
        return joined
    starts = joined.start_ns[::-1]
    unique, first = np.unique(starts, return_index=True)
    return joined[(len(joined) - 1 - first).astype(np.intp)] if len(unique) else joined


Stream = Samples | Iterable[Samples]


def analyze(samples: Stream, setup: Setup, second: tuple[Stream, Setup] | None = None) -> Results:
    """A whole recording: `advance` in chunks of half an hour, then `finish`; nothing else.

    A recording may also come as blocks one after another; then no more than one is in memory.
    `second` is another sensor worn at the same time, on the same time base.
    """
    whole = _run(samples, setup)
    if second is None:
        return whole
    return fuse(whole, _run(*second), setup, second[1])


def _run(samples: Stream, setup: Setup) -> Results:
    state = start(setup)
    parts: list[Results] = []
    settled_ns = NEVER_NS
    for block in [samples] if isinstance(samples, Samples) else samples:
        if not len(block):
            continue
        edges = np.arange(block.t_ns[0], block.t_ns[-1] + 1, CHUNK_NS)
        cuts = [*np.unique(np.searchsorted(block.t_ns, edges)).tolist(), len(block)]
        for a, b in pairwise(cuts):
            state, result = advance(state, block[a:b])
            parts.append(result)
        settled_ns = int(block.t_ns[-1]) + 1
    if settled_ns != NEVER_NS:
        state, result = finish(state)
        parts.append(result)
    return Results(
        epochs=merge_epochs([p.epochs for p in parts]),
        transitions=tuple(t for p in parts for t in p.transitions),
        sets=tuple(s for p in parts for s in p.sets),
        slouch_events=tuple(e for p in parts for e in p.slouch_events),
        shifts=tuple(s for p in parts for s in p.shifts),
        settled_ns=settled_ns,
        warnings=tuple(
            dict.fromkeys((*setup.calibration.warnings, *(w for p in parts for w in p.warnings)))
        ),
    )


_PARTS = (
    "grid",
    "features",
    "segment",
    "pairs",
    "layers",
    "transitions",
    "shifts",
    "drift",
    "exercises",
    "queue",
    "patience",
    "seen",
)


def dump(state: ChainState) -> bytes:
    """The state without its setup, as bytes (npz; no pickle)."""
    return pack.dump({name: getattr(state, name) for name in _PARTS})


def load(data: bytes, setup: Setup) -> ChainState:
    """The inverse of :func:`dump`, for the same setup. Raises InputError for other bytes."""
    blank = start(setup)
    parts = pack.load(data, {name: getattr(blank, name) for name in _PARTS})
    return ChainState(setup=setup, **parts)
