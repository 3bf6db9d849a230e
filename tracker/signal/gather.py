# SPDX-License-Identifier: Apache-2.0
"""What a calibration is made from, gathered while a recording passes by: the survey and the poses.

The survey needs at most `MOST_HOURS` and stops at the first full hour that holds two minutes of
walking. Poses are kept as samples, since they are short.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tracker.model import SECOND_NS, Pose, Samples
from tracker.signal import features as f
from tracker.signal.grid import GridState, advance_grid, finish_grid, start_grid
from tracker.signal.survey import Survey, look, walks

MOST_HOURS = 4
HOUR_NS = 3600 * SECOND_NS
ENOUGH_WALKING = 48  # blocks: two minutes
_EYE, _ZERO, _ONE = np.eye(3, dtype=np.float32), np.zeros(3, np.float32), np.ones(3, np.float32)

Span = tuple[int, int]
Spans = Mapping[Pose, Sequence[Span]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gathered:
    """What one block leaves for the next.

    rows   feature rows in the sensor's axes
    poses  acceleration (k, 3) inside the stretches of each pose; `met` those with samples
    """

    grid: GridState = field(default_factory=start_grid)
    features: f.FeatureState = field(default_factory=f.start_features)
    rows: tuple[NDArray[np.float32], ...] = ()
    walked: int = 0
    hours: int = 0
    hour_ends_ns: int | None = None
    full: bool = False  # the survey has seen enough
    last_ns: int = 0
    poses: Mapping[Pose, tuple[NDArray[np.float32], ...]] = field(default_factory=dict)
    met: frozenset[Span] = frozenset()

    def enough(self, spans: Spans) -> bool:
        """Whether later samples could not change the calibration."""
        ends = [end for each in spans.values() for _, end in each]
        return self.full and all(end <= self.last_ns for end in ends)

    def survey(self) -> Survey:
        """What was seen so far."""
        rows = self.rows
        if not self.full:
            _, blocks = finish_grid(self.grid)
            if len(blocks):
                rows = (*rows, _good(f.advance_features(self.features, blocks)[1]))
        return look(np.concatenate(rows) if rows else np.empty((0, f.COLUMNS), np.float32))

    def pose(self, pose: Pose) -> NDArray[np.float64] | None:
        """Mean acceleration (3,) in a pose; None where it was not given or not met."""
        parts = self.poses.get(pose)
        if not parts:
            return None
        return np.asarray(np.concatenate(parts).mean(axis=0, dtype=np.float64))


def gather(blocks: Iterable[Samples], spans: Spans) -> Gathered:
    """Everything of a recording that is there as blocks."""
    state = Gathered()
    for block in blocks:
        state = advance_gather(state, block, spans)
    return state


def survey(samples: Samples) -> Survey:
    """A first look at a recording in memory."""
    return gather([samples], {}).survey()


def advance_gather(state: Gathered, samples: Samples, spans: Spans) -> Gathered:
    """Take the next samples."""
    if not len(samples):
        return state
    poses, met = dict(state.poses), set(state.met)
    for pose, each in spans.items():
        inside = np.zeros(len(samples), np.bool_)
        for span in each:
            a, b = np.searchsorted(samples.t_ns, span)
            inside[a:b] = True
            if b > a:
                met.add(span)
        if inside.any():
            part = np.ascontiguousarray(samples.acc_g[inside])
            poses[pose] = (*poses.get(pose, ()), part)
    state = replace(state, poses=poses, met=frozenset(met), last_ns=int(samples.t_ns[-1]))
    while len(samples) and not state.full:
        state, samples = _hour(state, samples)
    return state


def _hour(state: Gathered, samples: Samples) -> tuple[Gathered, Samples]:
    """Take what belongs to the current hour; return the rest."""
    begin = int(samples.t_ns[0])
    ends_ns = begin + HOUR_NS if state.hour_ends_ns is None else state.hour_ends_ns
    b = int(np.searchsorted(samples.t_ns, ends_ns))
    grid, blocks = advance_grid(state.grid, samples[:b], _EYE, _ZERO, _ONE)
    features, rows = f.advance_features(state.features, blocks)
    rows = _good(rows)
    state = replace(
        state,
        grid=grid,
        features=features,
        rows=(*state.rows, rows),
        walked=state.walked + int(walks(rows, 1.0).sum()),
        hour_ends_ns=ends_ns,
    )
    rest = samples[b:]
    if len(rest):
        hours = state.hours + 1
        full = hours >= MOST_HOURS or state.walked >= ENOUGH_WALKING
        state = replace(state, hours=hours, full=full, hour_ends_ns=int(rest.t_ns[0]) + HOUR_NS)
    return state, rest


def _good(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return rows[rows[:, f.VALID] > 0.5]
