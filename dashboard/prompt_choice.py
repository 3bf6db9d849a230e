# SPDX-License-Identifier: Apache-2.0
"""The tab *Prompts* of the settings: about what, when not, in which tone, and where."""

from collections.abc import Callable, Mapping

import streamlit as st

from dashboard import data, parts, prompting
from tracker.errors import BackstayError
from tracker.prompt_choice import (
    CHANNELS,
    LIMITS,
    OWNER_CHANNELS,
    SENSITIVITIES,
    TONES,
    PromptSettings,
    address_problem,
    evening_hour,
    prompt_settings,
)
from tracker.prompt_words import SNOOZES, snooze_label
from tracker.units import from_ns

Keep = Callable[[parts.View, Mapping[str, object]], None]


def choose(v: parts.View, keep: Keep) -> None:
    """The form; `keep` stores settings of the person."""
    now = prompt_settings(v.viewer.settings.get("prompts"))
    st.markdown(v.t("prompts.lead"))
    with st.form("prompts", border=False):
        said = {**_about(v, now), **_when(v, now), **_how(v, now)}
        if st.form_submit_button(v.d("save"), key="prompts_save"):
            problem = address_problem(str(said["address"]))
            if problem:
                st.error(v.t(f"prompts.address_problem.{problem}"))
            else:
                keep(v, {"prompts": said})
    if now.any or now.evening:
        _quiet(v)
        _try(v)


def _about(v: parts.View, now: PromptSettings) -> dict[str, object]:
    def minutes(name: str, step: int) -> int:
        value = round(getattr(now, f"{name}_min"))
        label = v.t(f"prompts.{name}")
        low, high = LIMITS[f"{name}_min"]
        return int(st.slider(label, low, high, value, step, key=f"p_{name}"))

    return {
        "breaks": st.toggle(v.t("prompts.breaks"), now.breaks, key="p_breaks"),
        "still": st.toggle(v.t("prompts.still"), now.still, key="p_still"),
        "after_min": minutes("after", 5),
        "slouch": st.toggle(v.t("prompts.slouch"), now.slouch, key="p_slouch"),
        "delay_min": minutes("delay", 1),
        "repeat_min": minutes("repeat", 5),
        "evening": st.toggle(
            v.t("prompts.evening", hour=f"{evening_hour(v.viewer)}:00"),
            now.evening,
            help=v.t("prompts.evening_help"),
            key="p_evening",
        ),
    }


def _when(v: parts.View, now: PromptSettings) -> dict[str, object]:
    return {
        "work_hours_only": st.toggle(v.t("prompts.work_only"), now.work_hours_only, key="p_work"),
        "quiet_hours": st.multiselect(
            v.t("prompts.quiet_hours"),
            range(24),
            list(now.quiet_hours),
            format_func=lambda h: f"{h}–{h + 1}",
            placeholder=v.t("prompts.quiet_none"),
            help=v.t("prompts.quiet_hours_help"),
            key="p_quiet_hours",
        ),
        "daily_cap": st.slider(
            v.t("prompts.cap"), *LIMITS["daily_cap"], now.daily_cap, key="p_cap"
        ),
        "sensitivity": _segments(v, "sensitivity", "sensitivities", SENSITIVITIES, now.sensitivity),
    }


def _how(v: parts.View, now: PromptSettings) -> dict[str, object]:
    own = data.owns_house(v.sources, v.viewer)
    known = [c for c in CHANNELS if own or c not in OWNER_CHANNELS]
    said: dict[str, object] = {
        "tone": _segments(v, "tone", "tones", TONES, now.tone),
        "channels": st.pills(
            v.t("prompts.channels"),
            known,
            selection_mode="multi",
            default=[c for c in now.channels if c in known],
            format_func=lambda c: v.t(f"prompts.channel.{c}"),
            key="p_channels",
        ),
        "address": now.address,
    }
    if own:
        said["address"] = st.text_input(
            v.t("prompts.address"),
            now.address,
            placeholder="http://192.168.1.20:8123/api/webhook/…",
            help=v.t("prompts.address_help"),
            max_chars=300,
            key="p_address",
        ).strip()
    return said


def _segments(v: parts.View, name: str, options: str, known: tuple[str, ...], value: str) -> str:
    chosen: str = st.segmented_control(
        v.t(f"prompts.{name}"),
        known,
        default=value,
        required=True,
        format_func=lambda s: v.t(f"prompts.{options}.{s}"),
        key=f"p_{name}",
    )
    return chosen


def _quiet(v: parts.View) -> None:
    st.markdown(f"**{v.t('prompts.quiet_title')}**")
    until_ns = data.quiet_until_ns(v.sources, v.viewer, v.wearer)
    if until_ns is not None:
        until = from_ns(until_ns, v.zone)
        text = v.t("prompts.quiet_until", at=v.lang.clock(until), day=v.lang.day(until.date()))
        st.markdown(text)
        st.button(
            v.t("prompts.quiet_end"),
            key="quiet_end",
            on_click=_end_quiet,
            args=(v,),
        )
        return
    st.caption(v.t("prompts.quiet_lead"))
    with st.container(horizontal=True):
        for minutes in SNOOZES:
            st.button(
                snooze_label(v.lang, minutes),
                key=f"quiet_{minutes}",
                on_click=prompting.snooze,
                args=(v, minutes),
            )


def _end_quiet(v: parts.View) -> None:
    try:
        data.end_quiet(v.sources, v.viewer)
    except BackstayError as error:
        st.session_state["notice"] = ("error", parts.sentence(v, error))


def _try(v: parts.View) -> None:
    if not st.button(v.t("prompts.try"), help=v.t("prompts.try_help"), key="p_try"):
        return
    try:
        answer = data.try_prompt(v.sources, v.viewer, v.wearer)
    except BackstayError as error:
        st.error(parts.sentence(v, error))
        return
    for name in answer["taken"]:
        st.success(v.t("prompts.taken", channel=v.t(f"prompts.channel.{name}")))
    for name, why in answer["refused"].items():
        st.warning(
            v.t(
                "prompts.refused",
                channel=v.t(f"prompts.channel.{name}"),
                why=v.t(f"prompts.why.{why}"),
            )
        )
    if not answer["taken"] and not answer["refused"]:
        st.info(v.t("prompts.only_pulled"))
