# SPDX-License-Identifier: Apache-2.0
"""*Massage and training*: every claim of the source article, what is known, and the source."""

from collections.abc import Sequence

import streamlit as st

from dashboard import advice_cards, drawings, parts
from tracker.advice.article import Point, article
from tracker.advice.load import packaged


def _points(v: parts.View, title: str, points: Sequence[Point]) -> None:
    if not points:
        return
    st.header(title, anchor=False)
    st.markdown("\n".join(f"- {point.text}" for point in points))
    seen = {s.id: s for point in points for s in point.sources}
    if seen:
        with st.expander(v.t("article.sources")):
            advice_cards.sources(v, list(seen.values()))


def show() -> None:
    """The page."""
    v = parts.view()
    told = article(packaged(), v.lang.code)
    parts.header(v, "article", lead=v.t("article.lead"))
    if told.emergency:
        st.warning(told.emergency)
    picture, words = st.columns([1, 2])
    with picture:
        st.image(drawings.mast(), width=190, alt=v.t("article.mast_alt"))
    with words:
        st.markdown(told.mast)
        st.caption(told.mast_limits)
    st.header(v.t("article.claims"), anchor=False)
    for claim in told.claims:
        with st.container(border=True):
            st.markdown(f"**„{claim.claim}“**" if v.lang.code == "de" else f"**“{claim.claim}”**")
            st.markdown(claim.say)
            with st.expander(v.t("article.known")):
                st.markdown(claim.verdict)
                advice_cards.sources(v, claim.sources)
    _points(v, v.t("article.not_when"), told.contraindications)
    with st.expander(v.lang.t("safety.further")):
        st.markdown("\n".join(f"- {point.text}" for point in told.further))
    st.markdown(v.lang.t("safety.in_doubt"))
    _points(v, v.t("article.how_to"), told.how_to)
    if told.self_massage:
        st.markdown(told.self_massage)
    _points(v, v.t("article.does"), told.does)
    _points(v, v.t("article.does_not"), told.does_not)
    st.caption(told.disclaimer)


show()
