# SPDX-License-Identifier: Apache-2.0
"""Pieces that every page is made of: the view, banners, tiles with "what is this?", pictures.

Pages hold no styling of their own. Words come from the catalogue; a piece never decides who may
see something (that is `dashboard.data`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard import data, who
from tracker.diary import Person, Role
from tracker.errors import AccessDenied, BackstayError
from tracker.report.i18n import Language
from tracker.units import local_date

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker.report.charts import Picture

PAGE_SENSOR = Path(__file__).resolve().parent / "app_pages" / "sensor.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One rerun of one page: who looks at whom, in which words, and when that is."""

    sources: data.Sources
    viewer: Person
    wearer: str
    lang: Language
    zone: ZoneInfo
    now_ns: int

    @property
    def today(self) -> date:
        """The wearer's calendar day."""
        return local_date(self.now_ns, self.zone)

    def t(self, key: str, **values: object) -> str:
        """A text of the `pages` area."""
        return self.lang.t(f"pages.{key}", **values)

    def d(self, key: str, **values: object) -> str:
        """A text of the `dashboard` area."""
        return self.lang.t(f"dashboard.{key}", **values)


def view() -> View:
    """The view of this rerun; a sign-in that has ended meanwhile leads back to the door."""
    sources, viewer = who.enter()
    if not who.is_in(viewer):
        st.rerun()  # a fragment or a page that ran on: the entry script shows the door
    return view_of(sources, viewer)


def view_of(sources: data.Sources, viewer: Person) -> View:
    """The view of somebody whose sign-in was just looked up."""
    return View(
        sources=sources,
        viewer=viewer,
        wearer=viewer.wearer or data.NOBODY,
        lang=who.words(viewer),
        zone=ZoneInfo(viewer.zone or sources.zone_name),
        now_ns=sources.clock.now_ns(),
    )


def header(v: View, key: str, *, lead: str = "") -> None:
    """Title of a page with the banners that belong above it."""
    banners(v)
    notice(v)
    st.title(v.t(f"{key}.title"), anchor=False)
    if lead:
        st.markdown(lead)


LATE_S = 900.0  # what waits for InfluxDB this long is worth a word


def banners(v: View) -> None:
    """Demo, and the local store standing in for an InfluxDB that is away."""
    if Role.WEARER in v.viewer.roles and data.is_demo(v.sources, v.viewer, v.wearer):
        st.info(v.d("banner.demo"), icon=None)
    if v.sources.fallback:
        st.warning(v.d("banner.influx_away", why=v.sources.fallback))
    waiting = v.sources.waiting
    if waiting is None:
        return
    if waiting.alarm:
        st.warning(v.d("banner.influx_alarm", why=waiting.alarm))
    since_s = 0.0 if waiting.oldest_ns is None else (v.now_ns - waiting.oldest_ns) / 1e9
    if since_s > LATE_S:
        text = v.d("banner.influx_waiting", n=waiting.backlog_hours)
        st.caption(f"{text} {v.d('banner.influx_since', time=v.lang.duration(since_s / 60))}")


def notice(v: View) -> None:
    """What the last touch did: kept, or why not."""
    kind, text = st.session_state.pop("notice", ("", ""))
    if kind == "saved":
        st.toast(" ".join(x for x in (v.d("saved"), text) if x))
    elif kind == "error":
        st.error(text)


def sentence(v: View, error: BackstayError) -> str:
    """An error in the reader's words, where the catalogue has some."""
    if isinstance(error, data.Refused):
        said = " ".join(v.lang.t(p.key, **p.values) for p in error.problems)
        row = error.row
        return said if row is None else v.lang.t("diary.problem.row", n=row, why=said)
    if isinstance(error, AccessDenied):
        return v.d("no_access")
    return v.d("trouble", why=str(error))


def what_is_this(v: View, key: str, **values: object) -> None:
    """The small "what is this?" beside a number."""
    with st.popover(v.d("what_is_this"), type="tertiary", key=f"what_{key}"):
        st.markdown(v.d(f"explain.{key}", **values))


def number(label: str, value: str, note: str = "") -> None:
    """A labelled number that wraps instead of being cut off on a phone."""
    below = f'<div style="font-size:.82rem;opacity:.8">{escape(note)}</div>' if note else ""
    st.html(
        f'<div style="line-height:1.35"><div style="font-size:.9rem">{escape(label)}</div>'
        f'<div style="font-size:1.3rem;font-weight:600;overflow-wrap:anywhere">'
        f"{escape(value)}</div>{below}</div>"
    )


def tile(v: View, key: str, label: str, value: str, *, note: str = "", **values: object) -> None:
    """One number in a frame: label, value, what is usual, and its explanation."""
    with st.container(border=True, height="stretch", gap="xsmall", key=f"tile_{key}"):
        number(label, value, note)
        what_is_this(v, key, **values)


def picture(v: View, drawn: "Picture", key: str) -> None:
    """A chart with its legend as words and its table below; or what will appear and when."""
    if drawn.chart is None:
        with st.container(border=True):
            st.markdown(drawn.empty)
        return
    st.markdown(drawn.alt)
    st.altair_chart(drawn.chart, width="stretch", key=key, alt=drawn.alt)
    legend(drawn.legend)
    if not drawn.table.empty:
        with st.expander(v.d("table")):
            st.table(drawn.table, hide_index=True)


@contextmanager
def chapter(v: View, key: str) -> Iterator[None]:
    """One picture with its heading and the question it answers."""
    with st.container(key=f"chapter_{key}", gap="small"):
        st.header(v.t(f"chapter.{key}.title"), anchor=False)
        st.caption(v.t(f"chapter.{key}.lead"))
        yield


def legend(entries: "Sequence[tuple[str, str]]") -> None:
    """Colours and their words in one wrapping line."""
    if not entries:
        return
    spans = "".join(
        f'<span style="display:inline-block;margin-right:1.1em">{_swatch(colour)}'
        f"{escape(word)}</span>"
        for colour, word in entries
    )
    st.html(f'<div style="font-size:.85rem;line-height:1.7">{spans}</div>')


def _swatch(colour: str) -> str:
    """A small square in the colour; a sign (such as a triangle) stands for itself."""
    if len(colour) == 1:
        return f'<span aria-hidden="true" style="margin-right:.4em">{escape(colour)}</span>'
    return (
        '<span aria-hidden="true" style="display:inline-block;width:.85em;height:.85em;'
        "margin-right:.4em;vertical-align:-.08em;border:1px solid #8fa0a5;border-radius:2px;"
        f'background:{_fill(colour)}"></span>'
    )


def _fill(colour: str) -> str:
    if colour == "hatch":
        return "repeating-linear-gradient(135deg,#e4e7e8 0 2px,#7b898d 2px 3px)"
    if colour == "dotted":
        return "transparent;border-style:dotted"
    return escape(colour)


def add_a_sensor(v: View) -> None:
    """What to do when there is no sensor yet; shown wherever data would be."""
    with st.container(border=True):
        st.header(v.t("add_sensor.title"), anchor=False)
        st.markdown(v.t("add_sensor.lead"))
        st.markdown("\n".join(f"{n}. {v.t(f'add_sensor.step_{n}')}" for n in (1, 2, 3)))
        if PAGE_SENSOR.is_file():
            st.page_link(PAGE_SENSOR, label=v.t("add_sensor.button"))
        st.caption(v.t("add_sensor.demo"))
