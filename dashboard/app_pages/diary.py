# SPDX-License-Identifier: Apache-2.0
"""*Diary*: the evening in one tap, massages, training, what was written, in and out."""

import json
from collections.abc import Callable
from datetime import time

import streamlit as st

from dashboard import data, evening, parts, transfer
from tracker.diary import Entry, Kind, Massage, Training
from tracker.errors import BackstayError
from tracker.units import from_ns, local_ns

KINDS = ("mixed", "knead", "stroke", "rub", "tap", "vibrate", "other")
BY = ("therapist", "self", "partner", "device")


def _evening(v: parts.View) -> None:
    day = st.segmented_control(
        v.t("diary.which_day"),
        evening.days_to_tell(v),
        default=v.today,
        required=True,
        format_func=lambda d: v.t("diary.today" if d == v.today else "diary.yesterday"),
        key="evening_day",
    )
    entry = data.evening_entry(v.sources, v.viewer, v.wearer, day)
    if entry is not None:
        told = evening.kept(v, day)
        st.markdown(v.t("diary.told", tension=told.tension))
    evening.tap(v, day)
    with st.expander(v.t("diary.more")):
        evening.more(v, day)


def _when(v: parts.View, key: str) -> int:
    """A date and a time as UTC nanoseconds."""
    left, right = st.columns(2)
    with left:
        day = st.date_input(
            v.t("diary.date"), v.today, max_value=v.today, format="DD.MM.YYYY", key=f"{key}_day"
        )
    with right:
        now = from_ns(v.now_ns, v.zone)
        at = st.time_input(v.t("diary.time"), time(now.hour), key=f"{key}_time")
    return local_ns(day, at, v.zone)


def _massage(v: parts.View) -> None:
    with st.form("massage", border=False):
        at_ns = _when(v, "massage")
        minutes = st.number_input(v.t("diary.minutes"), 1, 480, 20, key="massage_minutes")
        kind = st.selectbox(
            v.t("diary.kind"), KINDS, format_func=lambda k: v.t(f"diary.kinds.{k}"), key="m_kind"
        )
        pressure = st.segmented_control(
            v.t("diary.pressure"),
            ("light", "firm"),
            default="light",
            format_func=lambda k: v.t(f"diary.pressures.{k}"),
            key="m_pressure",
        )
        by = st.selectbox(
            v.t("diary.by"), BY, format_func=lambda k: v.t(f"diary.bys.{k}"), key="m_by"
        )
        relief = st.select_slider(
            v.t("diary.relief_1h"), [None, *range(11)], format_func=_scale(v), key="m_relief"
        )
        if st.form_submit_button(v.t("diary.save_massage")):
            told = Massage(
                at_ns=at_ns,
                minutes=int(minutes),
                kind=str(kind),
                pressure=str(pressure or "light"),
                by=str(by),
                relief_1h=relief,
            )
            _keep(v, lambda: data.save_massage(v.sources, v.viewer, v.wearer, told, v.zone))
    newest = data.entries(v.sources, v.viewer, v.wearer, [Kind.MASSAGE])[-1:]
    for entry in newest:
        if data.editable(v.sources, v.viewer, entry) and entry.body.get("relief_morning") is None:
            _morning_after(v, entry)


def _scale(v: parts.View) -> Callable[[int | None], str]:
    return lambda n: v.d("unknown_yet") if n is None else str(n)


def _morning_after(v: parts.View, entry: Entry) -> None:
    with st.form("morning_after", border=True):
        st.markdown(f"**{v.t('diary.morning_after')}**")
        st.caption(v.t("diary.relief_scale"))
        relief = st.pills(v.t("diary.relief_morning"), range(11), key="relief_morning")
        sore = st.checkbox(v.t("diary.sore"), key="sore_morning")
        if st.form_submit_button(v.d("save")):
            body = {**entry.body, "relief_morning": relief, "sore_morning": sore}
            _keep(v, lambda: data.edit(v.sources, v.viewer, v.wearer, entry.id, body))


def _training(v: parts.View) -> None:
    with st.form("training", border=False):
        at_ns = _when(v, "training")
        minutes = st.number_input(v.t("diary.minutes"), 1, 480, 15, key="training_minutes")
        effort = st.pills(v.t("diary.effort"), range(11), key="t_effort")
        if st.form_submit_button(v.t("diary.save_training")):
            told = Training(at_ns=at_ns, minutes=int(minutes), effort=effort)
            _keep(v, lambda: data.save_training(v.sources, v.viewer, v.wearer, told, v.zone))


def _keep(v: parts.View, write: Callable[[], object]) -> None:
    try:
        write()
    except BackstayError as error:
        st.error(parts.sentence(v, error))
    else:
        st.session_state["notice"] = ("saved", "")
        st.rerun()


def _entries(v: parts.View) -> None:
    kinds = (Kind.EVENING, Kind.MASSAGE, Kind.TRAINING, Kind.CORRECTION, Kind.NOTE)
    found = data.entries(v.sources, v.viewer, v.wearer, kinds)
    if not found:
        st.markdown(v.t("diary.none"))
        return
    st.caption(v.t("diary.edit_note"))
    for entry in sorted(found, key=lambda e: (e.day, e.written_ns), reverse=True)[:30]:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(transfer.line_of(v, entry), width="stretch")
            if data.editable(v.sources, v.viewer, entry):
                st.button(
                    v.t("diary.delete"),
                    key=f"delete_{entry.id}",
                    on_click=_delete,
                    args=(v, entry.id),
                )


def _delete(v: parts.View, entry_id: int) -> None:
    try:
        data.delete(v.sources, v.viewer, v.wearer, entry_id)
    except BackstayError as error:
        st.session_state["notice"] = ("error", parts.sentence(v, error))


def _in_and_out(v: parts.View) -> None:
    st.markdown(v.t("diary.export_lead"))
    made = transfer.diary_json(v)
    st.download_button(
        v.t("diary.export"), made, f"backstay-diary-{v.today}.json", "application/json"
    )
    given = st.file_uploader(v.t("diary.import"), type=["json"], key="import_file")
    if given is not None and st.button(v.t("diary.import_now")):
        try:
            n = transfer.read_diary(v, json.loads(given.getvalue()))
        except (json.JSONDecodeError, UnicodeDecodeError):
            st.error(v.t("diary.import_not_json"))
        except BackstayError as error:
            st.error(parts.sentence(v, error))
        else:
            st.success(v.t("diary.imported", n=n))


def show() -> None:
    """The page."""
    v = parts.view()
    parts.header(v, "diary")
    names = ("evening", "massage", "training", "entries", "transfer")
    tabs = st.tabs([v.t(f"diary.tab.{name}") for name in names])
    for tab, draw in zip(tabs, (_evening, _massage, _training, _entries, _in_and_out), strict=True):
        with tab:
            draw(v)


show()
