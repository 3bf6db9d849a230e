# SPDX-License-Identifier: Apache-2.0
"""One piece of advice as drawn: text, the wearer's own numbers beside it, reason and sources."""

from collections.abc import Sequence

import streamlit as st

from dashboard.parts import View
from tracker.advice.cards import Card, OwnNumber, SourceLine

# Tiers whose cards are about massage, training or habits; safety and gates speak for themselves.
_NUMBERED = frozenset({"main", "habit", "caution"})


def draw(v: View, card: Card) -> None:
    """The text, the own numbers and which of them changed it; reason and sources on request."""
    if card.title:
        st.markdown(f"**{card.title}**")
    st.markdown(card.text)
    if card.tier in _NUMBERED:
        _numbers(v, card)
    with st.expander(v.t("advice_card.why")):
        st.markdown(card.reason)
        sources(v, card.sources)


def sources(v: View, lines: Sequence[SourceLine]) -> None:
    """Sources with year and how sure they are."""
    for source in lines:
        certainty = v.t(f"certainty.{source.certainty}") if source.certainty else ""
        year = f" ({source.year})" if source.year else ""
        st.caption(" · ".join(x for x in (f"{source.title}{year}", certainty) if x))


def _numbers(v: View, card: Card) -> None:
    """The week's numbers in one line; those that changed the advice are bold and named."""
    known = [one for one in card.beside if one.value is not None]
    if not known:
        st.caption(v.lang.t("advice.own.none"))
        return
    line = " · ".join(_number(v, one, worn_only=card.worn_time_only) for one in known)
    st.markdown(f":small[{v.lang.t('advice.own.lead')} {line}]")
    changed = [v.lang.t(f"advice.own.name.{one.id}") for one in known if one.changed_advice]
    if changed:
        st.caption(v.lang.t("advice.own.changed", names=", ".join(changed)))


def _number(v: View, one: OwnNumber, *, worn_only: bool) -> str:
    assert one.value is not None  # noqa: S101 - the caller left those out
    if one.id == "sitting":
        shown = v.lang.duration(60 * one.value)
    elif one.id == "longest_sit":
        shown = v.lang.duration(one.value)
    else:
        shown = v.lang.number(one.value, 0 if one.id == "shifts" else None)
    key = "sitting_worn" if one.id == "sitting" and worn_only else one.id
    line = v.lang.t(f"advice.own.{key}", value=shown.replace(" ", "\N{NO-BREAK SPACE}"))
    if one.told:
        line += " " + v.t("own_number.told")
    return f"**{line}**" if one.changed_advice else line
