# SPDX-License-Identifier: Apache-2.0
"""Finds sets in a stream: gate, cut into episodes, look at each finished episode as a whole.

Blocks in body axes come in, sets come out some seconds after they ended. Everything is decided on
quanta of 2.5 s aligned to absolute time and on finished episodes, so splitting the stream anywhere
gives the same sets. Most of a day is decided by the gate alone.

An episode begins with an active quantum and ends when `QUIET` quanta in a row are not. One that is
longer than `LONGEST` quanta is cut in the longest rest of its second half; without any rest (rowing
for more than ten minutes) a set is cut there and counts as two.
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tracker.exercises.cut import QUIET, episodes_of
from tracker.exercises.episode import STEP_NS, Episode
from tracker.exercises.gate import QUANTUM_ROWS, active, decimate
from tracker.exercises.settle import settle
from tracker.exercises.spec import Tuning
from tracker.model import SECOND_NS, ExerciseSet, Placement
from tracker.signal.blocks import BodyBlock
from tracker.signal.layers import Span

VERSION = 1
RAW_PER_ROW = 5
RAW_QUANTUM = QUANTUM_ROWS * RAW_PER_ROW
RAW_STEP_NS = STEP_NS // RAW_PER_ROW
QUANTUM_NS = QUANTUM_ROWS * STEP_NS
LEAD = 4  # quanta before the first active one that belong to an episode
FEWEST = 3  # active quanta; fewer cannot hold a set
# A gap up to here is filled with invalid rows; a longer one ends every episode.
BRIDGE_NS = 5 * SECOND_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineParams:
    """Where the sensor sits decides what it can see; `tuning` is for benches."""

    placement: Placement = Placement.UNKNOWN
    tuning: Tuning = field(default_factory=Tuning)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EngineState:
    """What the engine remembers between blocks.

    raw_t0_ns  time of the first raw row that does not fill a quantum yet
    raw        (c, k) float32 those rows; raw_ok (k,) which of them are valid
    t0_ns      time of the first buffered quantum
    rows       (c, q * 25) float32 buffered rows at 10 Hz; ok (q * 25,) bool; flags (q,) bool
    """

    params: EngineParams
    channels: int = 0
    source_fs_hz: float = 0.0
    raw_t0_ns: int = 0
    raw: NDArray[np.float32]
    raw_ok: NDArray[np.bool_]
    t0_ns: int = 0
    rows: NDArray[np.float32]
    ok: NDArray[np.bool_]
    flags: NDArray[np.bool_]

    def dump(self) -> dict[str, Any]:
        """Plain values and arrays, for a store that knows no classes."""
        return {
            "version": VERSION,
            "placement": self.params.placement.value,
            "tuning": asdict(self.params.tuning),
            "channels": self.channels,
            "source_fs_hz": self.source_fs_hz,
            "raw_t0_ns": self.raw_t0_ns,
            "raw": self.raw,
            "raw_ok": self.raw_ok,
            "t0_ns": self.t0_ns,
            "rows": self.rows,
            "ok": self.ok,
            "flags": self.flags,
        }

    @classmethod
    def load(cls, values: dict[str, Any]) -> Self:
        """The inverse of :meth:`dump`; a state of another version starts empty."""
        params = EngineParams(
            placement=Placement(values["placement"]), tuning=Tuning(**values.get("tuning", {}))
        )
        channels = int(values.get("channels", 0))
        if values.get("version") != VERSION or not channels:
            return cls(params=params, **_nothing(0))
        return cls(
            params=params,
            channels=channels,
            source_fs_hz=float(values["source_fs_hz"]),
            raw_t0_ns=int(values["raw_t0_ns"]),
            raw=np.asarray(values["raw"], np.float32).reshape(channels, -1),
            raw_ok=np.asarray(values["raw_ok"], np.bool_).reshape(-1),
            t0_ns=int(values["t0_ns"]),
            rows=np.asarray(values["rows"], np.float32).reshape(channels, -1),
            ok=np.asarray(values["ok"], np.bool_).reshape(-1),
            flags=np.asarray(values["flags"], np.bool_).reshape(-1),
        )


def _nothing(channels: int) -> dict[str, Any]:
    return {
        "raw": np.empty((channels, 0), np.float32),
        "raw_ok": np.empty(0, np.bool_),
        "rows": np.empty((channels, 0), np.float32),
        "ok": np.empty(0, np.bool_),
        "flags": np.empty(0, np.bool_),
    }


def start(params: EngineParams | None = None) -> EngineState:
    """Nothing seen yet."""
    return EngineState(params=params or EngineParams(), **_nothing(0))


def advance(
    state: EngineState, block: BodyBlock
) -> tuple[EngineState, list[ExerciseSet], list[Span]]:
    """Take the next block; return the sets that are now finished and the spans they cover."""
    sets: list[ExerciseSet] = []
    values = [block.acc_body_g.T]
    if block.gyr_body_dps is not None:
        values.append(block.gyr_body_dps.T)
    channels = 3 * len(values)
    if state.channels != channels:
        state, sets = _flush(state)
        state = replace(state, channels=channels, **_nothing(channels))
    n = block.acc_body_g.shape[0]
    if n == 0:
        return state, sets, _spans(sets)
    state, more, fill = _join(state, block.t0_ns)
    sets += more
    held = state.raw.shape[1]
    # First complete the open quantum, then take whole ones without a copy, then keep the rest.
    head = 0 if held + fill == 0 else min(n, -(held + fill) % RAW_QUANTUM)
    whole = (n - head) // RAW_QUANTUM * RAW_QUANTUM
    if head or held or fill:
        first = np.concatenate([v[:, :head] for v in values])
        edge = state.raw[:, -1:] if held else np.concatenate([v[:, :1] for v in values])
        raw = np.concatenate([state.raw, np.repeat(edge, fill, axis=1), first], axis=1)
        ok = np.concatenate([state.raw_ok, np.zeros(fill, np.bool_), block.valid[:head]])
        full = raw.shape[1] // RAW_QUANTUM * RAW_QUANTUM
        state, more = _take(state, state.raw_t0_ns, [raw[:, :full]], ok[:full])
        sets += more
        state = _hold(state, full, raw[:, full:], ok[full:])
    if whole:
        part = slice(head, head + whole)
        state, more = _take(state, state.raw_t0_ns, [v[:, part] for v in values], block.valid[part])
        sets += more
        state = _hold(state, whole, state.raw, state.raw_ok)
    if head + whole < n:
        rest = np.concatenate([v[:, head + whole :] for v in values])
        state = _hold(state, 0, rest, block.valid[head + whole :])
    return replace(state, source_fs_hz=block.source_fs_hz), sets, _spans(sets)


def _hold(
    state: EngineState, taken: int, raw: NDArray[np.float32], ok: NDArray[np.bool_]
) -> EngineState:
    """Raw rows that wait for a full quantum, copied so that a long block can be freed."""
    return replace(
        state,
        raw_t0_ns=state.raw_t0_ns + taken * RAW_STEP_NS,
        raw=raw.copy(),
        raw_ok=ok.copy(),
    )


def finish(state: EngineState) -> tuple[EngineState, list[ExerciseSet], list[Span]]:
    """The stream ends: look at what is still open."""
    state, sets = _flush(state)
    return state, sets, _spans(sets)


def buffered(state: EngineState) -> Episode | None:
    """Everything that is still held, with what does not fill a quantum yet; None where nothing is.

    For the live look of a guided set (`live.py`), which knows its exercise and needs no gate.
    """
    k = state.raw.shape[1] // RAW_PER_ROW * RAW_PER_ROW
    rows, ok = state.rows, state.ok
    if k:
        tail = np.stack([decimate(channel[:k]) for channel in state.raw])
        rows = np.concatenate([rows, tail], axis=1) if rows.shape[1] else tail
        ok = np.concatenate([ok, state.raw_ok[2:k:RAW_PER_ROW]])
    if not rows.shape[1]:
        return None
    first_ns = state.t0_ns if state.rows.shape[1] else state.raw_t0_ns
    return Episode(
        t0_ns=first_ns + 2 * RAW_STEP_NS,
        acc_body_g=rows[:3].T,
        gyr_body_dps=rows[3:].T if state.channels == 6 else None,
        valid=ok,
        placement=state.params.placement,
        tuning=state.params.tuning,
    )


def _join(state: EngineState, t0_ns: int) -> tuple[EngineState, list[ExerciseSet], int]:
    """Bring the state to where the block starts; also how many raw rows to fill in before it."""
    sets: list[ExerciseSet] = []
    if state.rows.shape[1] or state.raw.shape[1]:
        expected = state.raw_t0_ns + state.raw.shape[1] * RAW_STEP_NS
        missing = round((t0_ns - expected) / RAW_STEP_NS)
        if 0 <= missing * RAW_STEP_NS <= BRIDGE_NS:
            return state, sets, missing
        state, sets = _flush(state)
    fill = t0_ns // RAW_STEP_NS % RAW_QUANTUM
    return replace(state, raw_t0_ns=t0_ns - fill * RAW_STEP_NS), sets, fill


def _flush(state: EngineState) -> tuple[EngineState, list[ExerciseSet]]:
    """Fill up the last quantum with invalid rows, close every episode, forget the rows."""
    sets: list[ExerciseSet] = []
    k = state.raw.shape[1]
    if k:
        pad = np.repeat(state.raw[:, -1:], RAW_QUANTUM - k, axis=1)
        ok = np.concatenate([state.raw_ok, np.zeros(RAW_QUANTUM - k, np.bool_)])
        raw = np.concatenate([state.raw, pad], axis=1)
        state, sets = _take(state, state.raw_t0_ns, [raw], ok)
    state, more = _close(state, final=True)
    return replace(state, **_nothing(state.channels)), sets + more


def _take(
    state: EngineState, t0_ns: int, values: list[NDArray[np.float32]], ok: NDArray[np.bool_]
) -> tuple[EngineState, list[ExerciseSet]]:
    """Whole quanta, channel-major (c, n), in one or two arrays."""
    if not ok.shape[0]:
        return state, []
    tenths = [decimate(v) for v in values]
    rows = tenths[0] if len(tenths) == 1 else np.concatenate(tenths)
    before = None
    if state.rows.shape[1]:
        before = state.rows[:3, -5:].sum(axis=1) * np.float32(0.2)
    flags = active(rows, before)
    state = replace(
        state,
        t0_ns=state.t0_ns if state.rows.shape[1] else t0_ns,
        rows=np.concatenate([state.rows, rows], axis=1) if state.rows.shape[1] else rows,
        ok=np.concatenate([state.ok, ok[2::RAW_PER_ROW]]),
        flags=np.concatenate([state.flags, flags]),
    )
    return _close(state, final=False)


def _close(state: EngineState, *, final: bool) -> tuple[EngineState, list[ExerciseSet]]:
    """Look at every finished episode; keep what may still belong to one."""
    sets: list[ExerciseSet] = []
    total = state.flags.shape[0]
    done = 0  # quanta before this have been looked at
    keep = max(0, total - LEAD)
    for begin, last, cut in episodes_of(state.flags):
        if not (final or cut or last + QUIET < total):
            keep = max(done, begin - LEAD)
            break
        end = last + 1 if cut else min(total, last + 1 + QUIET)
        if np.count_nonzero(state.flags[begin : last + 1]) >= FEWEST:
            sets += settle(_episode(state, max(done, begin - LEAD), end))
        # The next episode must not see what was looked at, or it would be counted twice.
        done = end
        keep = max(done, total - LEAD)
    if keep:
        state = replace(
            state,
            t0_ns=state.t0_ns + keep * QUANTUM_NS,
            rows=state.rows[:, keep * QUANTUM_ROWS :].copy(),
            ok=state.ok[keep * QUANTUM_ROWS :].copy(),
            flags=state.flags[keep:].copy(),
        )
    return state, sets


def _episode(state: EngineState, first: int, end: int) -> Episode:
    part = slice(first * QUANTUM_ROWS, end * QUANTUM_ROWS)
    rows = state.rows[:, part]
    return Episode(
        # The mean of five samples stands for the middle one.
        t0_ns=state.t0_ns + first * QUANTUM_NS + 2 * RAW_STEP_NS,
        acc_body_g=rows[:3].T,
        gyr_body_dps=rows[3:].T if state.channels == 6 else None,
        valid=state.ok[part],
        placement=state.params.placement,
        tuning=state.params.tuning,
    )


def _spans(sets: list[ExerciseSet]) -> list[Span]:
    return [Span(start_ns=s.start_ns, end_ns=s.end_ns, exercise=s.exercise) for s in sets]
