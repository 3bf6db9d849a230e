# SPDX-License-Identifier: Apache-2.0
"""The answers of `forgot.py` on the pages: sentence, what to do, and a button where one helps."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from dashboard import data, forgot
from dashboard.parts import View, sentence
from tracker.errors import BackstayError


def draw(v: View, states: Sequence[Mapping[str, Any]]) -> None:
    """All answers, on *Sensor*."""
    for number, one in enumerate(_answers(v, states)):
        with st.container(border=True, key=f"answer_{number}_{one.code}"):
            st.markdown(f"**{_what(v, one)}**")
            st.caption(v.lang.t(f"wearing.answer.{one.code}.do"))
            if one.code == "other_zone":
                here = str(one.values["here"])
                st.button(
                    v.lang.t("wearing.answer.other_zone.switch", here=here),
                    on_click=_switch,
                    args=(v, here),
                )


def line(v: View) -> None:
    """What changes today's picture, on *Today*; nothing where no collector answers."""
    if not data.collector_runs(v.sources):
        return
    try:
        states = data.sensor_states(v.sources, v.viewer, v.wearer)
    except BackstayError:
        return  # the page Sensor says what is wrong
    for one in _answers(v, states):
        if one.code in forgot.URGENT:
            st.caption(f"**{_what(v, one)}** {v.lang.t(f'wearing.answer.{one.code}.do')}")


def _answers(v: View, states: Sequence[Mapping[str, Any]]) -> tuple[forgot.Answer, ...]:
    here = st.context.timezone
    return forgot.answers(states, v.now_ns, v.zone, data.work_window(v.viewer), here)


def _what(v: View, one: forgot.Answer) -> str:
    values: dict[str, object] = dict(one.values)
    if isinstance(at := values.get("at"), datetime):
        values["at"] = v.lang.clock(at)
    if isinstance(percent := values.get("percent"), int | float):
        values["percent"] = v.lang.percent(percent / 100)
    if one.code == "calibration_stale":
        why = v.lang.t(f"wearing.answer.calibration_stale.{values['why']}", days=values["days"])
        values["why"] = why
    return v.lang.t(f"wearing.answer.{one.code}.what", **values)


def _switch(v: View, here: str) -> None:
    try:
        data.save_person(v.sources, v.viewer, zone=here)
    except BackstayError as error:
        st.session_state["notice"] = ("error", sentence(v, error))
    else:
        st.session_state["notice"] = ("saved", "")
