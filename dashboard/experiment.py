# SPDX-License-Identifier: Apache-2.0
"""The self-experiment with randomised weeks: wizard, coins stored before the start, result."""

import secrets
from collections.abc import Mapping
from datetime import date, timedelta

import streamlit as st

from dashboard import data
from dashboard.parts import View, sentence
from tracker.advice.diary_rules import MASSAGE_KINDS
from tracker.advice.profiles import outcomes
from tracker.errors import BackstayError
from tracker.trends.experiment import MAX_BLOCKS, MIN_BLOCKS, Plan, plan
from tracker.units import local_date

UNBOUNDED = 20.0  # an end that the test leaves open


def draw(v: View) -> None:
    """The running experiment, or the wizard for a new one; earlier ones below."""
    st.markdown(_t(v, "lead"))
    found = data.experiments(v.sources, v.viewer, v.wearer)
    newest = found[-1] if found else None
    earlier = list(found)
    if newest is not None and newest.ended is None:
        earlier.pop()
        reminder(v)
        if v.today > newest.plan.last_day:
            _summary(v, newest.plan)
            with st.expander(_t(v, "again")):
                _wizard(v)
        else:
            _so_far(v, newest.plan)
    else:
        _wizard(v)
    for old in reversed(earlier):
        first = date.fromisoformat(old.plan.first_day)
        with st.expander(_t(v, "earlier", first=v.lang.day(first))):
            if old.ended is not None and old.ended <= old.plan.last_day:
                st.markdown(_t(v, "ended", day=v.lang.day(old.ended)))
            else:
                _summary(v, old.plan)


def reminder(v: View) -> None:
    """What the experiment asks for now, in one friendly line; nothing where nothing is due."""
    found = data.experiment_reminder(v.sources, v.viewer, v.wearer, v.zone)
    if found is not None:
        text = v.lang.t(
            found.key, minutes=found.minutes, day=v.lang.day(found.day, weekday=True)
        )  # fmt: skip
        st.info(text, icon=None)


def _t(v: View, key: str, **values: object) -> str:
    return v.lang.t(f"experiment.{key}", **values)


def _wizard(v: View) -> None:
    st.markdown("\n".join(f"{n}. {_t(v, f'step_{n}')}" for n in (1, 2, 3, 4)))
    scales = outcomes(data.profile_of(v.sources, v.viewer))
    with st.form("experiment", border=True):
        outcome = scales[0]
        if len(scales) > 1:
            outcome = st.segmented_control(
                _t(v, "outcome"),
                scales,
                default=scales[0],
                required=True,
                format_func=lambda s: _t(v, f"scale.{s}"),
                key="experiment_outcome",
            )
        blocks = st.select_slider(
            _t(v, "blocks"),
            range(MIN_BLOCKS, MAX_BLOCKS + 1),
            MIN_BLOCKS,
            format_func=lambda n: _t(v, "weeks", n=2 * n),
            key="experiment_blocks",
        )
        first = st.date_input(
            _t(v, "first"),
            v.today + timedelta(days=1),
            min_value=v.today + timedelta(days=1),
            max_value=v.today + timedelta(days=180),
            format="DD.MM.YYYY",
            key="experiment_first",
        )
        kind = st.selectbox(
            v.t("diary.kind"),
            MASSAGE_KINDS,
            MASSAGE_KINDS.index("mixed"),
            format_func=lambda k: v.t(f"diary.kinds.{k}"),
            key="experiment_kind",
        )
        minutes = st.number_input(v.t("diary.minutes"), 5, 120, 20, key="experiment_minutes")
        st.caption(_t(v, "same"))
        if st.form_submit_button(_t(v, "draw"), type="primary", key="experiment_draw"):
            try:
                made = plan(
                    coin_bits=[bool(secrets.randbits(1)) for _ in range(int(blocks))],
                    first_day=first,
                    today=v.today,
                    written_ns=v.now_ns,
                    outcome=str(outcome),
                    question=_t(v, f"question.{outcome}"),
                    massage_kind=str(kind),
                    massage_minutes=int(minutes),
                )
                data.save_experiment(v.sources, v.viewer, v.wearer, made, v.zone)
            except BackstayError as error:
                st.error(sentence(v, error))
            else:
                st.session_state["notice"] = ("saved", "")
                st.rerun()


def _so_far(v: View, made: Plan) -> None:
    """Where it stands, without a look at the result."""
    state = data.experiment_state(v.sources, v.viewer, v.wearer, made, v.zone)
    st.markdown(
        _t(
            v,
            "state",
            first=v.lang.day(date.fromisoformat(made.first_day)),
            last=v.lang.day(made.last_day),
            done=state["blocks_done"],
            blocks=made.blocks,
        )
    )
    st.progress(int(str(state["blocks_done"])) / made.blocks)
    coming = [d for d in made.massage_days() if d >= v.today]
    if coming:
        day = v.lang.day(coming[0], weekday=True)
        kind = v.t(f"diary.kinds.{made.massage_kind}")
        st.markdown(_t(v, "next", day=day, minutes=made.massage_minutes, kind=kind))
    st.caption(_t(v, "waiting"))
    _stored(v, made)
    with st.popover(_t(v, "end_ask")):
        st.markdown(_t(v, "end_lead"))
        st.button(_t(v, "end"), on_click=_end, args=(v,), key="experiment_end")


def _end(v: View) -> None:
    try:
        data.end_experiment(v.sources, v.viewer, v.wearer, v.zone)
    except BackstayError as error:
        st.session_state["notice"] = ("error", sentence(v, error))


def _summary(v: View, made: Plan) -> None:
    """What was asked, drawn and done, the result with its range, and what went wrong (CENT)."""
    state = data.experiment_state(v.sources, v.viewer, v.wearer, made, v.zone)
    result = state["result"]
    with st.container(border=True, key=f"experiment_result_{made.digest[:8]}"):
        st.markdown(f"**{made.question}**")
        if isinstance(result, Mapping):
            st.markdown(_said(v, made, result, answered=bool(state["answered"])))
        else:
            st.markdown(_t(v, "too_few"))
    st.table(dict(_facts(v, made, state)))
    _stored(v, made)


def _said(v: View, made: Plan, result: Mapping[str, object], *, answered: bool) -> str:
    """The result in one sentence, in points lower or higher and never with a minus."""
    difference, low, high = (float(str(result[k])) for k in ("difference", "low", "high"))
    word = "lower" if difference <= 0 else "higher"
    if answered:
        low, high = (-high, -low) if word == "lower" else (low, high)
    else:
        low, high = high, -low  # points higher, points lower
    return _t(
        v,
        f"result.{word}" if answered else f"result.open_{word}",
        scale=_t(v, f"scale.{made.outcome}"),
        difference=v.lang.number(abs(difference), 1),
        low=_points(v, low),
        high=_points(v, high),
        p=v.lang.number(float(str(result["p"])), 3),
    )


def _points(v: View, points: float) -> str:
    return v.lang.number(points, 1) if abs(points) < UNBOUNDED else "…"


def _facts(v: View, made: Plan, state: Mapping[str, object]) -> list[tuple[str, str]]:
    t, lang = v.lang.t, v.lang
    first = date.fromisoformat(made.first_day)
    differences = state["differences"]
    assert isinstance(differences, list)  # noqa: S101 - made by `summary`
    order = ", ".join(_t(v, "first_week" if c else "second_week") for c in made.coins)
    facts = {
        "dates": _t(
            v, "from_to", first=lang.day(first, weekday=True), last=lang.day(made.last_day)
        ),
        "order": order,
        "outcome": _t(v, f"scale.{made.outcome}"),
        "pairs": " · ".join(lang.number(d, 1) for d in differences),
        "missing": t("count.days", n=state["missing_days"]),
        "kept": _t(v, "of", done=state["kept_massages"], plan=made.blocks),
        "others": t("count.massages", n=state["other_massages"]),
        "training": t("count.days", n=state["training_days"]),
        "painkillers": t("count.days", n=state["painkiller_days"]),
        "sore": t("count.days", n=state["sore_mornings"]),
    }
    return [(_t(v, f"fact.{name}"), text) for name, text in facts.items()]


def _stored(v: View, made: Plan) -> None:
    day = v.lang.day(local_date(made.written_ns, v.zone))
    st.caption(_t(v, "digest", day=day, digest=made.digest[:16]))
