# SPDX-License-Identifier: Apache-2.0
"""A guided session on the page: `tracker.exercises.guided` says what to do, this draws it.

The session lives in the browser session until it is finished; then it is a training entry and the
answer that progression asks for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st

from dashboard import data, drawings, programme, tempo
from dashboard.parts import View, sentence
from tracker.diary import Training
from tracker.errors import BackstayError
from tracker.exercises import guided, guided_screen
from tracker.exercises.guided_screen import screen, set_over
from tracker.exercises.guided_state import Guided, Live, Move
from tracker.exercises.programme import Item
from tracker.exercises.registry import exercises
from tracker.model import SECOND_NS, Exercise

KEY = "session"
T = TypeVar("T", int, float)
PARTS = ("start", "movement", "breathing")
STOPS = ("exercise_pain", "unwell", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The session under way."""

    level: int
    started_ns: int
    state: Guided


def running() -> bool:
    """Whether a session is under way."""
    return isinstance(st.session_state.get(KEY), Running)


def begin(v: View, level: int, items: Sequence[Item]) -> None:
    """Start a session."""
    now_ns = v.sources.clock.now_ns()
    state = guided.begin(items, now_ns)
    st.session_state[KEY] = Running(level=level, started_ns=now_ns, state=state)


def draw(v: View) -> None:
    """The current exercise, the effort, or the end."""
    kept: Running = st.session_state[KEY]
    phase = kept.state.phase
    if phase == "effort":
        st.header(v.lang.t("exercise.cue.effort"), anchor=False)
        st.pills(v.t("diary.effort"), range(11), key="session_effort", on_change=_effort, args=(v,))
    elif phase in {"done", "stopped"}:
        _finish(v, kept)
    else:
        _exercise(v, kept.state)


def _exercise(v: View, state: Guided) -> None:
    item = state.items[state.item]
    at, of = state.item, len(state.items)
    st.progress(at / of, text=v.t("session.step", n=at + 1, of=of))
    name = programme.name(v, item.exercise)
    st.header(name, anchor=False)
    picture, words = st.columns([2, 3])
    with picture:
        st.image(drawings.exercise(item.exercise), alt=v.t("session.drawing", exercise=name))
    with words:
        side = f" ({v.lang.t(f'exercise.side.{state.side}')})" if state.side else ""
        now = v.t("session.set", n=state.set_at + 1, of=len(item.sets)) + side
        st.markdown(f"**{now}** · {programme.dose(v, item)}")
        _clock(v, state)
        with st.container(horizontal=True):
            if state.phase == "work":
                _button(v, "finish_set", primary=True)
                if not guided_screen.is_hold(state):
                    _button(v, "tap")
            else:
                _button(v, "begin", primary=True)
            _button(v, "skip")
    for part in PARTS:
        st.markdown(v.lang.t(f"exercise.{part}.{item.exercise}"))
    st.caption(v.lang.t(f"exercise.see.{mode_of(item.exercise)}"))
    st.segmented_control(
        v.lang.t("exercise.session.sound"),
        tempo.SOUNDS,
        default=_sound(v),
        required=True,
        format_func=lambda s: v.lang.t(f"exercise.sound.{s}"),
        key="tempo_sound",
        on_change=_choose_sound,
        args=(v,),
    )
    with st.expander(v.lang.t("exercise.stop.question")):
        for reason in STOPS:
            st.markdown(v.lang.t(f"exercise.stop.{reason}"))
            st.button(
                v.t("session.stop"), key=f"stop_{reason}", on_click=_move, args=(v, "stop", reason)
            )


def _clock(v: View, state: Guided) -> None:
    @st.fragment(run_every=1)
    def ticking() -> None:
        now_ns = v.sources.clock.now_ns()
        live = _live(v, state)
        tempo.draw(v, state, screen(state, now_ns, live), now_ns, _sound(v))
        if set_over(state, now_ns, live):
            _move(v, "finish_set")
            st.rerun()

    ticking()


def mode_of(exercise: str) -> str:
    """How a sensor sees an exercise: `reps` it counts, a `hold` it times, `guided` by the clock."""
    spec = exercises().get(Exercise[exercise.upper()])
    return "guided" if spec is None else spec.mode


def _sound(v: View) -> str:
    chosen = st.session_state.get("tempo_sound") or v.viewer.settings.get("tempo_sound")
    return chosen if chosen in tempo.SOUNDS else tempo.SOUNDS[0]


def _choose_sound(v: View) -> None:
    chosen = st.session_state.get("tempo_sound")
    if chosen in tempo.SOUNDS:
        data.save_settings(v.sources, v.viewer, {"tempo_sound": chosen})


def _button(v: View, move: Move, *, primary: bool = False) -> None:
    st.button(
        v.t(f"session.{move}"),
        key=f"session_{move}",
        type="primary" if primary else "secondary",
        on_click=_move,
        args=(v, move),
    )


def _move(v: View, move: Move, value: int | str = 0) -> None:
    kept: Running = st.session_state[KEY]
    now_ns = v.sources.clock.now_ns()
    after = guided.act(kept.state, move, now_ns, value=value, live=_live(v, kept.state))
    st.session_state[KEY] = Running(level=kept.level, started_ns=kept.started_ns, state=after)


def _effort(v: View) -> None:
    told = st.session_state.get("session_effort")
    if isinstance(told, int):
        _move(v, "effort", told)


def _live(v: View, state: Guided) -> Live | None:
    """What the sensor has counted in the running set; a count never goes back."""
    if state.phase != "work":
        return None
    item = state.items[state.item]
    seen = data.live_set(v.sources, v.viewer, v.wearer, item.exercise, state.since_ns)
    key, best = st.session_state.get("live_best", (0, Live()))
    best = best if key == state.since_ns else Live()
    best = Live(reps=_more(best.reps, seen.reps), hold_s=_more(best.hold_s, seen.hold_s))
    st.session_state["live_best"] = (state.since_ns, best)
    # A sensor that has seen nothing of the set yet leaves the clock to count.
    return Live(reps=best.reps or None, hold_s=best.hold_s or None)


def _more(old: T | None, new: T | None) -> T | None:
    known = [x for x in (old, new) if x is not None]
    return max(known) if known else None


def _drop() -> None:
    st.session_state.pop(KEY, None)


def _finish(v: View, kept: Running) -> None:
    state = kept.state
    minutes = max(1, round((state.since_ns - kept.started_ns) / (60 * SECOND_NS)))
    done = "stopped" if state.phase == "stopped" else "finished"
    st.header(v.t(f"session.{done}"), anchor=False)
    if state.stop_reason:
        st.warning(v.lang.t(f"exercise.stop.{state.stop_reason}"))
    st.markdown(v.t("session.summary", n=len(state.results), minutes=minutes))
    st.markdown(
        "\n".join(
            f"- {programme.name(v, r.exercise)}: "
            + " × ".join(
                [str(r.reps)] * (r.reps > 1 or not r.hold_s)
                + [f"{round(r.hold_s)} s"] * bool(r.hold_s)
            )
            for r in state.results
        )
    )
    with st.container(horizontal=True):
        if state.results and st.button(v.t("session.keep"), type="primary"):
            _keep(v, kept, minutes)
        st.button(v.t("session.drop"), on_click=_drop)


def _keep(v: View, kept: Running, minutes: int) -> None:
    state = kept.state
    told = Training(
        at_ns=kept.started_ns,
        minutes=minutes,
        sets=tuple((r.exercise, r.reps, r.hold_s) for r in state.results),
        effort=state.effort,
    )
    body: dict[str, object] = {
        "level": kept.level,
        "stop_reason": state.stop_reason,
        "completed": guided.completed(state, [i.exercise for i in programme.warm_up()]),
        "skipped": list(state.skipped),
    }
    try:
        data.keep_session(v.sources, v.viewer, v.wearer, told, body, v.zone)
    except BackstayError as error:
        st.error(sentence(v, error))
    else:
        _drop()
        st.session_state["notice"] = ("saved", "")
        st.rerun()
