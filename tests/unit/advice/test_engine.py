# SPDX-License-Identifier: Apache-2.0
"""Order, halting, silencing, merging and showing, on small facts that a person can follow."""

import pytest

from tracker.advice.claims import Claim, claim_text, of_result
from tracker.advice.engine import active, evaluate, merged
from tracker.advice.load import packaged
from tracker.report import i18n
from tracker.trends import claims as trends
from tracker.trends import nof1

RULES = packaged()
OK = {
    "screen_actions": [],
    "screen_age_days": 3,
    "massage_allowed": True,
    "training_allowed": True,
    "diary_days_14d": 14,
}


def test_only_the_first_main_rule_counts():
    """R20 and R21 cannot both win; R28 always holds and still loses."""
    advice = evaluate(RULES, {**OK, "tension_mean_7d": 2.0, "train_per_week_28d": 0.5})
    mains = [r.id for r in RULES.by_profile["wellness"] if r.tier == "main"]
    assert [i for i in advice.fired if i in mains] == ["R20"] == [advice.main]


def test_the_most_restrictive_output_wins():
    """A cold (no massage) beats the massage that the main rule would suggest."""
    facts = {**OK, "screen_actions": ["no_massage"], "tension_mean_7d": 6.0}
    assert evaluate(RULES, facts).out["massage"] == "not_now"
    assert merged(RULES, [{"doctor": "soon"}, {"doctor": "today"}]) == {"doctor": "today"}


def test_an_output_that_nobody_names_is_absent():
    """`breaks` is printed only when a rule speaks about breaks."""
    assert "breaks" not in evaluate(RULES, OK).out


def test_a_question_s_override_changes_its_action():
    """MC06 stops massage although its action only says to ask first."""
    actions, outputs = active(RULES, ["MC06"])
    assert actions == {"doctor_first"}
    assert outputs[0]["massage"] == "stop"
    assert active(RULES, ["RF02:unsure"])[0] == {"today"}


@pytest.mark.parametrize(("lang", "number"), [("de", "6,4"), ("en", "6.4")])
def test_numbers_in_texts_are_localised(lang, number):
    """The reason prints the wearer's own number as the language writes it."""
    facts = {**OK, "tension_mean_7d": 6.4, "train_per_week_28d": 0.3}
    text = evaluate(RULES, facts, "wellness", lang).texts[0]
    assert number in text


def test_a_missing_number_prints_a_dash_and_keeps_the_reason():
    """R22 fires on sitting hours alone; the number of long sits is not known."""
    advice = evaluate(RULES, {**OK, "sit_h_day_7d": 9.5}, "wellness", "en")
    reason = next(s.reason for s in advice.shown if s.rule.id == "R22")
    assert reason.startswith("On average 9.5 h sitting and – long stretches")


def test_while_worn_is_said_when_the_day_was_not_covered():
    """Work days alone never sound like whole days."""
    facts = {**OK, "sit_h_day_7d": 9.5, "sit_bouts60_day_7d": 2.0}
    whole = evaluate(RULES, facts, "wellness", "de").texts
    worn = evaluate(RULES, {**facts, "whole_day_wear": False}, "wellness", "de").texts
    assert not any("während der Tragezeit" in t for t in whole)
    assert any("pro Tag während der Tragezeit" in t for t in worn)


def test_an_add_on_joins_only_when_massage_is_open():
    """R25 mentions massage, and drops that sentence when the list forbids it."""
    facts = {**OK, "stress_mean_7d": 8.0, "tension_mean_7d": 2.0, "train_per_week_28d": 1.0}
    assert any("relaxing massage" in t for t in evaluate(RULES, facts).texts)
    closed = {**facts, "screen_actions": ["doctor_first"], "massage_allowed": False}
    advice = evaluate(RULES, closed)
    assert "R25" in advice.fired
    assert not any("relaxing massage" in t for t in advice.texts)


def test_facts_that_contradict_the_list_do_not_bring_a_forbidden_text():
    """Allowed by a flag, forbidden by the list: the text without massage is shown."""
    facts = {**OK, "tension_mean_7d": 7.0, "train_per_week_28d": 0.0}
    facts["screen_actions"] = ["doctor_first"]
    advice = evaluate(RULES, facts)
    assert advice.main == "R15"
    shown = next(s for s in advice.shown if s.rule.id == "R15")
    assert shown.parts == ("no_massage",)


def test_no_more_texts_than_the_tier_shows():
    """`fired` lists all, the screen is limited per tier."""
    facts = {**OK, "sit_h_day_7d": 10.0, "slouch_share_7d": 0.9, "aerobic_min_7d": 0}
    facts |= {"stress_mean_7d": 9.0, "train_per_week_28d": 3.0}
    advice = evaluate(RULES, facts)
    assert {"R22", "R23", "R24", "R25"} <= set(advice.fired)
    assert [s.rule.id for s in advice.shown if s.rule.tier == "habit"] == ["R22", "R23"]


def test_told_facts_are_marked():
    """What the wearer told at the start says so in its reason."""
    facts = {**OK, "tension_mean_7d": 6.0, "train_per_week_28d": 0.0}
    advice = evaluate(RULES, facts, "wellness", "de", told={"tension_mean_7d"})
    assert advice.shown[0].told
    assert advice.shown[0].reason.endswith("(nach Ihren Angaben)")


def test_wellness_speaks_of_tension_and_clinic_of_pain():
    """The same pattern has a sentence for each outcome."""
    claim = Claim(outcome="tension", values={"m": 1.24, "lo": 0.4, "hi": 2.1})
    wellness = claim_text(RULES, "short", "wellness", "de", claim)
    assert "Verspannung" in wellness
    assert "Schmerz" not in wellness
    assert "1,2" in wellness
    assert "pain" in claim_text(RULES, "short", "clinic", "en")
    assert claim_text(RULES, "no such pattern", "clinic", "en") == ""


def test_a_claim_without_numbers_prints_no_dashes():
    """R26 on facts alone says what is known without numbers."""
    facts = {**OK, "massage_pattern": "short", "massage_n": 8}
    advice = evaluate(RULES, facts, "wellness", "de")
    text = next(s.text for s in advice.shown if s.rule.id == "R26")
    assert "deutlich niedriger" in text
    assert "–" not in text


def test_a_range_across_zero_names_both_directions():
    """An open result says "lower ... higher" and never a minus sign."""
    values = {"m": 0.1, "lo": -0.8, "hi": 1.0, "lower": 1.0, "higher": 0.8}
    text = claim_text(RULES, "uncertain", "wellness", "en", Claim(values=values))
    assert "from 1.0 points lower to 0.8 points higher" in text


def test_the_statistics_hand_over_their_numbers():
    """What `tracker.trends` found fills the sentence as it is."""
    found = trends.Claim(
        category=nof1.Category.SHORT,
        m=1.2,
        lo=0.4,
        hi=2.0,
        crosses_zero=False,
        lower=None,
        higher=None,
        massages_done=6,
        days_done=84,
    )
    text = claim_text(RULES, "short", "wellness", "de", of_result(found, "tension"))
    assert "etwa 1,2 Punkte niedriger" in text
    assert "0,4 bis 2,0" in text


def test_a_pain_claim_is_never_printed_in_wellness():
    """Even when the caller hands over a pain result."""
    text = claim_text(RULES, "short", "wellness", "en", Claim(outcome="pain", values={}))
    assert "tension" in text
    assert "pain" not in text


@pytest.mark.parametrize("lang", i18n.LANGUAGES)
@pytest.mark.parametrize("value", [0.3, -1.26, 6.0, 1234.5, 12.0])
def test_numbers_read_as_on_the_pages(lang, value):
    """The engine's number rules are those of the pages."""
    from tracker.advice.wording import number

    assert number(value, ".1f", lang) == i18n.language(lang).number(value, 1)
    assert number(value, "", lang) == i18n.language(lang).number(value)
    assert number(0.6, ".0%", lang) == i18n.language(lang).percent(0.6)
    assert number(float("nan"), ".1f", lang) == i18n.MISSING


def test_a_sign_is_kept():
    """A change prints its plus sign."""
    from tracker.advice.wording import number

    assert number(2.4, "+.1f", "de") == "+2,4"
    assert number(-2.4, "+.1f", "en") == "−2.4"
