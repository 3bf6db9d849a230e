# SPDX-License-Identifier: Apache-2.0
"""The self-experiment with randomised weeks: wizard, coins stored before the start, result."""

import secrets
from dataclasses import asdict
from datetime import date, timedelta

import streamlit as st

from dashboard import data
from dashboard.parts import View, sentence
from tracker.diary import Entry, Kind
from tracker.errors import BackstayError
from tracker.trends import diaries
from tracker.trends.experiment import MAX_BLOCKS, MIN_BLOCKS, Plan, plan, summary


def draw(v: View) -> None:
    """The running experiment, or the wizard for a new one."""
    st.markdown(v.t("experiment.lead"))
    found = data.entries(v.sources, v.viewer, v.wearer, [Kind.EXPERIMENT])
    if found:
        _running(v, _plan_of(found[-1]))
    else:
        _wizard(v)


def _plan_of(entry: Entry) -> Plan:
    body = entry.body
    coins = body["coins"]
    assert isinstance(coins, list)  # noqa: S101 - written by _wizard alone
    return Plan(
        question=str(body["question"]),
        outcome=str(body["outcome"]),
        first_day=str(body["first_day"]),
        coins=tuple(bool(c) for c in coins),
        massage_kind=str(body["massage_kind"]),
        massage_minutes=int(str(body["massage_minutes"])),
        written_ns=int(str(body["written_ns"])),
    )


def _wizard(v: View) -> None:
    with st.form("experiment", border=True):
        st.markdown(v.t("experiment.how"))
        blocks = st.slider(v.t("experiment.blocks"), MIN_BLOCKS, MAX_BLOCKS, MIN_BLOCKS)
        first = st.date_input(
            v.t("experiment.first"),
            v.today + timedelta(days=1),
            min_value=v.today + timedelta(days=1),
            format="DD.MM.YYYY",
            key="experiment_first",
        )
        minutes = st.number_input(v.t("diary.minutes"), 5, 120, 20, key="experiment_minutes")
        if st.form_submit_button(v.t("experiment.draw"), type="primary"):
            try:
                made = plan(
                    coin_bits=[bool(secrets.randbits(1)) for _ in range(blocks)],
                    first_day=first,
                    today=v.today,
                    written_ns=v.now_ns,
                    question=v.t("experiment.question"),
                    massage_minutes=int(minutes),
                )
                body: dict[str, object] = {**asdict(made), "coins": list(made.coins)}
                data.save_entry(v.sources, v.viewer, v.wearer, Kind.EXPERIMENT, body, v.zone)
            except BackstayError as error:
                st.error(sentence(v, error))
            else:
                st.session_state["notice"] = ("saved", "")
                st.rerun()


def _running(v: View, made: Plan) -> None:
    evenings = data.evenings(v.sources, v.viewer, v.wearer)
    massages = data.massages(v.sources, v.viewer, v.wearer)
    state = summary(
        made,
        diaries.ratings_by_day(evenings, "tension"),
        today=v.today,
        massaged=diaries.massage_days(massages, v.zone),
    )
    st.markdown(
        v.t(
            "experiment.state",
            first=v.lang.day(date.fromisoformat(made.first_day)),
            last=v.lang.day(made.last_day),
            done=state["blocks_done"],
            blocks=made.blocks,
        )
    )
    coming = [d for d in made.massage_days() if d >= v.today]
    if coming:
        st.markdown(v.t("experiment.next", day=v.lang.day(coming[0], weekday=True)))
    result = state["result"]
    if not isinstance(result, dict):
        st.caption(v.t("experiment.waiting"))
    else:
        st.markdown(
            v.t(
                "experiment.answered" if state["answered"] else "experiment.open",
                difference=v.lang.number(-float(result["difference"]), 1),
                low=v.lang.number(-float(result["high"]), 1),
                high=v.lang.number(-float(result["low"]), 1),
                p=v.lang.number(float(result["p"]), 3),
            )
        )
    st.caption(v.t("experiment.digest", digest=made.digest[:16]))
