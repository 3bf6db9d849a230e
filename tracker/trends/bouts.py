# SPDX-License-Identifier: Apache-2.0
"""Sitting bouts and breaks: the rule on which every sitting metric rests.

A sitting bout is a stretch of sitting (slouching is sitting) in which interruptions of at most
20 s are bridged, clipped to half of the shorter sitting stretch beside them (default of ActiPASS,
whose wording leaves open which stretch is halved; the shorter one is the cautious reading). It
lasts at least 60 s. Unknown or not-worn time of up to 5 min inside a bout is passed over *without
being counted as sitting*; more closes the bout and censors it: its end was not seen. Where somebody
was seen to get up beside the unknown time (out of reach, on the way to the kitchen), it counts as
part of the interruption: a lost link after a rise ends the sitting.

Deviation: a bout cut by the edge of the data or of the span is censored too, for the same reason.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tracker.model import SECOND_NS, Epochs, State
from tracker.trends.runs import Runs, state_runs

_BLIND, _SIT, _UP = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class BoutParams:
    """The bout rule; times in seconds. `include_lying` counts lying as sitting (sedentary time)."""

    merge_s: float = 20.0  # ActiPASS
    min_s: float = 60.0
    close_after_s: float = 300.0
    break_s: float = 60.0
    include_lying: bool = False


DEFAULT = BoutParams()


@dataclass(frozen=True, slots=True, kw_only=True)
class SitBout:
    """One sitting bout. `blind_s` is unknown time inside it, `slouch_s` the slouched part of it.

    `censored_start` / `censored_end`: that end was not seen, so the bout is at least this long.
    """

    start_ns: int
    end_ns: int
    blind_s: float
    slouch_s: float
    censored_start: bool
    censored_end: bool

    @property
    def censored(self) -> bool:
        """Whether an end was not seen: left out of W50 and alpha, and counted."""
        return self.censored_start or self.censored_end

    @property
    def minutes(self) -> float:
        """Length in minutes without the unknown time inside."""
        return ((self.end_ns - self.start_ns) / SECOND_NS - self.blind_s) / 60


class _Open:
    """The bout being built and what was seen since its last sitting epoch."""

    def __init__(self, start_ns: int, censored_start: bool) -> None:
        self.start_ns = start_ns
        self.end_ns = start_ns
        self.censored_start = censored_start
        self.sit_s = self.slouch_s = self.blind_s = 0.0
        self.gap_up_s = self.gap_blind_s = 0.0

    def bridges(self, next_sit_s: float, params: BoutParams) -> bool:
        limit_s = min(params.merge_s, self.sit_s / 2, next_sit_s / 2)
        if self.gap_up_s > 0:
            return self.gap_up_s + self.gap_blind_s <= limit_s
        return self.gap_blind_s <= params.close_after_s

    def close(self, params: BoutParams, at_edge: bool) -> SitBout:
        unseen = self.gap_up_s == 0 and (at_edge or self.gap_blind_s > params.close_after_s)
        return SitBout(
            start_ns=self.start_ns,
            end_ns=self.end_ns,
            blind_s=self.blind_s,
            slouch_s=self.slouch_s,
            censored_start=self.censored_start,
            censored_end=unseen,
        )


def sitting_bouts(
    epochs: Epochs, *, start_ns: int, end_ns: int, params: BoutParams = DEFAULT
) -> tuple[SitBout, ...]:
    """All sitting bouts of the epochs that start in [start_ns, end_ns), in order of time."""
    return bouts_of_runs(state_runs(epochs, start_ns, end_ns), params)


def bouts_of_runs(runs: Runs, params: BoutParams = DEFAULT) -> tuple[SitBout, ...]:
    """The same from runs that tile a span."""
    kinds = _kinds(runs.state, params)
    slouch_s = np.where(runs.state == State.SLOUCHING, runs.seconds, 0.0)
    found: list[SitBout] = []
    current: _Open | None = None
    lead_s = math.inf  # unseen time before the next sitting stretch; the span's edge is unseen
    for first, stop in _stretches(kinds):
        kind = kinds[first]
        start_ns, stop_ns = int(runs.start_ns[first]), int(runs.end_ns[stop - 1])
        seconds = (stop_ns - start_ns) / SECOND_NS
        if kind != _SIT:
            lead_s = 0.0 if kind == _UP else lead_s + seconds
            if current is not None:
                if kind == _UP:
                    current.gap_up_s += seconds
                else:
                    current.gap_blind_s += seconds
            continue
        if current is not None and not current.bridges(seconds, params):
            found.append(current.close(params, at_edge=False))
            current = None
        if current is None:
            current = _Open(start_ns, lead_s > params.close_after_s)
        current.blind_s += current.gap_blind_s
        current.gap_up_s = current.gap_blind_s = 0.0
        current.sit_s += seconds
        current.slouch_s += float(slouch_s[first:stop].sum())
        current.end_ns = stop_ns
        lead_s = 0.0
    if current is not None:
        found.append(current.close(params, at_edge=True))
    shortest_min = params.min_s / 60
    return tuple(b for b in found if b.minutes >= shortest_min - 1e-9)


def _kinds(state: NDArray[np.uint8], params: BoutParams) -> NDArray[np.int64]:
    table = np.full(len(State), _UP)
    table[[State.UNKNOWN, State.NOT_WORN]] = _BLIND
    table[[State.SITTING, State.SLOUCHING]] = _SIT
    if params.include_lying:
        table[State.LYING] = _SIT
    return table[state]


def _stretches(kinds: NDArray[np.int64]) -> list[tuple[int, int]]:
    if kinds.size == 0:
        return []
    edges = np.flatnonzero(np.diff(kinds)) + 1
    bounds = [0, *edges.tolist(), int(kinds.size)]
    return list(pairwise(bounds))


def breaks(runs: Runs, params: BoutParams = DEFAULT) -> int:
    """Times the wearer got up from sitting for at least `break_s` (60 s unless set).

    Time out of reach between getting up and being seen up again belongs to the break.
    """
    kinds = _kinds(runs.state, params)
    count, sat, up_s, away_s = 0, False, 0.0, 0.0
    for first, stop in _stretches(kinds):
        seconds = (int(runs.end_ns[stop - 1]) - int(runs.start_ns[first])) / SECOND_NS
        if kinds[first] == _SIT:
            sat, up_s, away_s = True, 0.0, 0.0
        elif kinds[first] == _UP and sat:
            before, up_s, away_s = up_s, up_s + away_s + seconds, 0.0
            count += before < params.break_s <= up_s
        elif sat and up_s > 0:
            away_s += seconds
        elif seconds > params.close_after_s:
            sat = False  # what followed the sitting was not seen
    return count


def minutes_of(bouts: Sequence[SitBout], *, include_censored: bool = False) -> NDArray[np.float64]:
    """Bout lengths in minutes; censored ones are left out unless asked for."""
    return np.array([b.minutes for b in bouts if include_censored or not b.censored], np.float64)
