# SPDX-License-Identifier: Apache-2.0
"""*Live*: what the sensor sees now. Polls one local row; slows down when the sensor is silent."""

import math

import streamlit as st

from dashboard import data, live_charts, parts
from tracker.model import SECOND_NS, Live, State
from tracker.units import from_ns

FRESH_NS = 15 * SECOND_NS  # older than this is "silent"
FAST_S, SLOW_S = 2, 15  # ten viewers at 1 Hz cost half a core; a silent sensor costs nearly none


def _is_fresh(live: Live | None, now_ns: int) -> bool:
    return live is not None and now_ns - live.at_ns < FRESH_NS


def _state_word(v: parts.View, live: Live) -> str:
    word = v.lang.t(f"common.state.{State(live.state).label}")
    return word[:1].upper() + word[1:]


def _now(v: parts.View, live: Live, fresh: bool) -> None:
    minutes = max(0.0, (v.now_ns - live.since_ns) / (60 * SECOND_NS))
    since = v.lang.clock(from_ns(live.since_ns, v.zone))
    with st.container(border=True):
        if not fresh:
            seen = v.lang.clock(from_ns(live.at_ns, v.zone))
            st.header(v.t("live.silent"), anchor=False)
            st.markdown(v.t("live.silent_since", at=seen))
            st.caption(v.t(f"live.link_help.{live.link}"))
            return
        st.header(_state_word(v, live), anchor=False)
        st.markdown(v.t("live.since", at=since, duration=v.lang.duration(minutes)))
        st.caption(v.t("live.provisional") if live.provisional else v.t("live.settled"))


def _tilt(v: parts.View, live: Live, fresh: bool) -> None:
    gauge, line = st.columns(2)
    with gauge:
        st.echarts_chart(
            live_charts.gauge(live.tilt_deg if fresh else math.nan, v.lang),
            key="tilt_gauge",
            height=270,
            alt=_tilt_sentence(v, live, fresh),
        )
    with line:
        st.echarts_chart(
            live_charts.trace(live.trace, v.lang),
            key="tilt_trace",
            height=270,
            alt=_trace_sentence(v, live),
        )


def _tilt_sentence(v: parts.View, live: Live, fresh: bool) -> str:
    if not fresh or math.isnan(live.tilt_deg):
        return v.t("live.tilt_unknown")
    way = "forward" if live.tilt_deg >= 0 else "back"
    return v.t(f"live.tilt_{way}", deg=round(abs(live.tilt_deg)))


def _trace_sentence(v: parts.View, live: Live) -> str:
    seen = [value for value in live.trace if not math.isnan(value)]
    if not seen:
        return v.t("live.trace_empty")
    return v.t("live.trace", low=round(min(seen)), high=round(max(seen)))


def _link(v: parts.View, live: Live) -> None:
    known = v.t("live.not_told")
    battery = v.lang.percent(live.battery_pct / 100) if live.battery_pct is not None else known
    bars = data.signal_bars(live.rssi_dbm)
    numbers = (
        ("link", v.t(f"live.links.{live.link}")),
        ("battery", battery),
        ("signal", v.t("live.bars", n=bars) if bars is not None else known),
        ("loss", v.lang.percent(live.loss_pct / 100, 1)),
    )
    with st.grid(columns=4, min_column_width=140):
        for key, value in numbers:
            with st.container(border=True, height="stretch"):
                parts.number(v.t(f"live.{key}"), value)
    with st.expander(v.t("live.more")):
        name = live.sensor or v.t("live.not_told")
        st.markdown(
            v.t(
                "live.details",
                sensor=name,
                reconnects=live.reconnects,
                drift=round(live.drift_ppm, 1),
                confidence=v.lang.percent(live.confidence),
            )
        )


def show() -> None:
    """The page."""
    v = parts.view()
    parts.header(v, "live")
    first = data.live(v.sources, v.viewer, v.wearer)
    if first is None:
        parts.add_a_sensor(v)
        return
    fresh = _is_fresh(first, v.now_ns)

    @st.fragment(run_every=FAST_S if fresh else SLOW_S)
    def pane() -> None:
        now = parts.view()
        live = data.live(now.sources, now.viewer, now.wearer)
        if live is None or _is_fresh(live, now.now_ns) != fresh:
            st.rerun()  # another pace, or another page
        _now(now, live, fresh)
        _tilt(now, live, fresh)
        _link(now, live)

    pane()


show()
