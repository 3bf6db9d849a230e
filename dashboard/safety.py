# SPDX-License-Identifier: Apache-2.0
"""The safety list before any massage advice, and the way out through a talk with a doctor."""

from collections.abc import Mapping

import streamlit as st

from dashboard import data
from dashboard.parts import View, sentence
from tracker.advice import screening, screening_entries
from tracker.advice.load import packaged
from tracker.advice.profiles import screening_mode
from tracker.diary import Kind
from tracker.errors import BackstayError

ROUND = "safety_round"
KINDS = ("signs", "massage", "training")
SOON_D = 3  # this long before the end the list is opened, not folded


def draw(v: View) -> None:
    """The list of the person's profile."""
    rules = packaged()
    latest = data.latest_screening(v.sources, v.viewer, v.wearer)
    state = data.screened(v.sources, v.viewer, v.wearer, v.zone)
    st.markdown(v.t("safety.lead"))
    st.warning(_emergency(v))
    _state(v, latest, state)
    mode = screening_mode(data.profile_of(v.sources, v.viewer))
    asked = screening.questions(rules, v.lang.code)
    if mode == "static":
        _static(v, latest, fresh=(state.expires_in_days or -1) > SOON_D)
    else:
        _interactive(v, asked, latest, state)
    for item in state.open_items:
        answer = latest.answers.get(item, "yes") if latest else "yes"
        if screening.may_discuss(rules, item, answer):
            _discuss(v, item)
    if latest is not None and not _new_symptom(latest, state):
        st.button(
            v.lang.t("safety.symptom"),
            key="new_symptom",
            help=v.lang.t("safety.symptom_help"),
            on_click=_symptom,
            args=(v,),
        )


def _new_symptom(latest: screening.Screening | None, state: screening.Screened) -> bool:
    """Whether a symptom came after the confirmation: it was confirmed, and yet has no end."""
    return latest is not None and state.expires_in_days is None


def _symptom(v: View) -> None:
    body: dict[str, object] = {screening_entries.NEW_SYMPTOM: True}
    try:
        data.save_entry(v.sources, v.viewer, v.wearer, Kind.SCREENING, body, v.zone)
    except BackstayError as error:
        st.session_state["notice"] = ("error", sentence(v, error))


def _state(v: View, latest: screening.Screening | None, state: screening.Screened) -> None:
    if _new_symptom(latest, state):
        st.warning(v.lang.t("safety.symptom_noted"))
    elif latest is None or state.expires_in_days is None:
        st.markdown(v.t("safety.never"))
    elif state.expires_in_days < 0:
        st.markdown(v.t("safety.expired", day=v.lang.day(latest.day)))
    else:
        st.markdown(v.t("safety.confirmed", day=v.lang.day(latest.day), n=state.expires_in_days))
    if state.open_items:
        st.markdown(v.t("safety.open"))


def _static(v: View, latest: screening.Screening | None, *, fresh: bool) -> None:
    """The list as information and one confirmation; it is open until it was read once."""
    with st.expander(v.t("safety.list"), expanded=latest is None or not fresh):
        listed(v)
    with st.form("safety_static", border=False):
        answer = _static_answer(v, "safety_answer")
        if st.form_submit_button(v.t("safety.confirm")) and answer is not None:
            _keep(v, {"mode": "static", "none_applies": answer, "answers": {}})


def question(v: View, key: str) -> bool | None:
    """The whole list with its one question, inside somebody else's form."""
    st.markdown(f"**{v.t('advice.tab.safety')}**")
    st.warning(_emergency(v))
    with st.expander(v.t("safety.list")):
        listed(v)
    return _static_answer(v, key)


def _static_answer(v: View, key: str) -> bool | None:
    chosen: bool | None = st.radio(
        v.t("safety.question"),
        (True, False),
        index=None,
        format_func=lambda yes: v.t("safety.none" if yes else "safety.some"),
        key=key,
    )
    return chosen


def listed(v: View) -> None:
    """Every question, under a heading for each kind."""
    asked = screening.questions(packaged(), v.lang.code)
    for kind in KINDS:
        points = [text for _, group, text in asked if kind_of(group) == kind]
        if points:
            lines = "\n".join(f"- {text}" for text in points)
            st.markdown(f"**{v.lang.t(f'safety.kind.{kind}')}**\n\n{lines}")


def kind_of(group: str) -> str:
    """The heading that a group of questions stands under."""
    return group if group in KINDS else "signs"


def _emergency(v: View) -> str:
    return str(packaged().document.get("emergency_box", {}).get(v.lang.code, ""))


def _interactive(
    v: View,
    asked: list[tuple[str, str, str]],
    latest: screening.Screening | None,
    state: screening.Screened,
) -> None:
    """The whole list at first and after a new symptom; later only what may have changed."""
    if latest is None or latest.mode != "interactive" or _new_symptom(latest, state):
        _whole(v, asked, latest)
    elif {item for item, _, _ in asked} - set(latest.answers):
        _whole(v, asked, latest)  # the list has grown since
    else:
        fresh = (state.expires_in_days or 0) > SOON_D
        with st.expander(v.lang.t("safety.again"), expanded=not fresh):
            _changes(v, {item: text for item, _, text in asked}, latest)


def _whole(v: View, asked: list[tuple[str, str, str]], latest: screening.Screening | None) -> None:
    """Question by question. Only what lasts is filled in; nothing is ever filled in as "no"."""
    kept = screening.reconfirm(packaged(), latest).remembered if latest else ()
    before = {item: latest.answers[item] for item in kept} if latest else {}
    with st.form("safety_interactive", border=False):
        answers: dict[str, str | None] = {}
        for kind in KINDS:
            st.markdown(f"**{v.lang.t(f'safety.kind.{kind}')}**")
            answers |= {
                item: _ask(v, item, text, before.get(item))
                for item, group, text in asked
                if kind_of(group) == kind
            }
        if st.form_submit_button(v.t("safety.confirm")) and _complete(v, answers):
            _keep(v, {"mode": "interactive", "none_applies": False, "answers": answers})


def _changes(v: View, asked: dict[str, str], latest: screening.Screening) -> None:
    """What lasts is told, what passes is asked anew, the rest only where it has changed."""
    rules, t = packaged(), v.lang.t
    again = screening.reconfirm(rules, latest)
    if again.remembered:
        lines = [
            t(
                "safety.remembered_item",
                text=asked[item],
                answer=v.t(f"safety.answer.{latest.answers[item]}"),
            )
            for item in again.remembered
        ]
        st.markdown("\n".join([t("safety.remembered"), "", *(f"- {line}" for line in lines)]))
    with st.form("safety_changes", border=False):
        if again.ask_again:
            st.markdown(t("safety.ask_anew"))
        anew = {item: _ask(v, item, asked[item], None) for item in again.ask_again}
        with st.expander(t("safety.changed")):
            st.caption(t("safety.changed_lead", day=v.lang.day(latest.day)))
            others = {
                item: _ask(v, item, text, None) for item, text in asked.items() if item not in anew
            }
        if st.form_submit_button(t("safety.confirm_rest")) and _complete(v, anew):
            said = {item: a for item, a in {**anew, **others}.items() if a is not None}
            new = screening.reconfirmed(rules, latest, v.today, said)
            answers = {item: a for item, a in new.answers.items() if item in asked}
            _keep(v, {"mode": new.mode, "none_applies": False, "answers": answers})


def _ask(v: View, item: str, text: str, before: str | None) -> str | None:
    """One question; the key changes with every confirmation, so that no old touch answers it."""
    return st.segmented_control(
        text,
        screening.ANSWERS,
        default=before,
        format_func=lambda a: v.t(f"safety.answer.{a}"),
        key=f"safety_{st.session_state.get(ROUND, 0)}_{item}",
    )


def _complete(v: View, answers: Mapping[str, str | None]) -> bool:
    missing = sum(answer is None for answer in answers.values())
    if missing:
        st.error(v.t("safety.unanswered", n=missing))
    return not missing


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
        st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1
        st.session_state["notice"] = ("saved", "")
        st.rerun()
