# SPDX-License-Identifier: Apache-2.0
"""Cards: what stands beside the advice, and what changed it."""

import pytest

from tracker.advice.cards import cards_of, one_change, signoff
from tracker.advice.load import packaged

RULES = packaged()
FACTS = {
    "screen_actions": [],
    "screen_age_days": 45,
    "massage_allowed": False,
    "training_allowed": True,
    "diary_days_14d": 12,
    "tension_mean_7d": 7.0,
    "train_per_week_28d": 0.5,
    "sit_h_day_7d": 8.1,
    "sit_bouts60_day_7d": 1.0,
    "longest_sit_min_7d": 112.0,
    "shifts_per_h_7d": 30.0,
}


def card(facts, rule, **more):
    """The card of a rule."""
    return next(c for c in cards_of(RULES, facts, "wellness", "de", **more) if c.id == rule)


def test_the_sensor_changed_the_advice_and_the_card_says_so():
    """Only the longest sit makes R34 fire here; without it R31 would stand."""
    shown = card(FACTS, "R34")
    assert shown.because == ("longest_sit", "training")
    beside = {n.id: n for n in shown.beside}
    assert beside["longest_sit"].value == 112.0
    assert beside["longest_sit"].changed_advice
    assert not beside["sitting"].changed_advice
    assert beside["shifts"].value == 30.0


def test_a_sensor_fact_that_changed_nothing_is_not_credited():
    """A short longest sit leaves the advice as it would be without it."""
    shown = card({**FACTS, "longest_sit_min_7d": 40.0}, "R31")
    assert "longest_sit" not in shown.because
    assert "training" in shown.because


def test_an_added_sentence_counts_as_a_change():
    """R31 gains a sentence through the longest sit when sitting alone would not win a rule."""
    facts = {**FACTS, "tension_mean_7d": 3.0}
    shown = card(facts, "R20")
    assert "112" in shown.text
    assert "longest_sit" in shown.because


def test_unknown_numbers_stand_there_as_unknown():
    """Beside every card the same numbers stand; what is not known is None, not 0."""
    facts = {k: v for k, v in FACTS.items() if not k.startswith(("sit_", "longest", "shifts"))}
    shown = card(facts, "R31")
    assert [(n.id, n.value) for n in shown.beside] == [
        ("sitting", None),
        ("longest_sit", None),
        ("shifts", None),
        ("training", 0.5),
        ("recognised", None),
    ]
    seen = card({**FACTS, "train_recognised_28d": 0.25, "whole_day_wear": False}, "R34")
    assert seen.beside[-1].value == 0.25
    assert seen.worn_time_only


@pytest.mark.parametrize("lang", ["de", "en"])
def test_sources_are_named_in_the_reader_s_language(lang):
    """No English label under a German card, unless the title is the same in both."""
    for source in RULES.sources.values():
        assert source.named(lang)
    own = {s.title for s in cards_of(RULES, FACTS, "wellness", lang)[0].sources}
    assert any("Festlegung dieses Projekts" in t for t in own) == (lang == "de")
    same = {s.id for s in RULES.sources.values() if s.named("de") == s.named("en")}
    assert same == {"NVL2017"}  # whose own title is German


def test_sources_carry_their_certainty():
    """Each source under "Why am I seeing this?" says how sure it is."""
    shown = card(FACTS, "R34")
    assert {s.id for s in shown.sources} == {"WHO2020", "BREAKS_SR2018", "SWAIN2020"}
    assert {s.certainty for s in shown.sources} == {"moderate", "low"}
    assert all(s.title and s.ref for s in shown.sources)


def test_told_numbers_are_marked_beside_the_card():
    """A training frequency from the start is not passed off as measured."""
    shown = card(FACTS, "R34", told={"train_per_week_28d"})
    assert {n.id: n.told for n in shown.beside}["training"]
    assert shown.told


def test_no_card_claims_that_sitting_causes_anything():
    """The sensor's main rules say that the link is not proven."""
    assert "nicht bewiesen" in card(FACTS, "R34").reason


@pytest.mark.parametrize(("lang", "word"), [("de", "geprüft"), ("en", "reviewed")])
def test_missing_sign_off_is_visible(lang, word):
    """Nobody is named; the missing review is said."""
    assert word in signoff(RULES, lang)
    assert "nicht" in signoff(RULES, lang) or "Not" in signoff(RULES, lang)


def test_one_change_to_try_is_a_habit_before_the_main_advice():
    """After a week one small change is named; without a habit it is the main advice."""
    cards = cards_of(RULES, {**FACTS, "sit_h_day_7d": 9.5}, "wellness", "de")
    assert one_change(cards).id == "R22"
    assert one_change([c for c in cards if c.tier != "habit"]).id == "R34"
    assert one_change([]) is None
