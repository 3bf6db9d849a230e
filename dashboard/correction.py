# SPDX-License-Identifier: Apache-2.0
"""One tap corrects the time line: which stretch, what it really was. Kept as a label."""

from collections.abc import Sequence

import streamlit as st

from dashboard import data
from dashboard.parts import View, sentence
from tracker.errors import BackstayError
from tracker.model import State
from tracker.report.charts.minutes import MINUTE_NS, MinuteRun, runs

CHOICES = (
    State.SITTING,
    State.STANDING,
    State.WALKING,
    State.LYING,
    State.EXERCISE,
    State.NOT_WORN,
)
_LEAST_MIN = 3
_STEP_MIN = 3


def draw(v: View, day: data.Day) -> None:
    """A stretch and six words; one tap keeps it and lays it over the day at once."""
    stretches = _stretches(day)
    if not stretches:
        return
    with st.expander(v.t("correct.title")):
        st.caption(v.t("correct.lead"))
        index = st.selectbox(
            v.t("correct.which"),
            range(len(stretches)),
            index=len(stretches) - 1,
            format_func=lambda i: _label(v, stretches[i][0]),
            key=f"stretch_{day.minutes.day}",
        )
        run, start_ns, end_ns = stretches[index]
        st.markdown(v.t("correct.was"))
        with st.container(horizontal=True):
            for state in CHOICES:
                st.button(
                    v.lang.t(f"common.state.{state.label}"),
                    key=f"was_{state.label}",
                    on_click=_keep,
                    args=(v, day, start_ns, end_ns, state),
                    disabled=state is run.state,
                )


def _stretches(day: data.Day) -> Sequence[tuple[MinuteRun, int, int]]:
    """Measured stretches of three minutes and more, each with its beginning and end."""
    found = []
    at_ns = day.minutes.start_ns
    for run in runs(day.minutes, step_min=_STEP_MIN):
        end_ns = at_ns + round(run.minutes) * MINUTE_NS
        if run.measured and run.minutes >= _LEAST_MIN:
            found.append((run, at_ns, end_ns))
        at_ns = end_ns
    return found


def _label(v: View, run: MinuteRun) -> str:
    word = v.lang.t(f"common.state.{run.state.label}")
    start, end = (f"{int(m) // 60:02d}:{int(m) % 60:02d}" for m in (run.from_min, run.to_min))
    return f"{start}–{end} {word} ({v.lang.duration(run.minutes)})"


def _keep(v: View, day: data.Day, start_ns: int, end_ns: int, state: State) -> None:
    end_ns = min(end_ns, v.now_ns)
    try:
        data.save_correction(v.sources, v.viewer, v.wearer, start_ns, end_ns, state, v.zone)
        laid = data.correct(v.sources, v.viewer, v.wearer, day.placement, start_ns, end_ns, state)
    except BackstayError as error:
        st.session_state["notice"] = ("error", sentence(v, error))
    else:
        st.session_state["notice"] = ("saved", "" if laid else v.t("correct.later"))
