# SPDX-License-Identifier: Apache-2.0
"""The fields of a massage, a training session and an evening: the same for a new entry and an edit.

Each function draws fields inside a form and returns what they say; nothing is kept here.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import time

import streamlit as st

from dashboard import data
from dashboard.parts import View
from tracker.advice import diary_rules as rules
from tracker.diary import Evening, Massage, Training
from tracker.units import from_ns, local_date, local_ns

MORNINGS = (None, -2, -1, 0, 1, 2)
DETAILS = ("painkiller", "unusual_load", "illness")


def when(v: View, key: str, at_ns: int | None = None) -> int:
    """A date and a time as UTC nanoseconds; the current hour for a new entry."""
    left, right = st.columns(2)
    shown = from_ns(v.now_ns if at_ns is None else at_ns, v.zone)
    with left:
        day = st.date_input(
            v.t("diary.date"), shown.date(), max_value=v.today, format="DD.MM.YYYY",
            key=f"{key}_day",
        )  # fmt: skip
    with right:
        clock = time(shown.hour) if at_ns is None else shown.time().replace(second=0, microsecond=0)
        at = st.time_input(v.t("diary.time"), clock, key=f"{key}_time")
    if at_ns is not None and day == local_date(at_ns, v.zone) and at == clock:
        return at_ns  # to the second as it was
    return local_ns(day, at, v.zone)


def massage(v: View, key: str, told: Massage | None = None) -> Massage:
    """When, how long, what kind, by whom, and what was gone an hour and a night later."""
    old = told or Massage(at_ns=0, minutes=20, kind="mixed")
    at_ns = when(v, key, told.at_ns if told else None)
    minutes = st.number_input(
        v.t("diary.minutes"), *rules.MASSAGE_MINUTES, old.minutes, key=f"{key}_minutes"
    )
    kind = _choice(v, "kind", rules.MASSAGE_KINDS, old.kind, key)
    pressure = st.segmented_control(
        v.t("diary.pressure"),
        rules.PRESSURES,
        default=old.pressure,
        format_func=lambda k: v.t(f"diary.pressures.{k}"),
        key=f"{key}_pressure",
    )
    by = _choice(v, "by", rules.BY, old.by, key)
    relief = _slider(v, v.t("diary.relief_1h"), old.relief_1h, f"{key}_relief")
    made = Massage(
        at_ns=at_ns,
        minutes=int(minutes),
        kind=kind,
        pressure=str(pressure or old.pressure),
        by=by,
        relief_1h=relief,
        relief_morning=old.relief_morning,
        sore_morning=old.sore_morning,
    )
    if told is None:
        return made
    night = _slider(v, v.lang.t("diary.relief_night"), old.relief_morning, f"{key}_night")
    sore = _yes_no(v, v.lang.t("diary.sore"), old.sore_morning, f"{key}_sore")
    return replace(made, relief_morning=night, sore_morning=sore)


def training(v: View, key: str, told: Training | None = None) -> Training:
    """When, how long, how hard, how much it raised the tension; later, the morning after."""
    old = told or Training(at_ns=0, minutes=15)
    at_ns = when(v, key, told.at_ns if told else None)
    minutes = st.number_input(
        v.t("diary.minutes"), *rules.TRAINING_MINUTES, old.minutes, key=f"{key}_minutes"
    )
    effort = st.pills(v.t("diary.effort"), range(11), default=old.effort, key=f"{key}_effort")
    scale = "pain" if data.profile_of(v.sources, v.viewer) == "clinic" else "tension"
    rise = _slider(v, v.lang.t(f"diary.rise.{scale}"), old.rise, f"{key}_rise")
    made = replace(old, at_ns=at_ns, minutes=int(minutes), effort=effort, rise=rise)
    if told is None:
        return made
    shown = old.next_morning if old.next_morning is None else max(-2, min(2, old.next_morning))
    morning = st.select_slider(
        v.lang.t(f"diary.next_morning.{scale}"),
        MORNINGS,
        shown,
        format_func=lambda n: v.lang.t(f"diary.morning.{_morning(n)}"),
        key=f"{key}_morning",
    )
    return replace(made, next_morning=old.next_morning if morning == shown else morning)


def _morning(n: int | None) -> str:
    return {None: "unknown", -2: "less", -1: "little_less", 0: "same", 1: "little_more"}.get(
        n, "more"
    )


def evening(v: View, key: str, told: Evening, *, scales: bool = False) -> Evening:
    """Everything about an evening that is no single tap; with `scales` the taps, too."""
    made = told
    if scales:
        for outcome in data.outcomes(v.sources, v.viewer):
            old = getattr(told, outcome)
            value = st.pills(
                v.t(f"evening.{outcome}"), range(11), default=old, key=f"{key}_{outcome}"
            )
            made = replace(made, pain=value) if outcome == "pain" else replace(made, tension=value)
    stress = st.pills(
        v.lang.t("diary.stress"), range(11), default=told.stress, key=f"{key}_stress",
        help=v.lang.t("diary.stress_help"),
    )  # fmt: skip
    answers = {
        name: _yes_no(v, v.t(f"evening.{name}"), getattr(told, name), f"{key}_{name}")
        for name in DETAILS
    }
    note = st.text_area(
        v.t("evening.note"), told.note, max_chars=rules.NOTE_LENGTH, key=f"{key}_note"
    )
    return replace(
        made,
        stress=stress,
        painkiller=answers["painkiller"],
        unusual_load=answers["unusual_load"],
        illness=answers["illness"],
        note=note,
    )


def scale_text(v: View) -> Callable[[int | None], str]:
    """A number of a scale, or that it is not known yet."""
    return lambda n: v.d("unknown_yet") if n is None else str(n)


def _slider(v: View, label: str, value: int | None, key: str) -> int | None:
    scale = [None, *range(11)]
    chosen: int | None = st.select_slider(label, scale, value, format_func=scale_text(v), key=key)
    return chosen


def _choice(v: View, name: str, options: tuple[str, ...], value: str, key: str) -> str:
    at = options.index(value) if value in options else 0
    return st.selectbox(
        v.t(f"diary.{name}"),
        options,
        at,
        format_func=lambda k: v.t(f"diary.{name}s.{k}"),
        key=f"{key}_{name}",
    )


def _yes_no(v: View, label: str, value: bool | None, key: str) -> bool | None:
    return st.segmented_control(
        label,
        (True, False),
        default=value,
        format_func=lambda yes: v.d("yes") if yes else v.d("no"),
        key=key,
    )
