# SPDX-License-Identifier: Apache-2.0
"""What a guided session shows at a moment: cue, count, clock, beep."""

from dataclasses import dataclass

from tracker.exercises.guided_state import COUNT_IN_S, Guided, Live, Phase, Source, Tempo
from tracker.exercises.programme import Target
from tracker.exercises.registry import exercises
from tracker.model import SECOND_NS, Exercise


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What to show now.

    cue    count_in, up, hold, down, rest, ready, effort, done or stopped
    count  repetitions so far, `source` says who counts
    left_s seconds left of the cue (or of the rest); beep is true in the first tenth of a cue
    """

    phase: Phase
    exercise: str
    variant: str
    set_number: int
    sets: int
    side: str
    target: Target | None
    cue: str
    count: int
    source: Source
    hold_s: float
    left_s: float
    beep: bool


def screen(state: Guided, now_ns: int, live: Live | None = None) -> Screen:
    """What to show at a moment."""
    if state.phase in ("effort", "done", "stopped"):
        return _plain(state, state.phase)
    item = state.items[state.item]
    target = item.sets[state.set_at]
    passed_s = (now_ns - state.since_ns) / SECOND_NS
    cue: str = state.phase
    left_s, beep = 0.0, False
    if state.phase == "rest":
        left_s = max(0.0, _rest_s(state) - passed_s)
        beep = left_s == 0.0 and passed_s - _rest_s(state) < 0.1
    elif state.phase == "work":
        cue, left_s, beep = _cue(state.tempo, target, passed_s)
    count, source = count_of(state, passed_s, live)
    if is_hold(state):
        source = "timer" if live is None or live.hold_s is None else "sensor"
    return Screen(
        phase=state.phase,
        exercise=item.exercise,
        variant=item.variant,
        set_number=state.set_at + 1,
        sets=len(item.sets),
        side=state.side,
        target=target,
        cue=cue,
        count=count,
        source=source,
        hold_s=held_s(state, passed_s, live),
        left_s=left_s,
        beep=beep,
    )


def set_over(state: Guided, now_ns: int, live: Live | None = None) -> bool:
    """Whether the running set has reached its target, so that a page may end it."""
    if state.phase != "work":
        return False
    target = state.items[state.item].sets[state.set_at]
    passed_s = (now_ns - state.since_ns) / SECOND_NS
    if is_hold(state):
        return held_s(state, passed_s, live) >= target.hold_s * target.reps
    return count_of(state, passed_s, live)[0] >= target.reps


def is_hold(state: Guided) -> bool:
    """Whether the exercise is timed."""
    item = state.items[state.item]
    spec = exercises().get(Exercise[item.exercise.upper()])
    return spec is not None and spec.mode == "hold"


def _counts(state: Guided) -> bool:
    """Whether the sensor makes a count claim for this exercise."""
    spec = exercises().get(Exercise[state.items[state.item].exercise.upper()])
    return spec is not None and spec.mode == "reps"


def count_of(state: Guided, passed_s: float, live: Live | None) -> tuple[int, Source]:
    """Repetitions so far and who counts: a tap wins, then the sensor, then the tempo."""
    if state.taps:
        return state.taps, "user"
    if live is not None and live.reps is not None and _counts(state):
        return live.reps, "sensor"
    if state.phase != "work":
        return 0, "timer"
    target = state.items[state.item].sets[state.set_at]
    cycle = state.tempo.up_s + target.hold_s + state.tempo.down_s
    return min(target.reps, int(max(0.0, passed_s - COUNT_IN_S) // cycle)), "timer"


def held_s(state: Guided, passed_s: float, live: Live | None) -> float:
    """Seconds of the running hold."""
    if state.phase != "work" or not is_hold(state):
        return 0.0
    if live is not None and live.hold_s is not None:
        return live.hold_s
    # By the clock: what the cue "hold" has lasted, without the ways up and down.
    target = state.items[state.item].sets[state.set_at]
    at = max(0.0, passed_s - COUNT_IN_S)
    cycles, inside = divmod(at, state.tempo.up_s + target.hold_s + state.tempo.down_s)
    held = cycles * target.hold_s + min(max(0.0, inside - state.tempo.up_s), target.hold_s)
    return min(held, target.reps * target.hold_s)


def _cue(tempo: Tempo, target: Target, passed_s: float) -> tuple[str, float, bool]:
    at = passed_s - COUNT_IN_S
    if at < 0:
        return "count_in", -at, passed_s % 1 < 0.1
    cycle = tempo.up_s + target.hold_s + tempo.down_s
    at %= cycle
    if at < tempo.up_s:
        return "up", tempo.up_s - at, at < 0.1
    if at < tempo.up_s + target.hold_s:
        return "hold", tempo.up_s + target.hold_s - at, at - tempo.up_s < 0.1
    return "down", cycle - at, at - tempo.up_s - target.hold_s < 0.1


def _rest_s(state: Guided) -> float:
    return state.tempo.rest_side_s if state.side == "right" else state.tempo.rest_s


def _plain(state: Guided, cue: str) -> Screen:
    return Screen(
        phase=state.phase,
        exercise="",
        variant="",
        set_number=0,
        sets=0,
        side="",
        target=None,
        cue=cue,
        count=0,
        source="timer",
        hold_s=0.0,
        left_s=0.0,
        beep=False,
    )
