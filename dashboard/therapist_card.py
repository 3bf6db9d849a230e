# SPDX-License-Identifier: Apache-2.0
"""What a therapist wrote for the wearer: plan, goal, visits, notes. Nothing is kept from them."""

from datetime import date

import streamlit as st

from dashboard import data
from dashboard.parts import View
from tracker.diary import Entry, Kind

MOST = 8


def draw(v: View) -> None:
    """The card; nothing where no therapist wrote anything."""
    entries = data.from_therapists(v.sources, v.viewer, v.wearer)
    plans = [e for e in entries if e.kind is Kind.PLAN][:1]
    others = [e for e in entries if e.kind is not Kind.PLAN][:MOST]
    if not plans and not others:
        return
    with st.container(border=True, key="from_therapist"):
        st.header(v.lang.t("practice.therapist.title"), anchor=False)
        for entry in (*plans, *others):
            for line in _lines(v, entry):
                st.text(line)  # plain text: what somebody typed is not markup


def _lines(v: View, entry: Entry) -> list[str]:
    name = data.name_of(v.sources, entry.author)
    day = v.lang.day(date.fromisoformat(entry.day))
    if entry.kind is Kind.PLAN:
        times = entry.body.get("sessions_per_week")
        said = [v.lang.t("practice.therapist.plan", name=name, day=day, n=times)]
        goal = str(entry.body.get("goal") or "")
        return said + ([v.lang.t("practice.therapist.goal", goal=goal)] if goal else [])
    if entry.kind is Kind.VISIT:
        return [v.lang.t("practice.therapist.visit", name=name, day=day)]
    text = str(entry.body.get("text", ""))
    return [v.lang.t("practice.therapist.note", name=name, day=day, text=text)]
