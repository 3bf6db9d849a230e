# SPDX-License-Identifier: Apache-2.0
"""The safety list before any massage advice, and the way out through a talk with a doctor."""

import streamlit as st

from dashboard import data
from dashboard.parts import View, sentence
from tracker.advice import screening
from tracker.advice.load import packaged
from tracker.advice.profiles import screening_mode
from tracker.diary import Kind
from tracker.errors import BackstayError


def draw(v: View) -> None:
    """The list of the person's profile."""
    rules = packaged()
    latest = data.latest_screening(v.sources, v.viewer, v.wearer)
    state = data.screened(v.sources, v.viewer, v.wearer, v.zone)
    st.markdown(v.t("safety.lead"))
    box = str(rules.document.get("emergency_box", {}).get(v.lang.code, ""))
    if box:
        st.warning(box)
    _state(v, latest, state)
    mode = screening_mode(data.profile_of(v.sources, v.viewer))
    asked = screening.questions(rules, v.lang.code)
    if mode == "static":
        _static(v, asked)
    else:
        _interactive(v, asked, latest)
    for item in state.open_items:
        if screening.may_discuss(rules, item):
            _discuss(v, item)


def _state(v: View, latest: screening.Screening | None, state: screening.Screened) -> None:
    if latest is None or state.expires_in_days is None:
        st.markdown(v.t("safety.never"))
    elif state.expires_in_days < 0:
        st.markdown(v.t("safety.expired", day=v.lang.day(latest.day)))
    else:
        st.markdown(v.t("safety.confirmed", day=v.lang.day(latest.day), n=state.expires_in_days))
    if state.open_items:
        st.markdown(v.t("safety.open"))


def _static(v: View, asked: list[tuple[str, str, str]]) -> None:
    with st.expander(v.t("safety.list"), expanded=True):
        st.markdown("\n".join(f"- {text}" for _, _, text in asked))
    with st.form("safety_static", border=False):
        answer = st.radio(
            v.t("safety.question"),
            (True, False),
            index=None,
            format_func=lambda yes: v.t("safety.none" if yes else "safety.some"),
            key="safety_answer",
        )
        if st.form_submit_button(v.t("safety.confirm")) and answer is not None:
            _keep(v, {"mode": "static", "none_applies": answer, "answers": {}})


def _interactive(
    v: View, asked: list[tuple[str, str, str]], latest: screening.Screening | None
) -> None:
    """Question by question; lasting points are remembered, passing ones asked again."""
    before = dict(latest.answers) if latest else {}
    if latest is not None:
        again = set(screening.reconfirm(packaged(), latest).ask_again)
        before = {k: a for k, a in before.items() if k not in again}
    with st.form("safety_interactive", border=False):
        answers = {
            item: st.segmented_control(
                text,
                screening.ANSWERS,
                default=before.get(item, "no") if latest else None,
                format_func=lambda a: v.t(f"safety.answer.{a}"),
                key=f"safety_{item}",
            )
            for item, _, text in asked
        }
        if st.form_submit_button(v.t("safety.confirm")):
            missing = [item for item, answer in answers.items() if answer is None]
            if missing:
                st.error(v.t("safety.unanswered", n=len(missing)))
            else:
                _keep(v, {"mode": "interactive", "none_applies": False, "answers": answers})


def _discuss(v: View, item: str) -> None:
    with st.form(f"discussed_{item}", border=True):
        text = {i: t for i, _, t in screening.questions(packaged(), v.lang.code)}
        st.markdown(v.t("safety.discussed", item=text.get(item, v.t("safety.whole_list"))))
        massage = st.checkbox(v.t("safety.massage_fine"), key=f"massage_fine_{item}")
        training = st.checkbox(v.t("safety.training_fine"), key=f"training_fine_{item}")
        if st.form_submit_button(v.t("safety.discussed_save")):
            body: dict[str, object] = {"item": item, "massage": massage, "training": training}
            _keep(v, body, Kind.DISCUSSED)


def _keep(v: View, body: dict[str, object], kind: Kind = Kind.SCREENING) -> None:
    try:
        data.save_entry(v.sources, v.viewer, v.wearer, kind, body, v.zone)
    except BackstayError as error:
        st.error(sentence(v, error))
    else:
        st.session_state["notice"] = ("saved", "")
        st.rerun()
