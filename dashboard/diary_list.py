# SPDX-License-Identifier: Apache-2.0
"""What is in the diary: one line an entry, changes and deletions for 48 hours, earlier versions."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date

import streamlit as st

from dashboard import data, diary_forms
from dashboard.parts import View, sentence
from tracker.advice.diary_rules import MASSAGE_KINDS
from tracker.diary import Entry, Evening, Kind, Massage, Training
from tracker.errors import BackstayError
from tracker.units import from_ns, local_date

SHOWN = 30
KINDS = (Kind.EVENING, Kind.MASSAGE, Kind.TRAINING, Kind.CORRECTION, Kind.NOTE)
_FORMS = (Kind.EVENING, Kind.MASSAGE, Kind.TRAINING)


def draw(v: View) -> None:
    """The newest entries; those that can still be changed open."""
    found = data.entries(v.sources, v.viewer, v.wearer, KINDS)
    if not found:
        st.markdown(v.t("diary.none"))
        return
    st.caption(v.t("diary.edit_note"))
    newest = sorted(found, key=lambda e: (e.day, e.at_ns, e.written_ns), reverse=True)
    for entry in newest[:SHOWN]:
        if data.editable(v.sources, v.viewer, entry):
            with st.expander(line_of(v, entry)):
                _change(v, entry)
        else:
            st.markdown(line_of(v, entry))
    if len(newest) > SHOWN:
        st.caption(v.lang.t("diary.older", n=len(newest) - SHOWN))


def _change(v: View, entry: Entry) -> None:
    key = f"edit_{entry.id}_{entry.version}"
    if entry.kind in _FORMS:
        with st.form(key, border=False):
            body = asdict(_form(v, entry, key))
            if st.form_submit_button(v.lang.t("diary.keep_change"), key=f"{key}_keep"):
                keep(v, lambda: data.edit(v.sources, v.viewer, v.wearer, entry.id, body))
    _history(v, entry)
    st.button(
        v.t("diary.delete"), key=f"delete_{entry.id}", on_click=_delete, args=(v, entry.id)
    )  # fmt: skip


def _form(v: View, entry: Entry, key: str) -> Evening | Massage | Training:
    if entry.kind is Kind.EVENING:
        return diary_forms.evening(v, key, data.told_of(Evening, entry), scales=True)
    if entry.kind is Kind.MASSAGE:
        return diary_forms.massage(v, key, data.told_of(Massage, entry))
    return diary_forms.training(v, key, data.told_of(Training, entry))


def _history(v: View, entry: Entry) -> None:
    """Earlier versions, with when they were written."""
    if entry.version == 1:
        return
    earlier = data.versions(v.sources, v.viewer, v.wearer, entry.id)[:-1]
    lines = [
        v.lang.t(
            "diary.version",
            day=v.lang.day(local_date(old.written_ns, v.zone)),
            time=v.lang.clock(from_ns(old.written_ns, v.zone)),
            what=line_of(v, old),
        )
        for old in earlier
    ]
    st.caption("\n".join([v.lang.t("diary.versions"), "", *(f"- {line}" for line in lines)]))


def keep(v: View, write: Callable[[], object]) -> None:
    """Keep something and say so, or say why not."""
    try:
        write()
    except BackstayError as error:
        st.error(sentence(v, error))
    else:
        st.session_state["notice"] = ("saved", "")
        st.rerun()


def _delete(v: View, entry_id: int) -> None:
    try:
        data.delete(v.sources, v.viewer, v.wearer, entry_id)
    except BackstayError as error:
        st.session_state["notice"] = ("error", sentence(v, error))


def line_of(v: View, entry: Entry) -> str:
    """One entry in one line, as markdown; the day first and bold, so that it starts no list."""
    about = date.fromisoformat(entry.day) if entry.kind is Kind.EVENING else None
    about = about or local_date(entry.at_ns, v.zone)
    return f"**{v.lang.day(about, weekday=True)}** · {_what(v, entry)}"


def _what(v: View, entry: Entry) -> str:
    t, body = v.lang.t, entry.body
    if entry.kind is Kind.EVENING:
        said = [
            t(f"diary.line.{name}", value=body[name])
            for name in ("tension", "pain", "stress")
            if body.get(name) is not None
        ]
        said += [t(f"diary.line.{n}") for n in diary_forms.DETAILS if body.get(n)]
        if body.get("late"):
            said.append(t("diary.line.late"))
        return t("diary.line.evening", what=", ".join(said) or t("diary.line.nothing"))
    if entry.kind is Kind.MASSAGE:
        kind = body.get("kind")
        words = v.t(f"diary.kinds.{kind}") if kind in MASSAGE_KINDS else ""
        line = t("diary.line.massage", minutes=body.get("minutes"), kind=words)
        if body.get("relief_1h") is not None:
            line += ", " + t("diary.line.relief", value=body["relief_1h"])
        return line
    if entry.kind is Kind.TRAINING:
        line = t("diary.line.training", minutes=body.get("minutes"))
        if body.get("effort") is not None:
            line += ", " + t("diary.line.effort", value=body["effort"])
        return line
    if entry.kind is Kind.CORRECTION:
        state = v.lang.t(f"common.state.{body.get('state', 'unknown')}")
        return t("diary.line.correction", state=state)
    return t("diary.line.note", text=str(body.get("text", "")))
