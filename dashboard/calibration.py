# SPDX-License-Identifier: Apache-2.0
"""Guided calibration, one pose after the other, and the checks after it."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import data, drawings
from dashboard.parts import View, sentence
from tracker.errors import BackstayError
from tracker.model import SECOND_NS, Placement

POSES = ("standing", "walking", "sitting_tall", "sitting_slumped", "bend", "lying")
SHORT = ("standing", "sitting_tall", "sitting_slumped")
OPTIONAL = frozenset({"lying"})


def draw(v: View, states: Sequence[Mapping[str, Any]]) -> None:
    """Choose the sensor, take pose after pose, finish."""
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
        begin(v, place, short=False)
    if "poses_done" in st.session_state and not st.session_state.get("poses_short"):
        _poses(v, place, POSES)


def _poses(v: View, place: Placement, poses: Sequence[str]) -> None:
    done: tuple[str, ...] = st.session_state.get("poses_done", ())
    for pose in poses:
        _pose(v, place, pose, pose in done)
    with st.container(horizontal=True):
        if len(done) >= 2 and st.button(v.t("calibrate.finish"), type="primary"):
            _finish(v, place)
        if st.button(v.t("calibrate.cancel")):
            _step(v, place, "cancel")
            st.session_state.pop("poses_done", None)
            st.rerun()


def today(v: View, states: Sequence[Mapping[str, Any]]) -> None:
    """How the sensor sits since it was put on: nothing to do, or thirty seconds that can wait."""
    for one in states:
        worn = one.get("worn")
        if not isinstance(worn, Mapping):
            continue
        deg = v.lang.number(float(worn.get("deg", 0.0)), 0)
        if not worn.get("asks"):
            word = "skipped" if worn.get("skipped") else "fits"
            if not worn.get("done"):
                st.caption(v.lang.t(f"wearing.{word}", deg=deg))
            continue
        place = Placement(str(one["placement"]))
        if st.session_state.get("poses_short") == str(place) and "poses_done" in st.session_state:
            _poses(v, place, SHORT)
            continue
        with st.container(border=True, key=f"ask_{place}"):
            st.markdown(f"**{v.lang.t('wearing.ask_title')}**")
            st.markdown(v.lang.t("wearing.ask", deg=deg))
            st.caption(v.lang.t("wearing.lost", deg=deg))
            with st.container(horizontal=True):
                if st.button(
                    v.lang.t("wearing.ask_begin"), type="primary", key=f"short_{place}"
                ) and begin(v, place, short=True):
                    st.rerun()
                if st.button(v.lang.t("wearing.ask_skip"), key=f"skip_{place}"):
                    _step(v, place, "skip")
                    st.rerun()


def begin(v: View, place: Placement, *, short: bool) -> bool:
    """Begin the whole calibration or the thirty-second version; whether the collector agreed."""
    if _step(v, place, "begin", short=short) is None:
        return False
    st.session_state["poses_done"] = ()
    st.session_state["poses_short"] = str(place) if short else ""
    return True


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


def _step(
    v: View, place: Placement, action: str, pose: str = "", *, short: bool = False
) -> Mapping[str, Any] | None:
    try:
        return data.calibrate(v.sources, v.viewer, v.wearer, place, action, pose, short=short)
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
    checks = said.get("checks", ())
    if checks:
        with st.container(border=True, key="fit_checks"):
            st.markdown(f"**{v.lang.t('wearing.check.title')}**")
            for one in checks:
                st.markdown(v.lang.t(f"wearing.check.{one['code']}", **one["values"]))
    shaky = [p for p, look in said.get("poses", {}).items() if not look.get("still")]
    for pose in shaky:
        st.warning(v.t("calibrate.shaky", pose=v.t(f"calibrate.pose.{pose}.title")))
