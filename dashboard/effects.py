# SPDX-License-Identifier: Apache-2.0
"""Does it help me? Massage, training, long sitting, active breaks: one card a question.

Each card says a verdict in a word, the sentence behind it, how far the diary is from an answer,
and what would make it clearer. "Still open" is a normal result and is said in a friendly way.
"""

from collections.abc import Sequence

import streamlit as st

from dashboard import data, parts
from dashboard.parts import View
from tracker.report import charts
from tracker.report.charts import Range
from tracker.trends import claims, diaries
from tracker.trends.diaries import Outcome
from tracker.trends.nof1 import Gates, Posterior, Progress
from tracker.trends.pooling import CONSENT
from tracker.trends.training_effect import TrainingGates, TrainingResult

EPISODES = 12
# A word for each result: helps, no difference seen, still open, collecting.
CHIPS = {
    "lasting": ("helps", "green"),
    "short": ("helps", "green"),
    "training_pattern": ("helps", "green"),
    "looser": ("looser", "green"),
    "tenser": ("tenser", "orange"),
    "no_clear_effect": ("none", "gray"),
    "uncertain": ("open", "blue"),
    "no_comparison": ("open", "blue"),
    "collecting": ("collecting", "gray"),
}


def draw(v: View, *, episodes: bool = False) -> None:
    """All questions; with `episodes` the lines after each massage, too."""
    outcome = data.effect_outcome(v.sources, v.viewer)
    st.caption(_t(v, "lead"))
    ranges: list[Range] = []
    ranges += _massage(v, outcome)
    if episodes:
        _episodes(v, outcome)
    ranges += _training(v, outcome)
    ranges += _exposures(v, outcome)
    if ranges:
        parts.picture(v, charts.effects(ranges, v.lang, outcome=outcome), "effects")
        st.caption(_t(v, "chart.note"))
    if data.profile_of(v.sources, v.viewer) == "clinic":
        _consent(v)


def _consent(v: View) -> None:
    """Pooling is asked for on its own, off until agreed, and taken back as easily."""
    st.toggle(
        _t(v, "pool.agree"),
        value=v.viewer.settings.get(CONSENT) is True,
        key="pool_consent",
        on_change=_agreed,
        args=(v,),
    )
    st.caption(_t(v, "pool.lead"))


def _agreed(v: View) -> None:
    data.save_settings(v.sources, v.viewer, {CONSENT: bool(st.session_state.get("pool_consent"))})


def _t(v: View, key: str, **values: object) -> str:
    return v.lang.t(f"effect.{key}", **values)


def head(v: View, name: str, result: str) -> None:
    """A question and the word of its answer."""
    word, colour = CHIPS[result]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{_t(v, f'question.{name}')}**", width="stretch")
        st.badge(_t(v, f"chip.{word}"), color=colour)  # type: ignore[arg-type]  # one of its colours


def _massage(v: View, outcome: Outcome) -> Sequence[Range]:
    result = data.massage_effect(v.sources, v.viewer, v.wearer, v.zone, outcome)
    profile = data.profile_of(v.sources, v.viewer)
    with st.container(border=True, key="effect_massage"):
        head(v, "massage", result.category)
        booked = data.massages(v.sources, v.viewer, v.wearer)
        if booked and claims.level(result) == 0:
            st.markdown(_t(v, "first_dots"))
        said = data.claim_sentence(result, outcome, profile, v.lang.code)
        st.markdown(said or v.t(f"effect.category.{result.category}"))
        gates(v, result.progress, "massages")
    return _range(v, "massage", result.posterior)


def _episodes(v: View, outcome: Outcome) -> None:
    """Every massage with the wearer's own ratings of the week after; no average, no claim."""
    values = diaries.ratings_by_day(data.evenings(v.sources, v.viewer, v.wearer), outcome)
    booked = diaries.massage_days(data.massages(v.sources, v.viewer, v.wearer), v.zone)
    drawn = charts.episodes(values, sorted(booked)[-EPISODES:], v.lang, outcome=outcome)
    with st.container(border=True, key="effect_episodes"):
        st.markdown(f"**{v.t(f'chapter.episodes_{outcome}.title')}**")
        parts.picture(v, drawn, "effect_episodes")


def _training(v: View, outcome: Outcome) -> Sequence[Range]:
    result = data.training_effect_of(v.sources, v.viewer, v.wearer, v.zone, outcome)
    with st.container(border=True, key="effect_training"):
        head(v, "training", result.category)
        training_sentence(v, result, outcome)
    return _range(v, "training", result.posterior)


def training_sentence(v: View, result: TrainingResult, outcome: Outcome) -> None:
    """What may be said of training, and how many weeks there are."""
    need = TrainingGates().min_weeks
    key = f"training.{result.category}"
    st.markdown(_t(v, f"{key}.{outcome}" if result.category == "training_pattern" else key))
    have = min(result.weeks, need)
    st.progress(have / need, text=_t(v, "weeks", have=have, need=need))
    if result.category != "training_pattern":
        st.caption(_t(v, f"clearer.training_{result.category}"))


def _exposures(v: View, outcome: Outcome) -> Sequence[Range]:
    """What goes with tenser or looser evenings, by the same rules as for massages."""
    ranges: list[Range] = []
    found = data.exposures(v.sources, v.viewer, v.wearer, v.zone, outcome)
    for name, result in found.items():
        with st.container(border=True, key=f"effect_{name}"):
            head(v, name, result.direction)
            direction = str(result.direction)
            key = f"{direction}_pain" if outcome == "pain" else direction
            st.markdown(_t(v, f"exposure.{name}.{key}"))
            gates(v, result.progress, "exposed")
            if result.direction in {"tenser", "looser"}:
                st.caption(_t(v, "exposure.note"))
        ranges += _range(v, name, result.posterior)
    return ranges


def gates(v: View, progress: Progress, what: str) -> None:
    """How far the diary is, and what would make it clearer."""
    need = Gates()
    done = (
        progress.events / need.min_massages,
        progress.days / need.min_days,
        progress.free_days / need.min_free_days,
        1.0,
    )
    text = _t(
        v,
        "progress",
        events=v.lang.t(f"count.{what}", n=progress.events),
        days=v.lang.t("count.days", n=progress.days),
        complete=v.lang.percent(progress.completeness),
    )
    st.progress(min(done), text=text)
    lacking = "; ".join(_missing(v, name, progress, what) for name in progress.missing)
    clearer = f"{lacking}." if lacking else _t(v, "clearer.more")
    st.caption(f"{_t(v, 'clearer.lead')} {clearer}")


def _missing(v: View, name: str, progress: Progress, what: str) -> str:
    gates = Gates()
    left = {
        "events": gates.min_massages - progress.events,
        "days": gates.min_days - progress.days,
        "free_days": gates.min_free_days - progress.free_days,
        "completeness": 0,
    }[name]
    key = f"clearer.{name}_{what}" if name in {"events", "free_days"} else f"clearer.{name}"
    return _t(v, key, n=max(1, left))


def _range(v: View, name: str, found: Posterior | None) -> Sequence[Range]:
    if found is None:
        return ()
    short = _t(v, f"short.{name}")
    return (Range(name=short, mean=found.mean, low=found.low, high=found.high),)
