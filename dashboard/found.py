# SPDX-License-Identifier: Apache-2.0
"""Sets found outside of a session: "8 sit-ups at 17:40 - right?". One tap confirms or corrects."""

import streamlit as st

from dashboard import data, drawings
from dashboard.parts import View, sentence
from tracker.errors import BackstayError
from tracker.exercises.confirm import confirmed
from tracker.model import Exercise, ExerciseSet
from tracker.units import from_ns

MOST = 3  # asked at once; the others come after


def draw(v: View) -> None:
    """The newest sets that nobody was asked about yet; nothing where there are none."""
    for one in data.sets_to_ask(v.sources, v.viewer, v.wearer, v.zone)[:MOST]:
        with st.container(border=True, key=f"found_{one.set.start_ns}"):
            _ask(v, one)


def _ask(v: View, found: data.Found) -> None:
    one, t = found.set, v.lang.t
    name = t(f"exercise.name.{one.exercise.label}")
    clock = v.lang.clock(from_ns(one.start_ns, v.zone))
    picture, words = st.columns([1, 4], vertical_alignment="center")
    alt = v.t("session.drawing", exercise=name)
    picture.image(drawings.exercise(one.exercise.label), width=110, alt=alt)
    with words:
        if one.hold_s and not one.reps:
            text = t("exercise.found.hold", exercise=name, seconds=round(one.hold_s), clock=clock)
        else:
            text = t("exercise.found.reps", n=one.reps, exercise=name, clock=clock)
        st.markdown(f"**{text}**")
        if one.confidence == "low":
            st.caption(t("exercise.found.unsure"))
        with st.container(horizontal=True):
            st.button(
                t("found.right"),
                type="primary",
                key=f"found_right_{one.start_ns}",
                on_click=_keep,
                args=(v, found, confirmed(one)),
            )
            st.button(
                t("found.no_training"),
                key=f"found_none_{one.start_ns}",
                on_click=_keep,
                args=(v, found, confirmed(one, exercise=Exercise.NONE, reps=0, hold_s=0.0)),
            )
        with st.expander(t("found.correct")):
            _correct(v, found)


def _correct(v: View, found: data.Found) -> None:
    one, t = found.set, v.lang.t
    kinds: list[Exercise] = [e for e in Exercise if e is not Exercise.NONE]
    with st.form(f"found_form_{one.start_ns}", border=False):
        exercise = st.selectbox(
            v.t("training.exercise"),
            kinds,
            index=kinds.index(one.exercise),
            format_func=lambda e: t(f"exercise.name.{e.label}"),
            key=f"found_exercise_{one.start_ns}",
        )
        reps = st.number_input(t("found.reps"), 0, 500, one.reps, key=f"found_reps_{one.start_ns}")
        hold_s = st.number_input(
            t("found.hold"), 0, 3600, round(one.hold_s), key=f"found_hold_{one.start_ns}"
        )
        if st.form_submit_button(v.d("save")):
            said = confirmed(one, exercise=exercise, reps=int(reps), hold_s=float(hold_s))
            _keep(v, found, said)
            st.rerun()


def _keep(v: View, found: data.Found, said: ExerciseSet) -> None:
    try:
        data.answer_set(v.sources, v.viewer, v.wearer, found, said, v.zone)
    except BackstayError as error:
        st.session_state["notice"] = ("error", sentence(v, error))
    else:
        st.session_state["notice"] = ("saved", "")
