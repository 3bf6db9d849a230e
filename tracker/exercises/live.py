# SPDX-License-Identifier: Apache-2.0
"""The running set of a guided session: its exercise is known, so the count may be generous.

Sets of a day are found in retrospect and with suspicion (`settle.py`). Here a person said which
exercise begins now: the first repetition counts, size and pace need not agree, and a hold counts
from entering its pose. The same signals, poses and turning points; nothing is remembered, so the
look changes nothing of what is found and stored.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tracker.exercises import engine
from tracker.exercises.episode import FS_HZ, STEP_NS, Episode
from tracker.exercises.guided_state import Live
from tracker.exercises.holds import MOVE_OFF_S, live_holds
from tracker.exercises.registry import exercises
from tracker.exercises.repeats import find_sets
from tracker.exercises.spec import Spec, Tuning, always
from tracker.model import Exercise, Placement
from tracker.signal.blocks import BodyBlock

EARLIER_NS = 3 * 10**9  # a repetition that had begun when the button was tapped
# No suspicion: the exercise is known. The way into the set is still dropped at its end.
GENEROUS = Tuning(
    few_large=0.0, few_spread=99.0, few_size=99.0, few_rhythm=-2.0, few_apart=99.0,
    many_spread=99.0, many_size=99.0, set_ends_periods=99.0, set_ends_s=999.0,
)  # fmt: skip


def seen_from(exercise: Exercise, placement: Placement) -> bool:
    """Whether a sensor at this place counts or times the exercise."""
    spec = exercises().get(exercise)
    return spec is not None and spec.mode != "guided" and placement in spec.places


def look(
    state: engine.EngineState,
    waiting: Sequence[BodyBlock],
    exercise: Exercise,
    since_ns: int,
) -> Live:
    """What the sensor sees of a set that began at `since_ns`; `waiting` was not taken in yet."""
    spec = exercises().get(exercise)
    if spec is None or not seen_from(exercise, state.params.placement):
        return Live()
    for block in waiting:
        state, _, _ = engine.advance(state, block)
    episode = _since(engine.buffered(state), since_ns)
    if episode is None:
        return Live()
    if spec.mode == "hold":
        return _held(episode, spec)
    if spec.signal == "yaw" and episode.gyr_body_dps is None:
        return Live()  # gravity is blind to it: the clock guides
    easy = replace(spec, min_reps=1, fit=always, period_s=(spec.period_s[0], 60.0))
    found = find_sets(episode, easy)
    return Live(reps=max((len(one.reps) for one in found), default=0))


def _since(episode: Episode | None, since_ns: int) -> Episode | None:
    """The rows from shortly before the set to the newest one that was measured."""
    if episode is None or not episode.valid.any():
        return None
    first = max(0, (since_ns - EARLIER_NS - episode.t0_ns) // STEP_NS)
    end = int(np.flatnonzero(episode.valid)[-1]) + 1
    if end - first < 10:
        return None
    part = slice(first, end)
    return Episode(
        t0_ns=episode.t0_ns + first * STEP_NS,
        acc_body_g=episode.acc_body_g[part],
        gyr_body_dps=None if episode.gyr_body_dps is None else episode.gyr_body_dps[part],
        valid=episode.valid[part],
        placement=episode.placement,
        tuning=GENEROUS,
    )


def _held(episode: Episode, spec: Spec) -> Live:
    """Seconds of all holds of the set; the last one may still go on."""
    total_s = 0.0
    for first, last in live_holds(episode, spec):
        running = last >= len(episode) - 6
        off_s = MOVE_OFF_S / 2 if running else MOVE_OFF_S
        total_s += max(0.0, (last - first) / FS_HZ - off_s)
    return Live(hold_s=round(total_s, 1))
