# SPDX-License-Identifier: Apache-2.0
"""A therapist replaces the level programme of one person: another level, or own exercises."""

from datetime import timedelta

import streamlit as st

from dashboard import data, programme
from dashboard.parts import View, sentence
from tracker.errors import BackstayError
from tracker.exercises.programme import Item, Override, Target
from tracker.model import Exercise

KINDS = ("none", "by_level", "own")
USUAL_DAYS = 28


def draw(v: View, wearer: str) -> None:
    """What holds, and the choice."""
    t = v.lang.t
    held, day = data.programme_held(v.sources, v.viewer, wearer)
    st.subheader(t("exercise.plan.title"), anchor=False)
    st.caption(t("exercise.plan.lead"))
    if held is not None and day is not None:
        st.caption(t("exercise.plan.since", day=v.lang.day(day), what=_said(v, held)))
    now = "none" if held is None else "own" if held.items else "by_level"
    kind = st.radio(
        t("exercise.plan.kind"),
        KINDS,
        KINDS.index(now),
        format_func=lambda k: t(f"exercise.plan.{k}"),
        key="plan_kind",
    )
    level: int | None = None
    items: tuple[Item, ...] = ()
    if kind == "by_level":
        level = st.segmented_control(
            v.t("training.level"),
            programme.levels(),
            default=held.level if held and held.level in programme.levels() else 1,
            required=True,
            format_func=lambda n: v.t("training.level_n", n=n),
            key="plan_own_level",
        )
    elif kind == "own":
        items = _items(v, held)
    last = v.today + timedelta(days=USUAL_DAYS)
    if kind != "none":
        shown = held.last_day if held and held.last_day and held.last_day > v.today else last
        last = st.date_input(
            t("exercise.plan.last_day"), shown, v.today, format="DD.MM.YYYY", key="plan_last_day"
        )
    own = None
    if kind != "none":
        own = Override(by=v.viewer.id, level=level, items=items, first_day=v.today, last_day=last)
    st.button(t("exercise.plan.save"), key="plan_own_save", on_click=_keep, args=(v, wearer, own))


def _items(v: View, held: Override | None) -> tuple[Item, ...]:
    """One row of numbers for each exercise that was chosen."""
    t = v.lang.t
    known = {i.exercise: i for i in held.items} if held else {}
    names = [e.label for e in Exercise if e not in (Exercise.NONE, Exercise.OTHER)]
    chosen = st.multiselect(
        t("exercise.plan.exercises"),
        names,
        [n for n in known if n in names],
        format_func=lambda n: programme.name(v, n),
        key="plan_exercises",
    )
    made = []
    for name in chosen:
        old = known.get(name)
        first = old.sets[0] if old else Target(reps=8, hold_s=0.0)
        with st.container(border=True):
            st.markdown(f"**{programme.name(v, name)}**")
            sets, reps, hold = st.columns(3)
            n = sets.number_input(
                t("exercise.plan.sets"), 1, 10, len(old.sets) if old else 2, key=f"plan_sets_{name}"
            )
            r = reps.number_input(
                t("exercise.plan.reps"), 1, 100, first.reps, key=f"plan_reps_{name}"
            )
            h = hold.number_input(
                t("exercise.plan.hold"), 0, 600, round(first.hold_s), key=f"plan_hold_{name}"
            )
            side = st.checkbox(
                t("exercise.plan.per_side"), old.per_side if old else False, key=f"plan_side_{name}"
            )
        target = Target(reps=int(r), hold_s=float(h))
        made.append(Item(exercise=name, sets=(target,) * int(n), per_side=side))
    return tuple(made)


def _said(v: View, held: Override) -> str:
    if held.items:
        return ", ".join(
            f"{programme.name(v, i.exercise)} ({programme.dose(v, i)})" for i in held.items
        )
    return v.t("training.level_n", n=held.level)


def _keep(v: View, wearer: str, own: Override | None) -> None:
    try:
        data.save_programme(v.sources, v.viewer, wearer, own)
    except BackstayError as error:
        st.session_state["notice"] = ("error", sentence(v, error))
    else:
        st.session_state["notice"] = ("saved", "")
