# SPDX-License-Identifier: Apache-2.0
"""Numbers of a sensor's link, what it sees at the moment, and the checks after putting it on."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import data, live_charts, parts
from dashboard.parts import View
from tracker.model import SECOND_NS

FRESH_NS = 15 * SECOND_NS
PICTURE_S = 2


def numbers(v: View, one: Mapping[str, Any]) -> None:
    """Age of the data, loss, reconnects, battery, clock drift; the same as in `/metrics`."""
    t, lang = v.lang.t, v.lang
    none = t("wearing.health.none")
    age, battery, left = one.get("age_s"), one.get("battery_pct"), one.get("battery_left_h")
    level = none if battery is None else lang.percent(battery / 100)
    if battery is not None and left is not None:
        level = t("wearing.health.battery_left", percent=level, hours=lang.number(left, 0))
    shown = [
        (
            "age",
            none
            if age is None
            else t("wearing.health.age_value", seconds=lang.number(age, 0 if age >= 10 else 1)),
        ),
        ("loss", lang.percent(float(one.get("loss_pct", 0.0)) / 100, 1)),
        ("reconnects", lang.number(one.get("reconnects", 0), 0)),
        ("battery", level),
        (
            "drift",
            t("wearing.health.drift_value", ppm=lang.number(one.get("drift_ppm", 0.0), 1)),
        ),
    ]
    lag_s = float(one.get("lag_s", 0.0))
    if lag_s >= 10:
        shown.append(("lag", t("wearing.health.age_value", seconds=lang.number(lag_s, 0))))
    with st.expander(t("wearing.health.title")), st.grid(columns=3, min_column_width=140):
        for key, value in shown:
            with st.container(border=True, height="stretch"):
                parts.number(t(f"wearing.health.{key}"), value)


def picture(v: View) -> None:
    """The tilt as it is now, moving; for whoever wants to see that the sensor sees."""
    st.markdown(f"**{v.lang.t('wearing.seen')}**")
    st.caption(v.lang.t("wearing.seen_help"))

    @st.fragment(run_every=PICTURE_S)
    def moving() -> None:
        now = parts.view()
        live = data.live(now.sources, now.viewer, now.wearer)
        fresh = live is not None and now.now_ns - live.at_ns < FRESH_NS
        tilt = live.tilt_deg if live is not None and fresh else math.nan
        known = not math.isnan(tilt)
        words = now.t("live.tilt_unknown")
        if known:
            way = "forward" if tilt >= 0 else "back"
            words = now.t(f"live.tilt_{way}", deg=round(abs(tilt)))
        st.echarts_chart(
            live_charts.gauge(tilt, now.lang), key="sensor_gauge", height=240, alt=words
        )
        if live is not None and known:
            st.caption(now.lang.t("wearing.side", deg=round(live.side_deg)))

    moving()


def checks(v: View, states: Sequence[Mapping[str, Any]]) -> None:
    """What a person would look at after putting the sensor on."""
    if not states:
        st.markdown(v.t("calibrate.no_sensor"))
        return
    live = data.live(v.sources, v.viewer, v.wearer)
    fresh = live is not None and v.now_ns - live.at_ns < FRESH_NS
    lines = [("arriving", fresh)]
    if live is not None and fresh:
        lines += [
            ("state", live.state.label not in {"unknown", "not_worn"}),
            ("loss", live.loss_pct < 5),
            ("battery", live.battery_pct is None or live.battery_pct >= 20),
        ]
    for name, good in lines:
        mark, word = ("✓", "good") if good else ("○", "look")
        st.markdown(f"{mark} {v.t(f'checks.{name}.{word}')}")
    if st.button(v.t("checks.again")):
        st.rerun()
    picture(v)
