# SPDX-License-Identifier: Apache-2.0
"""*Patient*: before the visit in ten seconds, then the numbers, the charts, plan and notes.

Everything comes from one `Report`; the PDF behind the button is made from the same one.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from html import escape
from urllib.parse import urlencode

import streamlit as st

from dashboard import data, parts, patient_effect, plan_form
from dashboard.pages import FOLDER
from tracker.access import SHARED_SCOPES
from tracker.errors import AccessDenied, BackstayError
from tracker.report import charts
from tracker.report.report import Report
from tracker.report.report_words import row_text, sentences
from tracker.trends import diaries
from tracker.units import from_ns

PAGE_PATIENTS = FOLDER / "patients.py"
ACTOGRAM_D = 14
COLUMNS = ("metric", "baseline", "before", "now", "change", "real")


def _t(v: parts.View, key: str, **values: object) -> str:
    return v.lang.t(f"practice.{key}", **values)


def _before(v: parts.View, who: data.Patient, report: Report) -> None:
    """What changed, adherence, quality, and the text for the record."""
    last_visit, _ = _visits(v, who)
    st.header(_t(v, "patient.before_title"), anchor=False)
    n = (report.last - report.first).days + 1
    if last_visit is not None:
        st.caption(_t(v, "patient.since_visit", day=v.lang.day(last_visit)))
    else:
        st.caption(_t(v, "patient.since_period", n=n))
    said = sentences(report, v.lang)
    with st.container(border=True, key="before_visit"):
        for key, text in zip(("changed", "adherence", "quality"), said, strict=True):
            st.markdown(f"**{_t(v, f'patient.{key}')}:** {text}")
    st.markdown(f"**{_t(v, 'patient.copy')}**")
    st.code("\n".join(said), language=None, wrap_lines=True)
    _papers(v, who, report)


def _papers(v: parts.View, who: data.Patient, report: Report) -> None:
    """Links to our own route, which asks the gate each time; a link alone opens nothing."""
    period = {"from": report.first.isoformat(), "to": report.last.isoformat()}
    last_visit, _ = _visits(v, who)
    if last_visit is not None:
        period["before"] = (last_visit - timedelta(days=1)).isoformat()
    with st.container(horizontal=True):
        for name, suffix, code in (("pdf_de", "pdf", "de"), ("pdf_en", "pdf", "en")):
            query = urlencode({**period, "lang": code})
            st.link_button(_t(v, f"patient.{name}"), f"/reports/{who.wearer}.{suffix}?{query}")
        st.link_button(_t(v, "patient.json"), f"/reports/{who.wearer}.json?{urlencode(period)}")


def _visits(v: parts.View, who: data.Patient) -> tuple[date | None, date | None]:
    if "training" not in who.scopes:
        return None, None
    return data.visits(v.sources, v.viewer, who.wearer)


def _numbers(v: parts.View, report: Report) -> None:
    st.header(_t(v, "patient.table_title"), anchor=False)
    names = [v.lang.t(f"report.column.{c}") for c in COLUMNS]
    st.html(_html_table(names, [row_text(row, v.lang) for row in report.rows]))
    st.caption(_t(v, "patient.table_note"))


def _html_table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table that wraps inside a phone's width; Streamlit's own scrolls where no key reaches."""
    cell = 'style="padding:.25rem .25rem;border-top:1px solid #cfdadd;vertical-align:top"'
    head = "".join(f'<th scope="col" align="left" {cell}>{escape(n)}</th>' for n in names)
    body = "".join(
        f'<tr><th scope="row" align="left" style="font-weight:400;padding:.25rem .4rem;'
        f'border-top:1px solid #cfdadd">{escape(first)}</th>'
        + "".join(f"<td {cell}>{escape(c)}</td>" for c in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return (
        '<table class="report-rows" style="width:100%;border-collapse:collapse;font-size:.78rem;'
        'hyphens:auto;overflow-wrap:anywhere;table-layout:fixed">'
        '<colgroup><col style="width:27%"></colgroup>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _charts(v: parts.View, who: data.Patient, report: Report) -> None:
    st.header(_t(v, "patient.charts_title"), anchor=False)
    now, before = list(report.days.values()), list(report.before.values())
    for scope in sorted(SHARED_SCOPES - who.scopes - {"notes"}):
        st.caption(_t(v, "patient.not_shared", scope=v.t(f"sharing.scope.{scope}")))
    if "sitting" in who.scopes:
        drawn = charts.stacked_days(report.days, report.first, report.last, v.lang)
        parts.picture(v, drawn, "p_days")
        parts.picture(v, charts.accumulation(now, before, v.lang), "p_accumulation")
        first = max(report.first, report.last - timedelta(days=ACTOGRAM_D - 1))
        grid = data.minutes(v.sources, v.viewer, who.wearer, first, report.last)
        drawn = charts.actogram(grid, report.days, first, report.last, v.lang)
        parts.picture(v, drawn, "p_actogram")
    if {"posture", "sitting"} <= who.scopes:
        parts.picture(v, charts.angles(now, before, v.lang), "p_angles")
    start = report.last - timedelta(days=55)
    booked = sorted(diaries.massage_days(report.massages, who.zone))
    for outcome in ("tension", "pain"):
        if outcome == "pain" and report.profile != "clinic":
            continue
        if outcome in who.scopes:
            values = diaries.ratings_by_day(report.evenings, outcome)
            drawn = charts.ratings(values, booked, start, report.last, v.lang, outcome=outcome)
            parts.picture(v, drawn, f"p_{outcome}")
    if "training" in who.scopes:
        minutes = {d: s.core_min for d, s in report.days.items()}
        drawn = charts.training_weeks(minutes, report.first, report.last, v.lang)
        parts.picture(v, drawn, "p_training")


def _keep(v: parts.View, save: "object", *args: object) -> None:
    try:
        save(v.sources, v.viewer, *args)  # type: ignore[operator]  # a function of `data`
    except BackstayError as error:
        st.session_state["notice"] = ("error", parts.sentence(v, error))
    else:
        data.forget_lines()
        st.session_state["notice"] = ("saved", "")
    st.rerun()


def _guide(v: parts.View, who: data.Patient) -> None:
    """Plan, goal, visits and notes: all of them are seen by the wearer."""
    held = data.plan(v.sources, v.viewer, who.wearer)
    st.header(_t(v, "patient.plan_title"), anchor=False)
    st.caption(_t(v, "patient.plan_lead"))
    with st.form("plan", border=False):
        times = st.slider(
            _t(v, "patient.sessions"), 1, 7, held.sessions_per_week or 3, key="g_sessions"
        )
        goal = st.text_input(_t(v, "patient.goal"), held.goal, max_chars=300, key="g_goal")
        if st.form_submit_button(_t(v, "patient.save_plan")):
            _keep(v, data.save_plan, who.wearer, int(times), goal)
    if held.day is not None:
        st.caption(_t(v, "patient.plan_since", day=v.lang.day(held.day)))
    plan_form.draw(v, who.wearer)
    st.header(_t(v, "patient.visits_title"), anchor=False)
    for key, day in zip(("last_visit", "next_visit"), _visits(v, who), strict=True):
        said = v.lang.day(day) if day else _t(v, "patient.no_visit")
        st.markdown(_t(v, f"patient.{key}", day=said))
    with st.form("visit", border=False):
        chosen = st.date_input(
            _t(v, "patient.visit_day"), who.today, format="DD.MM.YYYY", key="g_visit"
        )
        if st.form_submit_button(_t(v, "patient.save_visit")) and isinstance(chosen, date):
            _keep(v, data.save_visit, who.wearer, chosen)
    st.header(_t(v, "patient.notes_title"), anchor=False)
    st.caption(_t(v, "patient.notes_lead"))
    with st.form("note", border=False, clear_on_submit=True):
        text = st.text_area(_t(v, "patient.note"), max_chars=2000, key="g_note")
        if st.form_submit_button(_t(v, "patient.save_note")):
            _keep(v, data.save_note, who.wearer, text)
    for entry in data.notes(v.sources, v.viewer, who.wearer):
        at = v.lang.day(from_ns(entry.written_ns, who.zone).date())
        with st.container(border=True):
            st.caption(at)
            st.text(str(entry.body.get("text", "")))


def show() -> None:
    """The page."""
    v = parts.view()
    parts.notice(v)
    st.page_link(PAGE_PATIENTS, label=_t(v, "patient.back"))
    wearer = st.query_params.get("id", "")
    if not wearer:
        st.title(_t(v, "page.patient"), anchor=False)
        st.markdown(_t(v, "patient.pick"))
        return
    try:
        who = data.patient(v.sources, v.viewer, wearer)
    except AccessDenied:
        st.title(_t(v, "page.patient"), anchor=False)
        st.error(_t(v, "patient.none"))
        return
    st.title(who.name, anchor=False)
    if who.expires is not None:
        scopes = ", ".join(v.t(f"sharing.scope.{s}") for s in sorted(who.scopes))
        st.caption(_t(v, "patient.shares", scopes=scopes, until=v.lang.day(who.expires)))
    report = data.report(v.sources, v.viewer, wearer)
    _before(v, who, report)
    _numbers(v, report)
    _charts(v, who, report)
    patient_effect.draw(v, wearer)
    if "training" in who.scopes:
        _guide(v, who)


show()
