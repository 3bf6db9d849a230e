# SPDX-License-Identifier: Apache-2.0
"""The patient page's "does it help?": relief category, likely ranges, every massage as a line."""

from collections.abc import Sequence

import streamlit as st

from dashboard import data, effects, parts
from dashboard.parts import View
from tracker.report import charts
from tracker.report.charts import Range
from tracker.trends.nof1 import Posterior


def draw(v: View, wearer: str) -> None:
    """The chapter; one sentence where no rating is shared."""
    st.header(_t(v, "patient_title"), anchor=False)
    found = data.patient_effect(v.sources, v.viewer, wearer)
    if found is None:
        st.caption(_t(v, "not_shared"))
        return
    st.caption(_t(v, "patient_lead"))
    ranges: list[Range] = []
    if found.massage is not None:
        profile = data.profile_of(v.sources, v.viewer)
        with st.container(border=True, key="p_effect_massage"):
            effects.head(v, "patient_massage", found.massage.category)
            said = data.claim_sentence(found.massage, found.outcome, profile, v.lang.code)
            st.markdown(said)
            effects.gates(v, found.massage.progress, "massages")
            if found.pooled is not None:
                st.markdown(_pooled(v, found.pooled, found.people))
        ranges += _range(v, "massage", found.massage.posterior)
    if found.training is not None:
        with st.container(border=True, key="p_effect_training"):
            effects.head(v, "patient_training", found.training.category)
            effects.training_sentence(v, found.training, found.outcome)
        ranges += _range(v, "training", found.training.posterior)
    if ranges:
        drawn = charts.effects(ranges, v.lang, outcome=found.outcome)
        parts.picture(v, drawn, "p_effects")
        st.caption(_t(v, "chart.note"))
    if found.massage is not None:
        recent = found.booked[-effects.EPISODES :]
        drawn = charts.episodes(found.ratings, recent, v.lang, outcome=found.outcome)
        parts.picture(v, drawn, "p_episodes")


def _t(v: View, key: str, **values: object) -> str:
    return v.lang.t(f"effect.{key}", **values)


def _pooled(v: View, found: Posterior, people: int) -> str:
    return _t(
        v,
        "pooled",
        n=people,
        middle=v.lang.number(found.mean, 1),
        low=v.lang.number(found.low, 1),
        high=v.lang.number(found.high, 1),
    )


def _range(v: View, name: str, found: Posterior | None) -> Sequence[Range]:
    if found is None:
        return ()
    return (Range(name=_t(v, f"short.{name}"), mean=found.mean, low=found.low, high=found.high),)
