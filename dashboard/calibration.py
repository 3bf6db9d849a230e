# SPDX-License-Identifier: Apache-2.0
"""Guided calibration, one pose after the other, and the checks after it."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import data, drawings
from dashboard.parts import View, sentence
from tracker.errors import BackstayError
from tracker.model import SECOND_NS, Placement

POSES = ("standing", "walking", "sitting_tall", "sitting_slumped", "lying")
OPTIONAL = frozenset({"lying"})


def draw(v: View, states: Sequence[Mapping[str, Any]]) -> None:
    """Choose the sensor, take each pose for ten seconds, finish."""
    if not states:
        st.markdown(v.t("calibrate.no_sensor"))
        return
    st.markdown(v.t("calibrate.lead"))
    places = sorted({str(one["placement"]) for one in states})
    place = Placement(
        st.selectbox(
            v.t("sensor.where"),
            places,
            format_func=lambda p: v.t(f"sensor.place.{p}"),
            key="calibrate_place",
        )
    )
    if st.button(v.t("calibrate.begin"), type="primary"):
        _step(v, place, "begin")
        st.session_state["poses_done"] = ()
    done: tuple[str, ...] = st.session_state.get("poses_done", ())
    if "poses_done" not in st.session_state:
        return
    for pose in POSES:
        _pose(v, place, pose, pose in done)
    if len(done) >= 2:
        with st.container(horizontal=True):
            if st.button(v.t("calibrate.finish"), type="primary"):
                _finish(v, place)
            if st.button(v.t("calibrate.cancel")):
                _step(v, place, "cancel")
                st.session_state.pop("poses_done", None)
                st.rerun()


def _pose(v: View, place: Placement, pose: str, done: bool) -> None:
    with st.container(border=True, key=f"pose_{pose}"):
        picture, words = st.columns([1, 3], vertical_alignment="center")
        with picture:
            st.image(drawings.pose(pose), width=84, alt=v.t(f"calibrate.pose.{pose}.title"))
        with words:
            mark = "✓ " if done else ""
            more = f" ({v.t('calibrate.optional')})" if pose in OPTIONAL else ""
            st.markdown(f"**{mark}{v.t(f'calibrate.pose.{pose}.title')}**{more}")
            st.caption(v.t(f"calibrate.pose.{pose}.how"))
            label = v.t("calibrate.again" if done else "calibrate.take")
            if st.button(label, key=f"take_{pose}"):
                said = _step(v, place, "pose", pose)
                if said is not None:
                    kept = [*st.session_state["poses_done"], pose]
                    st.session_state["poses_done"] = tuple(dict.fromkeys(kept))
                    st.session_state["pose_until"] = (pose, int(said["until_ns"]))
                    st.rerun()
            _countdown(v, pose)


def _countdown(v: View, pose: str) -> None:
    running, until_ns = st.session_state.get("pose_until", ("", 0))
    if running != pose or until_ns <= v.sources.clock.now_ns():
        return

    @st.fragment(run_every=1)
    def ticking() -> None:
        left = round((until_ns - v.sources.clock.now_ns()) / SECOND_NS)
        st.markdown(v.t("calibrate.hold", seconds=left) if left > 0 else v.t("calibrate.taken"))

    ticking()


def _step(v: View, place: Placement, action: str, pose: str = "") -> Mapping[str, Any] | None:
    try:
        return data.calibrate(v.sources, v.viewer, v.wearer, place, action, pose)
    except BackstayError as error:
        st.error(sentence(v, error))
        return None


def _finish(v: View, place: Placement) -> None:
    with st.spinner(v.t("calibrate.finishing")):
        said = _step(v, place, "finish")
    if said is None:
        return
    st.session_state.pop("poses_done", None)
    st.success(v.t("calibrate.done"))
    for warning in said.get("warnings", ()):
        st.warning(str(warning))
    shaky = [p for p, look in said.get("poses", {}).items() if not look.get("still")]
    for pose in shaky:
        st.warning(v.t("calibrate.shaky", pose=v.t(f"calibrate.pose.{pose}.title")))


def checks(v: View, states: Sequence[Mapping[str, Any]]) -> None:
    """What a person would look at after putting the sensor on."""
    if not states:
        st.markdown(v.t("calibrate.no_sensor"))
        return
    live = data.live(v.sources, v.viewer, v.wearer)
    fresh = live is not None and v.now_ns - live.at_ns < 15 * SECOND_NS
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
    st.caption(v.t("checks.live"))
    if st.button(v.t("checks.again")):
        st.rerun()


def show_address(v: View, made: Mapping[str, Any]) -> None:
    """The address to open on the phone, as text and as a QR code."""
    url = str(made.get("url") or made.get("address") or "")
    st.success(v.t("sensor.phone_open"))
    if not url:
        st.code(str(made), language=None)
        return
    st.code(url, language=None)
    if v.sources.settings.lan != "on":
        st.warning(v.t("sensor.phone_lan"))
    if made.get("sha256"):
        st.caption(v.t("sensor.phone_print", print=str(made["sha256"])[:29]))
    try:
        import segno
    except ImportError:
        return
    svg = segno.make(url, error="m").svg_inline(scale=5, dark="#16262b", light="#ffffff", border=2)
    st.image(svg, width=220, alt=v.t("sensor.phone_qr"))
