# SPDX-License-Identifier: Apache-2.0
"""*Sensor*: what is in reach and which decoder fits, choose and place it, calibrate, check."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from dashboard import calibration, data, forgot_lines, parts, phone_address, sensor_link
from tracker.diary import Person
from tracker.errors import BackstayError
from tracker.model import Placement

PLACES = (Placement.UPPER_BACK, Placement.LOWER_BACK, Placement.CHEST, Placement.WAIST)


def _bars(n: int | None) -> str:
    filled = n or 0
    return "▮" * filled + "▯" * (4 - filled)


def _mine(v: parts.View) -> list[Mapping[str, Any]]:
    states = list(data.sensor_states(v.sources, v.viewer, v.wearer))
    for one in states:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            bars = data.signal_bars(one.get("rssi_dbm"))
            battery = one.get("battery_pct")
            st.markdown(
                v.t(
                    "sensor.mine",
                    name=one.get("name") or one["address"],
                    place=v.t(f"sensor.place.{one['placement']}"),
                    link=v.t(f"live.links.{one.get('link', 'connecting')}"),
                    bars=_bars(bars),
                    battery=v.lang.percent(battery / 100)
                    if isinstance(battery, int | float)
                    else v.t("live.not_told"),
                ),
                width="stretch",
            )
            st.button(
                v.t("sensor.remove"),
                key=f"remove_{one['address']}",
                on_click=_do,
                args=(v, data.remove_sensor, one["address"]),
            )
        sensor_link.numbers(v, one)
    return states


def _do(v: parts.View, call: Callable[..., object], *given: object) -> None:
    try:
        call(v.sources, v.viewer, v.wearer, *given)
    except BackstayError as error:
        st.session_state["notice"] = ("error", parts.sentence(v, error))
    else:
        st.session_state["notice"] = ("saved", "")


def _search(v: parts.View) -> None:
    st.markdown(v.t("sensor.search_lead"))
    if st.button(v.t("sensor.search"), type="primary"):
        with st.spinner(v.t("sensor.searching")):
            try:
                found = data.scan(v.sources, v.viewer, v.wearer)
            except BackstayError as error:
                st.session_state["found"] = []
                st.error(parts.sentence(v, error))
            else:
                st.session_state["found"] = found
                if not found:
                    st.markdown(v.t("sensor.none_found"))
    for one in st.session_state.get("found", ()):
        _found(v, one)


def _found(v: parts.View, one: Mapping[str, Any]) -> None:
    title = one.get("title") or v.t("sensor.unknown_kind")
    with st.container(border=True, key=f"found_{one['address']}"):
        st.markdown(
            v.t(
                "sensor.found",
                name=one["name"] or one["address"],
                title=title,
                bars=_bars(one.get("bars")),
            )
        )
        st.caption(v.t("sensor.why", why=one["why"]))
        if not one.get("decoder"):
            return
        worn_by = one.get("wearer")
        if worn_by == data.own_wearer(v.sources, v.viewer):
            st.markdown(v.lang.t("wearing.yours"))
            return
        if worn_by:
            st.caption(v.lang.t("wearing.take_over_help"))
        with st.form(f"add_{one['address']}", border=False):
            place = _place(v, f"place_{one['address']}")
            name = st.text_input(
                v.t("sensor.name"), one["name"], max_chars=60, key=f"name_{one['address']}"
            )
            label = v.lang.t("wearing.take_over") if worn_by else v.t("sensor.choose")
            if st.form_submit_button(label):
                _do(v, _take if worn_by else data.add_sensor, one["address"], place, name)
                st.session_state["found"] = []
                st.rerun()


def _take(
    sources: data.Sources,
    viewer: Person,
    wearer: str,
    address: str,
    place: Placement,
    name: str,
) -> None:
    data.add_sensor(sources, viewer, wearer, address, place, name, take_over=True)


def _place(v: parts.View, key: str) -> Placement:
    chosen = st.selectbox(
        v.t("sensor.where"), PLACES, format_func=lambda p: v.t(f"sensor.place.{p}"), key=key
    )
    st.caption(v.t("sensor.where_help"))
    return chosen


def _phone(v: parts.View) -> None:
    st.markdown(v.t("sensor.phone_lead"))
    with st.form("phone", border=False):
        name = st.text_input(v.t("sensor.phone_name"), max_chars=40, key="phone_name")
        place = _place(v, "phone_place")
        if st.form_submit_button(v.t("sensor.phone_pair")):
            try:
                made = data.pair_phone(
                    v.sources, v.viewer, v.wearer, name or v.t("sensor.phone"), place
                )
            except BackstayError as error:
                st.error(parts.sentence(v, error))
            else:
                phone_address.show(v, made)


def show() -> None:
    """The page."""
    v = parts.view()
    parts.header(v, "sensor")
    if not data.collector_runs(v.sources):
        with st.container(border=True):
            st.markdown(v.t("sensor.not_running"))
            st.code("backstay up", language=None)
        return
    try:
        states = _mine(v)
    except BackstayError as error:
        st.error(parts.sentence(v, error))
        return
    if not states:
        st.markdown(v.t("sensor.nothing_yet"))
    forgot_lines.draw(v, states)
    calibration.today(v, states)
    names = ("search", "calibrate", "checks", "phone")
    tabs = st.tabs([v.t(f"sensor.tab.{name}") for name in names])
    with tabs[0]:
        _search(v)
    with tabs[1]:
        calibration.draw(v, states)
    with tabs[2]:
        sensor_link.checks(v, states)
    with tabs[3]:
        _phone(v)


show()
