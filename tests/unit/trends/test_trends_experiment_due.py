# SPDX-License-Identifier: Apache-2.0
"""Which reminder of a self-experiment is due on which day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.report.i18n import LANGUAGES, language
from tracker.trends.experiment import Plan, plan
from tracker.trends.experiment_due import Remind, compared_days, due

TODAY = date(2026, 11, 23)
START = TODAY + timedelta(days=2)
NEVER: frozenset[date] = frozenset()


def made(coins: tuple[bool, ...] = (True, False, True, True, False, False)) -> Plan:
    """A plan that begins in two days."""
    return plan(coin_bits=coins, first_day=START, today=TODAY, written_ns=1, massage_minutes=25)


@pytest.mark.parametrize(
    ("day", "evening", "kind"),
    [
        (-1, False, Remind.STARTS),
        (0, False, Remind.MASSAGE_TODAY),
        (1, False, Remind.MASSAGE_MISSED),
        (2, False, None),
        (2, True, Remind.RATE),
        (7, True, Remind.NO_MASSAGE),  # the second week of a pair whose coin fell on the first
        (14, True, Remind.NO_MASSAGE),
        (20, False, Remind.MASSAGE_TOMORROW),
        (21, False, Remind.MASSAGE_TODAY),
        (84, False, Remind.RESULT),
        (91, False, None),
    ],
)
def test_reminders_from_the_day_before_to_the_result(day, evening, kind):
    """Each kind on its day; the massage day and a missed one come before anything else."""
    found = due(
        made(), today=START + timedelta(days=day), massaged=NEVER, rated=NEVER, evening=evening
    )
    assert (found and found.kind) == kind


def test_done_is_not_asked_again():
    """A massage in the diary and a rating silence their reminders."""
    done = frozenset(made().massage_days())
    assert due(made(), today=START, massaged=done, rated=NEVER) is None
    after = START + timedelta(days=2)
    assert due(made(), today=after, massaged=done, rated={after}, evening=True) is None


@given(st.lists(st.booleans(), min_size=6, max_size=14), st.integers(-3, 220))
def test_a_massage_is_asked_for_on_the_days_of_the_coins_alone(coins, offset):
    """Whatever the coins: the massage reminder comes on drawn days, the other on free days."""
    plan_ = made(tuple(coins))
    day = START + timedelta(days=offset)
    found = due(plan_, today=day, massaged=NEVER, rated=NEVER, evening=True)
    drawn = day in plan_.massage_days()
    assert drawn == (found is not None and found.kind is Remind.MASSAGE_TODAY)
    if found is not None and found.kind is Remind.NO_MASSAGE:
        assert day in {plan_.other_day(b) for b in range(plan_.blocks)}
    if found is not None and found.kind is Remind.RATE:
        assert day in compared_days(plan_)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", list(Remind))
def test_every_reminder_is_a_sentence(lang, kind):
    """Complete in both languages, with its values filled in."""
    said = language(lang).t(f"experiment.remind.{kind}", minutes=25, day="1. Dez. 2026")
    assert said.endswith(".")
    assert "{" not in said
