# SPDX-License-Identifier: Apache-2.0
"""Day 1 gives advice, and every day says what comes next."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tracker.advice.cards import cards_of
from tracker.advice.facts import check
from tracker.advice.load import packaged
from tracker.advice.progress import Known, list_note, milestones, next_up
from tracker.advice.screening import Screening, screened
from tracker.advice.start import Start, facts_from_start, with_start
from tracker.errors import InputError
from tracker.report.i18n import LANGUAGES, language

RULES = packaged()
DAY = date(2026, 11, 2)
START = Start(
    day=DAY,
    tension=6,
    training_days_per_week=0,
    massages_4_weeks=1,
    last_massage=DAY - timedelta(days=20),
)


def test_the_start_gives_advice_at_once():
    """One minute after installing there is a main card, marked as told."""
    safe = screened(RULES, Screening(day=DAY, none_applies=True), DAY).facts
    facts, told = with_start(safe, START, DAY)
    cards = cards_of(RULES, check(RULES, facts), "wellness", "de", told=told)
    main = next(c for c in cards if c.tier == "main")
    assert main.id == "R15"
    assert main.told
    assert "nach Ihren Angaben" in main.reason
    assert next(n for n in main.beside if n.id == "training").told


def test_not_answered_is_not_zero():
    """A skipped question is absent; zero days of training is a fact."""
    facts = facts_from_start(Start(day=DAY, training_days_per_week=0), DAY)
    assert facts == {"start_age_days": 0, "train_per_week_28d": 0.0}


def test_days_since_massage_grow_with_the_days():
    """The date of the last massage is kept, not its distance on day 1."""
    assert facts_from_start(START, DAY + timedelta(days=5))["days_since_massage"] == 25


def test_measured_wins_over_told():
    """As soon as the diary knows the tension, the told one is gone and unmarked."""
    facts, told = with_start({"tension_mean_7d": 3.0, "massages_28d": None}, START, DAY)
    assert facts["tension_mean_7d"] == 3.0
    assert "tension_mean_7d" not in told
    assert {"massages_28d", "train_per_week_28d"} <= told
    assert with_start({}, None, DAY) == ({}, frozenset())


def test_rates_that_still_rest_on_told_days_are_marked():
    """The statistics blend told and observed days for four weeks; so long the mark stays."""
    blended = {"train_per_week_28d": 0.4, "days_since_massage": 27, "tension_mean_7d": 3.0}
    _, told = with_start(blended, START, DAY + timedelta(days=7))
    assert told == {"train_per_week_28d", "massages_28d", "days_since_massage"}
    _, later = with_start({**blended, "massages_28d": 2}, START, DAY + timedelta(days=28))
    assert later == frozenset()


@pytest.mark.parametrize(
    "bad",
    [
        Start(day=DAY + timedelta(days=1)),
        Start(day=DAY, tension=11),
        Start(day=DAY, training_days_per_week=8),
        Start(day=DAY, massages_4_weeks=-1),
        Start(day=DAY, last_massage=DAY + timedelta(days=1)),
    ],
)
def test_impossible_answers_are_refused(bad):
    """Future dates and numbers outside the scale end in one sentence."""
    with pytest.raises(InputError, match="correct it"):
        facts_from_start(bad, DAY)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("day", [0, 1, 3, 7, 29, 30, 200])
def test_every_day_has_something_to_say(day, lang):
    """On each day all milestones print, and what comes next has a sentence."""
    today = DAY + timedelta(days=day)
    known = Known(
        first_day=DAY,
        valid_days=day // 2,
        diary_days=day,
        diary_days_14d=min(day, 14),
        massages=day // 14,
        training_weeks=day // 10,
        start_answered=day > 0,
        screening_expires_in_days=30 - day,
    )
    t = language(lang).t
    for one in milestones(RULES, known, today):
        text = t(one.key, **one.values)
        assert text
        assert "–" not in text
        assert one.due is None or one.due >= today
    coming = next_up(RULES, known, today)
    assert coming is not None
    assert not coming.ready


def test_the_first_week_needs_valid_days_and_seven_days():
    """Day 7 alone is not enough without three valid days, and three days not without day 7."""

    def week(days: int, valid: int) -> bool:
        known = Known(first_day=DAY, valid_days=valid)
        found = milestones(RULES, known, DAY + timedelta(days=days))
        return next(m for m in found if m.id == "day7").ready

    assert week(7, 3)
    assert not week(7, 2)
    assert not week(6, 3)


def test_next_up_comes_in_order():
    """First the start, then the diary, then the week."""
    today = DAY + timedelta(days=1)
    first = next_up(RULES, Known(first_day=DAY), today)
    assert first is not None
    assert first.id == "start"
    then = next_up(RULES, Known(first_day=DAY, start_answered=True, diary_days_14d=1), today)
    assert then is not None
    assert (then.id, then.due) == ("personal", today + timedelta(days=4))


@pytest.mark.parametrize(
    ("left", "end"), [(None, "list_missing"), (-1, "list_expired"), (2, "list_soon"), (9, "")]
)
def test_the_list_announces_its_end(left, end):
    """The wearer learns before the list runs out."""
    note = list_note(Known(first_day=DAY, screening_expires_in_days=left))
    assert (note[0] if note else "") == (f"advice.progress.{end}" if end else "")


def test_the_start_is_offered_while_it_says_more_than_the_diary():
    """Today and at once, never "at the earliest tomorrow"; with five diary days it goes."""
    known = Known(first_day=DAY)
    first = milestones(RULES, known, DAY)[0]
    assert (first.id, first.ready, first.due) == ("start", False, DAY)
    later = milestones(RULES, replace(known, diary_days_14d=5), DAY)
    assert "start" not in {m.id for m in later}
    done = milestones(RULES, replace(known, start_answered=True, diary_days_14d=9), DAY)
    assert done[0].ready


def test_counts_never_exceed_what_is_needed():
    """More than needed counts as needed: no sentence says 26 of 10 days."""
    known = Known(first_day=DAY - timedelta(days=28), valid_days=26)
    for one in milestones(RULES, known, DAY):
        if "needed" in one.values and "days" in one.values and "done" not in one.values:
            assert one.values["days"] <= one.values["needed"]
