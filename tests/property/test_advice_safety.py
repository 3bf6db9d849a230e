# SPDX-License-Identifier: Apache-2.0
"""The safety of the advice over tens of thousands of facts, consistent and inconsistent ones."""

import random
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.advice.engine import Advice, active, evaluate, merged
from tracker.advice.load import packaged
from tracker.advice.model import Input
from tracker.advice.profiles import PROFILES, reads_pain

RULES = packaged()
N = 12_000  # facts per profile
FORBIDS_MASSAGE = {"stop", "not_now", "ask_first"}
FORBIDS_TRAINING = {"stop", "pause"}
# What a person reads in the texts, judged by hand and not by the engine: (rule, part) -> topics.
# A new main, habit or insight rule must be judged here (tests/contract/test_rules.py says so).
MASSAGE_TEXTS = {("R15", "text"), ("R16", "text"), ("R42", "text")}
TRAINING_RULES = {"R12", "R14", "R15", "R16", "R17", "R19", "R20", "R21", "R24"}
TRAINING_RULES |= {"R31", "R32", "R33", "R34", "R35", "R41"}


def value_of(declared: Input, rng: random.Random) -> object:
    """A plausible value of an input, often near the borders that rules use."""
    if declared.kind == "set":
        pool = [*RULES.actions, "MC06", "MC07", "MC06:unsure"]
        return rng.sample(pool, rng.choice([0, 0, 0, 0, 1, 1, 2, 3]))
    if declared.kind == "bool":
        return rng.random() < 0.6
    if declared.kind == "enum":
        return rng.choice(declared.values)
    low = declared.low or 0
    high = declared.high or {"screen_age_days": 60, "train_load_ratio": 3}.get(declared.id, 20)
    value = rng.uniform(low, high)
    if declared.id.startswith("train_per_week"):
        value = rng.choice([0, 0.3, 1, 1.9, 2, 3])
    if declared.id.startswith("longest_sit"):
        value = rng.uniform(10, 200)
    return round(value) if declared.kind == "int" else round(value, 1)


def facts_with(rng: random.Random) -> dict[str, object]:
    """Random facts; about a third of the inputs is missing."""
    facts = {i.id: value_of(i, rng) for i in RULES.inputs.values() if rng.random() < 0.65}
    if rng.random() < 0.7:
        facts["diary_days_14d"] = rng.randint(5, 14)
    if rng.random() < 0.5:  # consistent with the safety list
        _, outputs = active(RULES, facts.get("screen_actions", []))
        out = merged(RULES, outputs)
        age = facts.get("screen_age_days")
        facts["massage_allowed"] = (
            age is not None and age <= 30 and out.get("massage") not in FORBIDS_MASSAGE
        )
        facts["training_allowed"] = out.get("training") not in FORBIDS_TRAINING
    return facts


@pytest.fixture(scope="module", params=PROFILES)
def cases(request) -> tuple[str, list[tuple[dict[str, object], Advice]]]:
    """Facts and their advice, the same on every run."""
    rng = random.Random(f"advice {request.param}")
    made = [facts_with(rng) for _ in range(N)]
    return request.param, [(f, evaluate(RULES, f, request.param, "en")) for f in made]


def test_nothing_forbidden_is_recommended(cases):
    """No shown text encourages massage or training that the merged output forbids."""
    seen = 0
    for facts, advice in cases[1]:
        for shown in advice.shown:
            parts = {(shown.rule.id, part) for part in shown.parts}
            if parts & MASSAGE_TEXTS or "add_massage" in shown.parts:
                assert advice.out["massage"] not in FORBIDS_MASSAGE, (facts, shown.text)
                seen += 1
            if shown.rule.id in TRAINING_RULES:
                assert advice.out["training"] not in FORBIDS_TRAINING, (facts, shown.text)
                seen += 1
    assert seen > N / 10, "the generator must reach texts that recommend something"


def test_an_emergency_silences_everything_else(cases):
    """With an emergency only its text is shown, and everything stops."""
    seen = 0
    for facts, advice in cases[1]:
        actions, _ = active(RULES, facts.get("screen_actions"))
        if "emergency" in actions:
            seen += 1
            assert advice.fired == ("R01",)
            assert advice.main == ""
            assert len(advice.texts) == 1
            assert "112" in advice.texts[0]
            assert (advice.out["massage"], advice.out["doctor"]) == ("stop", "emergency")
    assert seen > 50


def test_a_missing_value_never_fires_a_comparison(cases):
    """Of every fired rule, each `all` condition and one `any` condition rests on a known fact."""
    for facts, advice in cases[1]:
        rules = {r.id: r for r in RULES.by_profile[cases[0]]}
        for rule in (rules[i] for i in advice.fired):
            for c in rule.when.all:
                assert c.op == "unknown" or facts.get(c.input) is not None, (rule.id, facts)
            if rule.when.any is not None:
                assert any(
                    c.op == "unknown" or facts.get(c.input) is not None for c in rule.when.any
                ), (rule.id, facts)


def test_the_same_facts_give_the_same_advice(cases):
    """Neither repetition nor the order of the facts changes anything."""
    for facts, advice in cases[1][:3000]:
        turned = dict(reversed(facts.items()))
        again = evaluate(RULES, turned, cases[0], "en")
        assert (again.main, again.fired, again.out, again.texts) == (
            advice.main,
            advice.fired,
            advice.out,
            advice.texts,
        )


def test_the_wellness_profile_never_reads_pain():
    """Other pain values change nothing in wellness, except through the safety stop R29."""
    rng = random.Random("pain")
    stopped = 0
    for _ in range(N):
        facts = facts_with(rng)
        bare = {k: v for k, v in facts.items() if not reads_pain(k)}
        advice, other = (evaluate(RULES, f, "wellness", "de") for f in (facts, bare))
        if "R29" in advice.fired:
            stopped += 1
            assert facts["pain_mean_3d"] >= 7
            assert advice.main == ""
            continue
        assert (advice.main, advice.fired, advice.out, advice.texts) == (
            other.main,
            other.fired,
            other.out,
            other.texts,
        )
    assert stopped > 100


@pytest.mark.parametrize("profile", PROFILES)
def test_an_empty_day_says_what_is_missing_and_nothing_else(profile):
    """Without diary and safety list only the gates speak, whatever allowed flags say."""
    for massage, training in product((None, True, False), (None, True, False)):
        facts = {"screen_actions": [], "massage_allowed": massage, "training_allowed": training}
        advice = evaluate(RULES, {k: v for k, v in facts.items() if v is not None}, profile)
        assert advice.fired == ("R06", "R13")
        assert advice.out == {"massage": "ask_first", "training": "none", "doctor": "none"}
        assert [s.rule.id for s in advice.shown] == ["R06", "R13"]
        assert "five diary days" in advice.texts[1]


def test_start_gently_instead_of_nothing_special(cases):
    """Enough data, training allowed and under twice a week: "nothing special" never wins."""
    seen = 0
    for facts, advice in cases[1]:
        known = facts.get("diary_days_14d", 0) >= 5 or facts.get("start_age_days", 99) <= 14
        little = facts.get("train_per_week_28d", 9) < 2
        if known and little and facts.get("training_allowed") is True:
            seen += 1
            assert advice.main != "R28", facts
    assert seen > N / 20


@pytest.mark.parametrize("profile", PROFILES)
@given(
    tension=st.floats(5, 10),
    training=st.floats(0, 1.99),
    age=st.none() | st.integers(0, 400),
    massage_allowed=st.none() | st.booleans(),
    gap=st.none() | st.integers(0, 60),
    pain=st.none() | st.floats(0, 10),
    sit_h=st.none() | st.floats(0, 16),
)
def test_tense_and_untrained_always_leads_to_training(
    profile, tension, training, age, massage_allowed, gap, pain, sit_h
):
    """Tension high, little training: whatever massage may do, the advice is to start."""
    facts = {
        "screen_actions": [],
        "diary_days_14d": 10,
        "training_allowed": True,
        "tension_mean_7d": tension,
        "train_per_week_28d": training,
        "screen_age_days": age,
        "massage_allowed": massage_allowed,
        "days_since_massage": gap,
        "pain_mean_7d": pain,
        "sit_h_day_7d": sit_h,
    }
    advice = evaluate(RULES, {k: v for k, v in facts.items() if v is not None}, profile, "de")
    assert advice.main not in {"", "R28"}
    assert advice.out["training"] in {"gentle", "start"}
    main = [s for s in advice.shown if s.rule.tier == "main"]
    assert len(main) == 1, "the winning main rule must be visible"


def test_every_rule_can_be_shown(cases):
    """The generator reaches every rule of the profile, so that the properties mean something."""
    fired = {i for _, advice in cases[1] for i in advice.fired}
    missing = {r.id for r in RULES.by_profile[cases[0]]} - fired
    assert not missing
