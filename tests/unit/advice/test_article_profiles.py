# SPDX-License-Identifier: Apache-2.0
"""The page about massage and training, and what each profile may do."""

import pytest

from tracker.advice import profiles
from tracker.advice.article import article
from tracker.advice.load import packaged
from tracker.model import Exercise
from tracker.report.i18n import LANGUAGES

RULES = packaged()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_claim_has_a_verdict_our_words_and_a_source(lang):
    """Claim by claim, in both languages, each with its sources and certainty."""
    page = article(RULES, lang)
    assert len(page.claims) == 11
    for claim in page.claims:
        assert claim.claim
        assert claim.verdict
        assert claim.say
        assert claim.sources
        assert claim.certainty in {"high", "moderate", "low", "very_low"}
    assert len({c.claim for c in page.claims}) == 11


def test_the_two_languages_are_two_languages():
    """The German page is not the English one."""
    de, en = article(RULES, "de"), article(RULES, "en")
    for one, other in zip(de.claims, en.claims, strict=True):
        assert (one.claim, one.verdict, one.say) != (other.claim, other.verdict, other.say)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_massage_rightly(lang):
    """Never painful, all five techniques, variety, when not, what it does and does not."""
    page = article(RULES, lang)
    how = " ".join(p.text for p in page.how_to).lower()
    words = {
        "de": ("nie schmerzhaft", "kneten", "klopfen", "reiben", "streichen", "vibrieren"),
        "en": ("never painful", "knead", "tap", "rub", "stroke", "vibrate"),
    }
    for word in (*words[lang], {"de": "abwechslung", "en": "variety"}[lang]):
        assert word in how
    assert [p.id for p in page.contraindications] == [f"MC0{n}" for n in range(1, 7)]
    assert page.does
    assert page.does_not
    assert "112" in page.emergency
    assert page.self_massage
    assert page.disclaimer


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_mast_comes_with_its_limits(lang):
    """The picture never stands without its limits in words."""
    page = article(RULES, lang)
    assert page.mast
    assert len(page.mast_limits) > 80


def test_massage_is_said_to_activate_slightly_and_not_enough():
    """The article's point on activation is there, with its source."""
    claim = next(c for c in article(RULES, "en").claims if "activates" in c.claim)
    assert "not enough" in claim.claim
    assert "does not replace training" in claim.say


def test_wellness_asks_no_pain_and_computes_none():
    """What each profile may ask, compute and show stands in one place."""
    assert "pain" not in profiles.diary_fields("wellness")
    assert "pain" in profiles.diary_fields("wellness", pain_journal=True)
    assert "pain" in profiles.diary_fields("clinic")
    assert profiles.outcomes("wellness") == ("tension",)
    assert profiles.outcomes("clinic") == ("pain", "tension")
    assert profiles.screening_mode("wellness") == "static"
    assert profiles.screening_mode("clinic") == "interactive"
    facts = {"pain_mean_3d": 5.0, "post_massage_worse_48h": True, "tension_mean_7d": 3.0}
    assert profiles.readable("wellness", facts) == {"tension_mean_7d": 3.0}
    assert profiles.readable("clinic", facts) == facts


def test_the_code_agrees_with_the_data():
    """`[build_profiles]` and the code say the same."""
    table = RULES.document["build_profiles"]
    assert table["default_profile"] == profiles.DEFAULT
    for name in profiles.PROFILES:
        assert table[name]["screening"] == profiles.screening_mode(name)
        assert table[name]["pain_rules"] is profiles.may_show(name, "pain_rules")
        assert table[name]["pain_nof1"] is ("pain" in profiles.outcomes(name))
        assert table[name]["therapist_alerts"] is profiles.may_show(name, "therapist_suggestions")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_switch_says_what_one_takes_on(lang):
    """At the switch stands who may and what they take on."""
    notice = profiles.switch_notice(RULES, "clinic", lang)
    for word in ("MDR", "ISO 14971"):
        assert word in notice
    assert profiles.switch_notice(RULES, "wellness", lang)


def test_the_exercises_are_those_of_the_recogniser():
    """Programme and recogniser speak of the same exercises."""
    ids = {e["id"] for e in RULES.document["exercise"]}
    assert ids <= {e.label for e in Exercise}
    for level in RULES.document["programme_level"]:
        assert {item["ex"] for item in level["items"]} <= ids
