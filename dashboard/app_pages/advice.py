# SPDX-License-Identifier: Apache-2.0
"""*Advice*: today's advice, the one-minute start, the safety list, does it help me, experiment."""

from collections.abc import Sequence

import streamlit as st

from dashboard import advice_cards, cards, data, effects, experiment, parts, safety, start
from tracker.advice.cards import Card, one_change, signoff
from tracker.advice.load import packaged

ENOUGH_DIARY_D = 7  # then the diary says more than four answers would


def _today(v: parts.View) -> None:
    advised = data.advised(v.sources, v.viewer, v.wearer, v.zone, v.lang.code)
    unasked = data.start_of(v.sources, v.viewer, v.wearer) is None
    if unasked and advised.context.diary_days < ENOUGH_DIARY_D:
        with st.container(border=True):
            st.header(v.t("advice.start_title"), anchor=False)
            st.markdown(v.t("advice.start_lead"))
            start.draw(v)
    coming = data.coming(v.sources, v.viewer, v.wearer, v.zone, advised)
    _cards(v, advised.cards, coming)
    if not advised.cards:
        st.markdown(v.t("advice_card.none"))
    cards.news(v, coming)
    start.episode(v)
    _numbers(v, advised)
    with st.expander(v.t("advice.to_come")):
        _to_come(v, coming)
    st.caption(signoff(packaged(), v.lang.code))
    st.caption(str(packaged().document.get("disclaimer", {}).get(v.lang.code, "")))


def _numbers(v: parts.View, advised: data.Advised) -> None:
    """The week in four numbers; what is not known yet says so."""
    context = advised.context
    hour = context.problem_hour
    longest = v.lang.duration(context.usual_longest_sit_min)
    lines = (
        (v.t("advice.usual_longest"), longest if context.usual_longest_sit_min else None),
        (v.t("advice.problem_hour"), f"{hour.hour:02d}–{hour.hour + 1:02d}" if hour else None),
        (
            v.t("advice.sessions"),
            v.t("advice.of", done=context.sessions_7d, plan=context.sessions_plan),
        ),
        (v.t("advice.valid_days"), v.t("advice.of", done=context.usable_days_7d, plan=7)),
    )
    with st.grid(columns=4, min_column_width=150):
        for label, value in lines:
            with st.container(border=True, height="stretch"):
                parts.number(label, value or v.t("advice.later"))
    if context.worn_time_only and context.usable_days_7d:
        st.caption(v.t("advice.worn_only"))


def _cards(v: parts.View, shown: Sequence[Card], coming: data.Coming) -> None:
    """Every card; after the first week one change to try stands before the others."""
    change = one_change(shown) if coming.offers_change else None
    first = [c for c in shown if c.tier == "safety"] + ([change] if change else [])
    for card in (*first, *(c for c in shown if c not in first)):
        with st.container(border=True, key=f"card_{card.id}"):
            if card is change:
                st.header(v.lang.t("coming.change"), anchor=False)
            advice_cards.draw(v, card)


def _to_come(v: parts.View, coming: data.Coming) -> None:
    """What is there and what will come, in the words of the rule base."""
    for one in coming.milestones:
        mark = "✓" if one.ready else "○"
        what = v.lang.t(one.key, **one.values)
        if one.due is not None and one.due > v.today:
            what = v.lang.t("coming.due", what=what, day=v.lang.day(one.due))
        st.markdown(f"{mark} {what}" if one != coming.next_up else f"{mark} **{what}**")


def _effect(v: parts.View) -> None:
    effects.draw(v, episodes=True)


def show() -> None:
    """The page."""
    v = parts.view()
    parts.header(v, "advice")
    names = ("today", "safety", "effect", "experiment")
    tabs = st.tabs([v.t(f"advice.tab.{name}") for name in names])
    for tab, draw in zip(tabs, (_today, safety.draw, _effect, experiment.draw), strict=True):
        with tab:
            draw(v)


show()
