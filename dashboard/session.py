# SPDX-License-Identifier: Apache-2.0
"""A guided session: one exercise after the other, tempo and hold clock, what the sensor counted.

The session lives in the browser session until it is finished; then it is one diary entry.
"""

from dataclasses import dataclass, field, replace

import streamlit as st

from dashboard import data, drawings, programme
from dashboard.parts import View, sentence
from tracker.diary import Training
from tracker.errors import BackstayError
from tracker.model import SECOND_NS
from tracker.units import local_date

KEY = "session"
UP_S, DOWN_S = 2, 3  # an even tempo for beginners (engineering; no trial names a best one)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where the session stands. `clock_ns` is when the clock of this exercise was started."""

    level: int
    started_ns: int
    at: int = 0
    clock_ns: int | None = None
    done: tuple[tuple[str, int, float], ...] = field(default=())


def running() -> bool:
    """Whether a session is under way."""
    return isinstance(st.session_state.get(KEY), State)


def begin(v: View, level: int) -> None:
    """Start a session."""
    st.session_state[KEY] = State(level=level, started_ns=v.sources.clock.now_ns())


def draw(v: View) -> None:
    """The current exercise, or the end."""
    state: State = st.session_state[KEY]
    items = programme.items(state.level)
    if state.at >= len(items):
        _finish(v, state)
        return
    item = items[state.at]
    st.progress(state.at / len(items), text=v.t("session.step", n=state.at + 1, of=len(items)))
    st.header(programme.name(item.exercise, v.lang.code), anchor=False)
    picture, words = st.columns([2, 3])
    with picture:
        name = programme.name(item.exercise, v.lang.code)
        st.image(drawings.exercise(item.exercise), alt=v.t("session.drawing", exercise=name))
    with words:
        st.markdown(programme.cue(item.exercise, v.lang.code))
        st.markdown(f"**{programme.dose(v, item)}**")
    _clock(v, state, item)
    with st.form(f"done_{state.at}", border=False):
        counted = _counted(v, state, item)
        reps = st.number_input(
            v.t("session.reps"), 0, 200, counted or item.reps, key=f"reps_{state.at}"
        )
        hold = st.number_input(
            v.t("session.hold"), 0, 600, round(item.hold_s), key=f"hold_{state.at}"
        )
        st.caption(v.t("session.confirm"))
        if st.form_submit_button(v.d("next"), type="primary"):
            _go(state, (item.exercise, int(reps), float(hold)))
            st.rerun()
    with st.container(horizontal=True):
        st.button(v.t("session.skip"), on_click=_go, args=(state, None))
        st.button(v.t("session.stop"), on_click=_stop, type="tertiary")
    st.caption(v.t("session.pain"))


def _go(state: State, done: tuple[str, int, float] | None) -> None:
    kept = (*state.done, done) if done else state.done
    st.session_state[KEY] = replace(state, at=state.at + 1, clock_ns=None, done=kept)


def _stop() -> None:
    st.session_state.pop(KEY, None)


def _clock(v: View, state: State, item: programme.Item) -> None:
    def start() -> None:
        st.session_state[KEY] = replace(state, clock_ns=v.sources.clock.now_ns())

    if state.clock_ns is None:
        st.button(v.t("session.start_clock"), on_click=start)
        return
    begun_ns = state.clock_ns

    @st.fragment(run_every=1)
    def ticking() -> None:
        passed = int((v.sources.clock.now_ns() - begun_ns) // SECOND_NS)
        st.markdown(f"### {phase(v, passed, item)}")

    ticking()


def phase(v: View, passed_s: int, item: programme.Item) -> str:
    """What to do `passed_s` seconds after the start: up, hold (counting down) or down."""
    hold_s = round(item.hold_s)
    cycle_s = UP_S + hold_s + DOWN_S
    number, at = passed_s // cycle_s + 1, passed_s % cycle_s
    if number > item.reps:
        return v.t("session.set_done")
    if at < UP_S:
        word = v.t("session.up")
    elif at < UP_S + hold_s:
        word = v.t("session.holding", seconds=UP_S + hold_s - at)
    else:
        word = v.t("session.down")
    return v.t("session.phase", n=number, of=item.reps, word=word)


def _counted(v: View, state: State, item: programme.Item) -> int:
    """Repetitions of this exercise that the sensor has counted since the start."""
    day = local_date(v.now_ns, v.zone)
    found = [
        one
        for one in data.sets(v.sources, v.viewer, v.wearer, day, day, v.zone)
        if one.start_ns >= state.started_ns and one.exercise.label == item.exercise
    ]
    if found:
        st.caption(v.t("session.counted", n=found[-1].reps))
        return found[-1].reps
    return 0


def _finish(v: View, state: State) -> None:
    minutes = max(1, round((v.now_ns - state.started_ns) / (60 * SECOND_NS)))
    st.header(v.t("session.finished"), anchor=False)
    st.markdown(v.t("session.summary", n=len(state.done), minutes=minutes))
    effort = st.pills(v.t("diary.effort"), range(11), key="session_effort")
    with st.container(horizontal=True):
        if st.button(v.t("session.keep"), type="primary"):
            told = Training(at_ns=state.started_ns, minutes=minutes, sets=state.done, effort=effort)
            try:
                data.save_training(v.sources, v.viewer, v.wearer, told, v.zone)
            except BackstayError as error:
                st.error(sentence(v, error))
            else:
                _stop()
                st.session_state["notice"] = ("saved", "")
                st.rerun()
        st.button(v.t("session.drop"), on_click=_stop)
