# SPDX-License-Identifier: Apache-2.0
"""A guided session as a pure state machine: what to do now, when to beep, what was done.

The page or phone calls :func:`act` for what the person does and `screen` (`guided_screen.py`) as
often as it draws; time is an argument. A set is counted by the sensor where it can (the live count
is handed in), else by the tempo of the timer; a tap always wins. No form is graded.

Phases: ready -> work -> rest -> ready ... -> effort -> done; `stopped` ends it early.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from tracker.exercises.guided_screen import count_of, held_s, is_hold
from tracker.exercises.guided_state import Guided, Live, Move, SetResult, Tempo
from tracker.exercises.programme import Item
from tracker.model import SECOND_NS


def begin(items: Sequence[Item], now_ns: int, tempo: Tempo | None = None) -> Guided:
    """A session that waits for its first set. An empty one is done at once."""
    first = tuple(items)
    return Guided(
        items=first,
        tempo=tempo or Tempo(),
        phase="ready" if first else "effort",
        since_ns=now_ns,
        side=_first_side(first[0]) if first else "",
    )


def act(
    state: Guided, move: Move, now_ns: int, *, value: int | str = 0, live: Live | None = None
) -> Guided:
    """What the person does: begin a set, tap a repetition, end the set, skip, stop, tell effort.

    value  effort 0-10, or the reason of a stop. A move that makes no sense now changes nothing.
    """
    after = state
    match move, state.phase:
        case "stop", "ready" | "work" | "rest" | "effort":
            reason = str(value or "other")
            after = replace(state, phase="stopped", since_ns=now_ns, stop_reason=reason)
        case "effort", "effort":
            told = min(10, max(0, int(value)))
            after = replace(state, phase="done", since_ns=now_ns, effort=told)
        case "begin", "ready" | "rest":
            after = replace(state, phase="work", since_ns=now_ns, taps=0)
        case "tap", "work":
            after = replace(state, taps=state.taps + 1)
        case "finish_set", "work":
            after = _after_set(state, now_ns, _result(state, now_ns, live))
        case "skip", "ready" | "work" | "rest":
            skipped = (*state.skipped, state.items[state.item].exercise)
            after = _to_item(replace(state, skipped=skipped), state.item + 1, now_ns)
    return after


def completed(state: Guided, optional: Collection[str] = ()) -> bool:
    """Whether every set was done, those of `optional` exercises (the warm-up) left aside."""
    asked = [i for i in state.items if i.exercise not in optional]
    planned = sum(len(i.sets) * (2 if i.per_side else 1) for i in asked)
    done = sum(r.exercise not in optional for r in state.results)
    return state.phase in ("effort", "done") and done == planned


def _result(state: Guided, now_ns: int, live: Live | None) -> SetResult:
    item = state.items[state.item]
    passed_s = (now_ns - state.since_ns) / SECOND_NS
    count, source = count_of(state, passed_s, live)
    if is_hold(state):
        seen = live is not None and live.hold_s is not None
        target, held = item.sets[state.set_at], held_s(state, passed_s, live)
        times = min(target.reps, max(1, round(held / target.hold_s))) if target.hold_s else 1
        return SetResult(
            exercise=item.exercise,
            set_number=state.set_at + 1,
            side=state.side,
            reps=times,
            hold_s=round(held / times, 1),
            source="sensor" if seen else "timer",
        )
    return SetResult(
        exercise=item.exercise,
        set_number=state.set_at + 1,
        side=state.side,
        reps=count,
        hold_s=item.sets[state.set_at].hold_s,
        source=source,
    )


def _after_set(state: Guided, now_ns: int, result: SetResult) -> Guided:
    state = replace(state, results=(*state.results, result), taps=0)
    item = state.items[state.item]
    if item.per_side and state.side == "left":
        return replace(state, side="right", phase="rest", since_ns=now_ns)
    if state.set_at + 1 < len(item.sets):
        return replace(
            state,
            set_at=state.set_at + 1,
            side=_first_side(item),
            phase="rest",
            since_ns=now_ns,
        )
    return _to_item(state, state.item + 1, now_ns)


def _to_item(state: Guided, index: int, now_ns: int) -> Guided:
    if index >= len(state.items):
        return replace(state, phase="effort", since_ns=now_ns, side="")
    return replace(
        state,
        item=index,
        set_at=0,
        side=_first_side(state.items[index]),
        taps=0,
        phase="ready",
        since_ns=now_ns,
    )


def _first_side(item: Item) -> str:
    return "left" if item.per_side else ""
