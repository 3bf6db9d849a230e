# SPDX-License-Identifier: Apache-2.0
"""*Training*: calendar, the line of each exercise, the plan, and a guided session."""

from datetime import date, timedelta

import streamlit as st

from dashboard import data, found, morning, parts, programme, session, therapist_card
from tracker.exercises.progression import Step
from tracker.model import Exercise
from tracker.report import charts
from tracker.units import local_date

_WEEKS = 12


def _session(v: parts.View) -> None:
    if session.running():
        session.draw(v)
        return
    step = programme.next_step(v)
    st.caption(v.lang.t(f"exercise.reason.{step.reason}", level=step.level))
    own = programme.override(v)
    if own is not None and own.items and own.holds(v.today):
        st.caption(v.lang.t("exercise.session.kept_by_therapist"))
    else:
        step = _today(v, step)
    items = programme.items(v, step)
    if st.toggle(v.lang.t("exercise.session.warm_up"), value=True, key="warm_up"):
        items = (*programme.warm_up(), *items)
    st.markdown(v.t("training.next", minutes=programme.minutes(step), n=len(items)))
    st.markdown(
        "\n".join(
            f"- {programme.name(v, item.exercise)}: {programme.dose(v, item)}" for item in items
        )
    )
    st.caption(v.t("training.dose_note"))
    st.button(
        v.t("training.begin"), type="primary", on_click=session.begin, args=(v, step.level, items)
    )


def _today(v: parts.View, step: Step) -> Step:
    """Another level for today alone; what comes next still follows what was done."""
    chosen = st.segmented_control(
        v.lang.t("exercise.session.today_level"),
        programme.levels(),
        default=step.level,
        required=True,
        format_func=lambda n: v.t("training.level_n", n=n),
        key="today_level",
    )
    level = int(chosen)
    return step if level == step.level else Step(level=level, reason="stay")


def _calendar(v: parts.View) -> None:
    first = v.today - timedelta(days=7 * _WEEKS - 1)
    minutes = data.training_minutes(v.sources, v.viewer, v.wearer, first, v.today, v.zone)
    drawn = charts.calendar(minutes, (), first, v.today, v.lang)
    parts.picture(v, drawn, "calendar")


def _lines(v: parts.View) -> None:
    scores = _scores(v)
    if not scores:
        st.markdown(v.t("training.lines_empty"))
        return
    chosen = st.selectbox(
        v.t("training.exercise"),
        sorted(scores, key=lambda e: -len(scores[e])),
        format_func=lambda e: programme.name(v, e),
        key="line_exercise",
    )
    mine = scores[chosen]
    hold = sum(s.hold_s > 0 for s in mine) > sum(s.reps > 0 for s in mine)
    name = programme.name(v, chosen)
    parts.picture(v, charts.progress(mine, name, v.lang, hold=hold), "progress")
    st.caption(v.t("training.count_note"))


def _scores(v: parts.View) -> dict[str, list[charts.Score]]:
    """Best set by exercise and day, from recognised sets and told sessions."""
    first = v.today - timedelta(days=365)
    best: dict[tuple[str, date], tuple[int, float]] = {}

    def add(name: str, day: date, reps: int, hold_s: float) -> None:
        old = best.get((name, day), (0, 0.0))
        best[name, day] = (max(old[0], reps), max(old[1], hold_s))

    for one in data.best_sets(v.sources, v.viewer, v.wearer, first, v.today, v.zone):
        if one.exercise not in {Exercise.NONE, Exercise.OTHER}:
            add(one.exercise.label, local_date(one.start_ns, v.zone), one.reps, one.hold_s)
    for told in data.trainings(v.sources, v.viewer, v.wearer, first, v.today):
        for name, reps, hold_s in told.sets:
            add(name, local_date(told.at_ns, v.zone), reps, hold_s)
    out: dict[str, list[charts.Score]] = {}
    for (name, day), (reps, hold_s) in sorted(best.items(), key=lambda item: item[0][1]):
        out.setdefault(name, []).append(charts.Score(day=day, reps=reps, hold_s=hold_s))
    return out


def _plan(v: parts.View) -> None:
    done, plan = _week(v), data.sessions_planned(v.sources, v.viewer, v.wearer)
    st.markdown(v.t("training.week", done=done, plan=plan))
    st.progress(min(1.0, done / plan))
    level = programme.next_step(v).level
    with st.form("plan", border=False):
        chosen = st.segmented_control(
            v.t("training.level"),
            programme.levels(),
            default=level,
            required=True,
            format_func=lambda n: v.t("training.level_n", n=n),
            key="plan_level",
        )
        times = st.slider(v.t("training.per_week"), 1, 7, plan, key="plan_times")
        if st.form_submit_button(v.d("save")):
            said: dict[str, object] = {"sessions_plan": int(times)}
            if int(chosen) != level:  # else the level goes on following what was done
                said["plan_level"] = int(chosen)
            data.save_settings(v.sources, v.viewer, said)
            st.session_state["notice"] = ("saved", "")
            st.rerun()
    st.caption(v.t("training.rest"))


def _week(v: parts.View) -> int:
    monday = v.today - timedelta(days=v.today.weekday())
    return len(data.training_minutes(v.sources, v.viewer, v.wearer, monday, v.today, v.zone))


def show() -> None:
    """The page."""
    v = parts.view()
    parts.header(v, "training")
    therapist_card.draw(v)
    if not session.running():
        morning.draw(v)
        found.draw(v)
    names = ("session", "calendar", "lines", "plan")
    tabs = st.tabs([v.t(f"training.tab.{name}") for name in names])
    for tab, draw in zip(tabs, (_session, _calendar, _lines, _plan), strict=True):
        with tab:
            draw(v)


show()
