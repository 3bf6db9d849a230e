# SPDX-License-Identifier: Apache-2.0
"""*Diary*: the evening in one tap, massages, training, what was written, in and out."""

import streamlit as st

from dashboard import data, diary_forms, diary_list, evening, experiment, parts, transfer
from tracker.diary import Entry, Kind


def _evening(v: parts.View) -> None:
    day = st.segmented_control(
        v.t("diary.which_day"),
        evening.days_to_tell(v),
        default=v.today,
        required=True,
        format_func=lambda d: v.t("diary.today" if d == v.today else "diary.yesterday"),
        key="evening_day",
    )
    if data.evening_entry(v.sources, v.viewer, v.wearer, day) is not None:
        told = evening.kept(v, day)
        if told.tension is not None:
            st.markdown(v.t("diary.told", tension=told.tension))
    evening.tap(v, day)
    with st.expander(v.t("diary.more")):
        evening.more(v, day)


def _massage(v: parts.View) -> None:
    experiment.reminder(v)
    newest = data.entries(v.sources, v.viewer, v.wearer, [Kind.MASSAGE])[-1:]
    for entry in newest:
        if data.editable(v.sources, v.viewer, entry) and entry.body.get("relief_morning") is None:
            _morning_after(v, entry)
    with st.form("massage", border=False):
        told = diary_forms.massage(v, "massage")
        if st.form_submit_button(v.t("diary.save_massage"), type="primary"):
            diary_list.keep(
                v, lambda: data.save_massage(v.sources, v.viewer, v.wearer, told, v.zone)
            )


def _morning_after(v: parts.View, entry: Entry) -> None:
    with st.form("morning_after", border=True):
        st.markdown(f"**{v.t('diary.morning_after')}**")
        st.caption(v.t("diary.relief_scale"))
        relief = st.pills(v.t("diary.relief_morning"), range(11), key="relief_morning")
        sore = st.checkbox(v.t("diary.sore"), key="sore_morning")
        if st.form_submit_button(v.d("save")):
            body = {**entry.body, "relief_morning": relief, "sore_morning": sore}
            diary_list.keep(v, lambda: data.edit(v.sources, v.viewer, v.wearer, entry.id, body))


def _training(v: parts.View) -> None:
    with st.form("training", border=False):
        told = diary_forms.training(v, "training")
        if st.form_submit_button(v.t("diary.save_training"), type="primary"):
            diary_list.keep(
                v, lambda: data.save_training(v.sources, v.viewer, v.wearer, told, v.zone)
            )


def show() -> None:
    """The page."""
    v = parts.view()
    parts.header(v, "diary")
    names = ("evening", "massage", "training", "entries", "transfer")
    tabs = st.tabs([v.t(f"diary.tab.{name}") for name in names])
    drawn = (_evening, _massage, _training, diary_list.draw, transfer.draw)
    for tab, draw in zip(tabs, drawn, strict=True):
        with tab:
            draw(v)


show()
