# SPDX-License-Identifier: Apache-2.0
"""The safety list: both modes, most restrictive first, expiry, the way out through a doctor."""

from datetime import date, timedelta

import pytest

from tracker.advice import screening
from tracker.advice.engine import evaluate
from tracker.advice.facts import check
from tracker.advice.load import packaged
from tracker.advice.screening import Discussed, Screening, screened

RULES = packaged()
DAY = date(2026, 11, 2)
CLEAN = Screening(day=DAY, mode="interactive", answers={})


def answered(**answers: str) -> Screening:
    """An interactive screening with these answers."""
    return Screening(day=DAY, mode="interactive", answers=answers)


def test_static_confirmation_allows_and_anything_else_asks_first():
    """Wellness: one confirmation; without it the doctor comes first."""
    yes = screened(RULES, Screening(day=DAY, none_applies=True), DAY)
    no = screened(RULES, Screening(day=DAY, none_applies=False), DAY)
    assert yes.facts["massage_allowed"]
    assert yes.facts["screen_actions"] == []
    assert no.facts["screen_actions"] == ["doctor_first"]
    assert not no.facts["massage_allowed"]
    assert no.facts["training_allowed"]
    assert no.open_items == (screening.STATIC,)


def test_the_most_restrictive_answer_wins():
    """Several points: the strictest massage, training and doctor of all of them."""
    state = screened(RULES, answered(MC02="yes", RF08="unsure", MC13="yes", MC01="no"), DAY)
    assert state.out == {"massage": "stop", "training": "pause", "doctor": "today"}
    assert not state.facts["training_allowed"]


def test_an_override_reaches_the_engine():
    """Known thrombosis: no massage at all; blood thinners: training goes on."""
    clot = screened(RULES, answered(MC06="yes"), DAY)
    assert clot.out["massage"] == "stop"
    advice = evaluate(RULES, check(RULES, dict(clot.facts)), "clinic")
    assert advice.out["massage"] == "stop"
    assert screened(RULES, answered(MC07="yes"), DAY).out["training"] == "continue"


def test_unsure_is_not_no():
    """Unsure about the bladder means a doctor today."""
    assert screened(RULES, answered(RF02="unsure"), DAY).out["doctor"] == "today"
    assert screened(RULES, answered(RF02="no"), DAY).out == {}


@pytest.mark.parametrize(("age", "allowed"), [(0, True), (30, True), (31, False), (400, False)])
def test_the_list_runs_out_after_thirty_days(age, allowed):
    """After 30 days massage is not suggested until the list is confirmed again."""
    state = screened(RULES, CLEAN, DAY + timedelta(days=age))
    assert state.facts["massage_allowed"] is allowed
    assert state.expires_in_days == 30 - age


def test_never_confirmed_is_unknown_not_zero():
    """Without a list the age is missing, so that R06 asks for it."""
    state = screened(RULES, None, DAY)
    assert "screen_age_days" not in state.facts
    assert "R06" in evaluate(RULES, check(RULES, dict(state.facts))).fired


def test_a_new_symptom_makes_the_list_stale():
    """After a new symptom the old confirmation no longer counts."""
    later = DAY + timedelta(days=3)
    state = screened(RULES, CLEAN, later, new_symptom_day=later)
    assert "screen_age_days" not in state.facts
    assert not state.facts["massage_allowed"]


@pytest.mark.parametrize(
    ("massage", "training", "actions"),
    [
        (True, True, []),
        (False, True, ["discussed_no_massage"]),
        (True, False, ["discussed_no_training"]),
        (False, False, ["discussed_neither"]),
    ],
)
def test_discussed_with_a_doctor_is_a_way_out(massage, training, actions):
    """Osteoporosis, discussed: what the doctor said stands in for "ask first"."""
    talk = Discussed(item="MC04", day=DAY, massage=massage, training=training)
    state = screened(RULES, answered(MC04="yes"), DAY, discussed=[talk])
    assert state.facts["screen_actions"] == actions
    assert state.facts["massage_allowed"] is massage
    assert state.facts["training_allowed"] is training
    assert state.discussed == ("MC04",)
    assert state.open_items == ()


def test_a_talk_counts_for_ninety_days():
    """On day 91 the point is open again; a talk of tomorrow does not count yet."""
    talk = Discussed(item="MC04", day=DAY, massage=True, training=True)
    for days, open_items in ((90, ()), (91, ("MC04",)), (-1, ("MC04",))):
        today = DAY + timedelta(days=days)
        fresh = Screening(day=today, mode="interactive", answers={"MC04": "yes"})
        assert screened(RULES, fresh, today, discussed=[talk]).open_items == open_items


def test_the_latest_talk_counts():
    """A later talk replaces an earlier one, whatever the order in the diary."""
    first = Discussed(item="MC04", day=DAY, massage=True, training=True)
    second = Discussed(item="MC04", day=DAY + timedelta(days=5), massage=False, training=True)
    today = DAY + timedelta(days=6)
    state = screened(RULES, answered(MC04="yes"), today, discussed=[second, first])
    assert state.facts["screen_actions"] == ["discussed_no_massage"]


def test_an_emergency_can_never_be_discussed_away():
    """Numbness stays an emergency even if somebody stored a talk about it."""
    talk = Discussed(item="RF01", day=DAY, massage=True, training=True)
    state = screened(RULES, answered(RF01="yes"), DAY, discussed=[talk])
    assert state.facts["screen_actions"] == ["emergency"]
    assert not screening.may_discuss(RULES, "RF01")
    assert not screening.may_discuss(RULES, "RF15", "unsure")
    assert screening.may_discuss(RULES, "MC04")
    assert screening.may_discuss(RULES, screening.STATIC)


def test_the_static_list_can_be_discussed_as_a_whole():
    """The wellness answer "something applies" has the same way out."""
    talk = Discussed(item=screening.STATIC, day=DAY, massage=True, training=True)
    state = screened(RULES, Screening(day=DAY), DAY, discussed=[talk])
    assert state.facts["massage_allowed"]


def test_re_confirmation_shows_changes_only():
    """Osteoporosis is remembered, the cold is asked again, the other 38 are not shown."""
    old = answered(MC04="yes", MC02="yes", RF01="no", MC01="no")
    ask = screening.reconfirm(RULES, old)
    assert ask.remembered == ("MC04",)
    assert ask.ask_again == ("MC02",)
    new = screening.reconfirmed(RULES, old, DAY + timedelta(days=30), {"MC02": "no"})
    assert new.answers["MC04"] == "yes"
    assert screened(RULES, new, new.day).open_items == ("MC04",)


def test_a_passing_point_must_be_answered_again():
    """A cold of last month neither stays nor vanishes by itself."""
    with pytest.raises(ValueError, match="MC02"):
        screening.reconfirmed(RULES, answered(MC02="yes"), DAY, {})
    with pytest.raises(ValueError, match="XX01"):
        screening.reconfirmed(RULES, CLEAN, DAY, {"XX01": "yes"})


def test_osteoporosis_takes_loaded_bending_out_of_the_programme():
    """Also after a talk about massage and training: the exercises need a therapist's word."""
    talk = Discussed(item="MC04", day=DAY, massage=True, training=True)
    for discussed in ([], [talk]):
        state = screened(RULES, answered(MC04="yes"), DAY, discussed=discussed)
        assert state.avoid_exercises == {"curl_up", "sit_up", "hip_hinge"}
    assert screened(RULES, answered(MC04="no"), DAY).avoid_exercises == frozenset()


def test_every_question_leads_somewhere_known():
    """Each answer to each question gives facts that the engine takes."""
    for item in RULES.questions:
        for answer in ("yes", "unsure"):
            state = screened(RULES, answered(**{item: answer}), DAY)
            advice = evaluate(RULES, check(RULES, dict(state.facts)), "clinic", "de")
            assert advice.fired
            for axis, value in state.out.items():
                ranks = RULES.merge[axis]
                assert ranks.index(advice.out[axis]) <= ranks.index(value), (item, axis)


def test_a_static_yes_leaves_out_what_any_point_excludes() -> None:
    """Without knowing which point applies, exercises that osteoporosis excludes leave, too."""
    rules = packaged()
    told = Screening(day=date(2026, 11, 20), mode="static", none_applies=False, answers={})
    state = screened(rules, told, date(2026, 11, 24))
    wanted = {e for q in rules.questions.values() for e in q.avoid}
    assert wanted
    assert state.avoid_exercises == wanted
    nothing = Screening(day=date(2026, 11, 20), mode="static", none_applies=True, answers={})
    assert screened(rules, nothing, date(2026, 11, 24)).avoid_exercises == frozenset()
