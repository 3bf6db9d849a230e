# SPDX-License-Identifier: Apache-2.0
"""*Patients*: who shares with this therapist, in the order of the next five minutes."""

from collections import Counter

import pandas as pd
import streamlit as st

from dashboard import data, parts
from dashboard.pages import FOLDER
from tracker.access import SHARED_SCOPES
from tracker.errors import AccessDenied, BackstayError, TooManyTries
from tracker.report.i18n import MISSING
from tracker.report.report import Row
from tracker.report.report_words import shown
from tracker.trends.baseline import Verdict

PAGE_PATIENT = FOLDER / "patient.py"


def _t(v: parts.View, key: str, **values: object) -> str:
    return v.lang.t(f"practice.{key}", **values)


def scope_words(v: parts.View, scopes: "frozenset[str]") -> str:
    """Scopes in the words of the sharing page."""
    return ", ".join(v.t(f"sharing.scope.{s}") for s in sorted(scopes & SHARED_SCOPES))


def age_words(v: parts.View, age_h: float | None) -> str:
    """How old the newest data are."""
    if age_h is None:
        return _t(v, "age.never")
    if age_h < 1:
        return _t(v, "age.now")
    if age_h < 48:
        return _t(v, "age.hours", n=round(age_h))
    return _t(v, "age.days", n=round(age_h / 24))


def _now(v: parts.View, row: Row | None) -> str:
    return MISSING if row is None else shown(row.now, row.unit, v.lang)


def _change(v: parts.View, row: Row | None) -> str:
    """Arrow and size, only where the change is real."""
    if row is None or row.verdict is not Verdict.REAL or row.change is None:
        return ""
    arrow = "↑" if row.change > 0 else "↓"
    return f"{arrow} {shown(abs(row.change), row.unit, v.lang)}"


def _cells(v: parts.View, line: data.Line, clinic: bool) -> dict[str, str]:
    """One row of the table, in the order of the columns."""
    sitting = line.metric("sit_h")
    done = MISSING if line.sessions is None else v.lang.number(line.sessions, 1)
    plan = f" / {line.sessions_plan}" if line.sessions is not None and line.sessions_plan else ""
    mark = " ✓" if line.valid_30 >= data.ENOUGH_DAYS else ""
    tension = _now(v, line.tension)
    cells = {
        "name": line.who.name,
        "flags": "; ".join(_t(v, f"flag.{name}") for name in line.flags),
        "visit": v.lang.day(line.next_visit) if line.next_visit else "",
        "age": age_words(v, line.age_h),
        "valid_14": str(line.valid_14),
        "valid_30": f"{line.valid_30}{mark}",
        "sit_h": _now(v, sitting),
        "change": _change(v, sitting),
        "w50_min": _now(v, line.metric("w50_min")),
        "slouch_share": _now(v, line.metric("slouch_share")),
        "shifts_per_h": _now(v, line.metric("shifts_per_h")),
        "sessions": done + plan,
        "tension": f"{tension} {_change(v, line.tension)}".strip(),
    }
    if clinic:
        cells["pain"] = f"{_now(v, line.pain)} {_change(v, line.pain)}".strip()
        number = line.massages_30
        cells["massages"] = MISSING if number is None else str(number)
    return {_t(v, f"column.{name}"): text for name, text in cells.items()}


def _open(wearer: str) -> None:
    st.switch_page(PAGE_PATIENT, query_params={"id": wearer})


def _filtered(v: parts.View, lines: "list[data.Line]") -> "list[data.Line]":
    """The lines with one of the chosen flags; each flag says how many have it."""
    count = Counter(flag for line in lines for flag in line.flags)
    if not count:
        return lines
    chosen = st.pills(
        _t(v, "list.filter"),
        sorted(count),
        selection_mode="multi",
        format_func=lambda flag: f"{_t(v, f'flag.{flag}')} ({count[flag]})",
        key="only_flags",
    )
    return [line for line in lines if set(chosen) & set(line.flags)] if chosen else lines


def _table(v: parts.View, lines: "list[data.Line]", clinic: bool) -> None:
    names = {line.who.wearer: line.who.name for line in lines}
    # The label stands above both: a box that is loaded a moment later may not move the button.
    st.markdown(_t(v, "list.open"))
    with st.container(horizontal=True, vertical_alignment="top"):
        chosen = st.selectbox(
            _t(v, "list.open"),
            list(names),
            format_func=names.__getitem__,
            label_visibility="collapsed",
            key="open_patient",
        )
        if st.button(_t(v, "list.open_button"), type="primary", key="open_button"):
            _open(chosen)
    shown_lines = _filtered(v, lines)
    flagged = sum(bool(line.flags) for line in lines)
    picked = st.dataframe(
        pd.DataFrame([_cells(v, line, clinic) for line in shown_lines]),
        hide_index=True,
        key="patients",
        on_select="rerun",
        selection_mode="single-row",
        alt=_t(v, "list.alt", n=len(lines), flags=flagged),
    )
    st.caption(_t(v, "list.order_clinic" if clinic else "list.order_wellness"))
    st.caption(_t(v, "list.enough", days=data.ENOUGH_DAYS))
    rows = picked["selection"]["rows"]
    if rows:
        _open(shown_lines[rows[0]].who.wearer)


def _accept(v: parts.View) -> None:
    with st.form("accept", border=False, clear_on_submit=True):
        code = st.text_input(_t(v, "list.code"), key="invitation", autocomplete="off")
        if not st.form_submit_button(_t(v, "list.accept")):
            return
    try:
        grant = data.accept(v.sources, v.viewer, code)
    except TooManyTries:
        st.error(_t(v, "list.wait"))
    except BackstayError:
        st.error(_t(v, "list.bad_code"))
    else:
        data.forget_lines()
        text = _t(v, "list.accepted", scopes=scope_words(v, grant.scopes))
        st.session_state["accepted"] = text
        st.rerun()


def _read_in(v: parts.View) -> None:
    """A file of somebody whose Backstay runs at home."""
    with st.expander(_t(v, "file.title")), st.form("read_in", border=False, clear_on_submit=True):
        st.markdown(_t(v, "file.lead"))
        file = st.file_uploader(_t(v, "file.file"), type=["share"], key="share_file")
        code = st.text_input(_t(v, "file.code"), key="share_code", autocomplete="off")
        if not st.form_submit_button(_t(v, "file.read")) or file is None:
            return
        try:
            until = data.import_share(v.sources, v.viewer, file.getvalue(), code)
        except BackstayError as error:
            st.error(_t(v, "file.refused" if isinstance(error, AccessDenied) else "file.unfit"))
        else:
            data.forget_lines()
            st.session_state["accepted"] = _t(v, "file.done", until=v.lang.day(until))
            st.rerun()


def show() -> None:
    """The page."""
    st.set_page_config(layout="wide")
    v = parts.view()
    parts.banners(v)
    parts.notice(v)
    st.title(_t(v, "list.title"), anchor=False)
    if text := st.session_state.pop("accepted", ""):
        st.success(text)
    lines = list(data.patient_lines(v.sources, v.viewer))
    if lines:
        st.markdown(_t(v, "list.lead"))
        _table(v, lines, data.profile_of(v.sources, v.viewer) == "clinic")
    else:
        st.header(_t(v, "list.empty_title"), anchor=False)
        st.markdown(_t(v, "list.empty"))
    _accept(v)
    _read_in(v)


show()
