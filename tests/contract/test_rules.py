# SPDX-License-Identifier: Apache-2.0
"""The packaged rule base as a whole, and the refusal of broken ones."""

import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import get_type_hints

import pytest

from tracker.advice import profiles
from tracker.advice.conditions import OPERATORS, holds
from tracker.advice.engine import evaluate
from tracker.advice.facts import Facts, check
from tracker.advice.load import packaged, parse
from tracker.advice.model import LANGUAGES, Condition
from tracker.errors import RulesError
from tracker.trends import nof1

RULES = packaged()
FOLDER = resources.files("tracker.advice") / "data"
VECTORS = RULES.document["vector"]
MODES = ("packaged", "one document")


def one_document() -> str:
    """The packaged rules as one TOML document, as `--rules` takes it."""
    names = sorted(f.name for f in FOLDER.iterdir() if f.name.endswith(".toml"))
    names.remove("engine.toml")  # holds the keys without a table, which come first
    return "\n".join((FOLDER / n).read_text(encoding="utf-8") for n in ["engine.toml", *names])


DOCUMENT = one_document()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("vector", VECTORS, ids=[v["name"] for v in VECTORS])
def test_vector(vector, mode):
    """Each vector wins with its main rule, fires its rules and merges to its output."""
    rules = RULES if mode == "packaged" else parse(DOCUMENT, "rules.toml")
    facts = check(rules, vector["in"])
    advice = evaluate(rules, facts, vector.get("profile", "clinic"))
    assert advice.main == vector["expect"]["main"]
    assert set(vector["expect"]["fired"]) <= set(advice.fired)
    assert advice.out == vector["expect"]["out"]


def test_the_draft_s_vectors_are_all_there():
    """The 23 vectors of the draft stay beside our own."""
    assert len(VECTORS) >= 23


@pytest.mark.parametrize("profile", profiles.PROFILES)
def test_every_rule_has_title_reason_and_rated_sources(profile):
    """A card can always say its title, its reason and how sure its sources are."""
    for rule in RULES.by_profile[profile]:
        for lang in LANGUAGES:
            assert rule.title.get(lang), rule.id
            assert rule.reason[lang], rule.id
        assert all(RULES.sources[s].certainty for s in rule.sources), rule.id


@pytest.mark.parametrize("profile", profiles.PROFILES)
def test_a_main_rule_joins_sensor_and_diary(profile):
    """In each profile at least one main rule reads sensor and diary, in one condition list."""
    sensor = {"sit_h_day_7d", "sit_bouts60_day_7d", "longest_sit_min_7d", "slouch_share_7d"}
    diary = {"tension_mean_7d", "pain_mean_7d"}
    joined = [
        r.id
        for r in RULES.by_profile[profile]
        if r.tier == "main"
        and {c.input for c in r.when.conditions} & sensor
        and {c.input for c in r.when.conditions} & diary
    ]
    assert "R34" in joined


def test_only_the_safety_stop_reads_pain_in_wellness():
    """No wellness rule asks or prints a pain value, R29 excepted."""
    readers = [r.id for r in RULES.by_profile["wellness"] if any(map(profiles.reads_pain, r.reads))]
    assert readers == ["R29"]


def test_the_facts_type_names_exactly_the_inputs():
    """`Facts` and `inputs.toml` are one list."""
    assert set(get_type_hints(Facts)) == set(RULES.inputs)


def test_every_claim_has_a_tension_version():
    """Wellness never needs a pain sentence."""
    for name, table in RULES.claims.items():
        assert {"tension_en", "tension_de"} <= set(table), name


def test_encouraging_rules_are_judged_by_hand():
    """A new main, habit or insight rule is listed in the safety test's table or is harmless."""
    harmless = {"R18", "R28", "R22", "R23", "R25", "R26"}
    judged = {"R12", "R14", "R15", "R16", "R17", "R19", "R20", "R21", "R24"}
    judged |= {"R31", "R32", "R33", "R34", "R35", "R41", "R42"}
    tiers = {"main", "habit", "insight"}
    ids = {r.id for p in profiles.PROFILES for r in RULES.by_profile[p] if r.tier in tiers}
    assert ids == harmless | judged


@pytest.mark.parametrize("op", ["==", "!=", "<", "<=", ">", ">=", "in", "has"])
def test_no_operator_fires_on_a_missing_value(op):
    """Missing is not zero, not false and not different."""
    value = [1] if op == "in" else 1
    assert not holds(Condition("x", op, value), {})
    assert not holds(Condition("x", op, value), {"x": None})


def test_forty_questions_and_the_article_s_contraindications():
    """The list holds 40 questions; the article's seven situations are marked."""
    assert len(RULES.questions) == 40
    assert [q.id for q in RULES.questions.values() if q.seed] == [f"MC0{n}" for n in range(1, 7)]
    text = " ".join(q.text["de"] for q in RULES.questions.values() if q.seed)
    for word in ("Fieber", "Erkältung", "entzündet", "Osteoporose", "Knochenbruch", "Thrombose"):
        assert word.lower() in text.lower()


def test_the_statistics_use_the_gates_of_the_rule_base():
    """One number, one place: the code's gates are those that the pages announce."""
    gates, rule = nof1.Gates(), RULES.document["gate"]["massage"]
    assert {name: getattr(gates, name) for name in rule} == rule


def test_nobody_is_named_as_having_signed_off():
    """The sign-off is empty until a real person gave it."""
    assert RULES.signoff == ""


# ---------- refusals ----------
def replace(old: str, new: str, count: int = 1) -> str:
    """The document with one thing broken; fails if there is nothing to break."""
    assert old in DOCUMENT, old
    return DOCUMENT.replace(old, new, count)


BROKEN = {
    "unknown source in a rule": (
        lambda: replace('sources = ["BOONSTRA2016", "NVL2017"]', 'sources = ["NOPE2000"]'),
        r"rule\[R0?\w+\]\.sources: the source 'NOPE2000' does not exist: add",
    ),
    "unknown source in a threshold": (
        lambda: replace('sources = ["CREEP1992"]', 'sources = ["CREEP1"]'),
        r"threshold\[T_BREAK_MIN_LEN\]\.sources: .*'CREEP1'",
    ),
    "unknown input": (
        lambda: replace('["stress_mean_7d", ">=", 7]', '["stress", ">=", 7]'),
        r"rule\[R25\]\.when\.all\[0\]: 'stress' is no declared input: add",
    ),
    "bad operator": (
        lambda: replace('["stress_mean_7d", ">=", 7]', '["stress_mean_7d", "=>", 7]'),
        r"rule\[R25\]\.when\.all\[0\]: unknown operator '=>': use one of",
    ),
    "operator that does not fit": (
        lambda: replace('["stress_mean_7d", ">=", 7]', '["stress_mean_7d", "has", 7]'),
        r"operator 'has' does not fit stress_mean_7d, which is a float: use",
    ),
    "value that does not exist": (
        lambda: replace('["pain_trend_14d", "==", "worse"]', '["pain_trend_14d", "==", "bad"]'),
        r"rule\[R08\].*'bad' is no value of pain_trend_14d: write one of improved",
    ),
    "unknown action asked": (
        lambda: replace('"has", "routine"', '"has", "rutine"'),
        r"rule\[R36\].*'rutine' is no action of the safety list: use",
    ),
    "missing language of a rule": (
        lambda: re.sub(r'\nreason_de = "Stress .*?"\n', "\n", DOCUMENT, count=1),
        r"rule\[R25\]\.reason_de: is missing",
    ),
    "missing language of a question": (
        lambda: re.sub(r'\nde = "Neue Blasenprobleme.*?"\n', "\n", DOCUMENT, count=1),
        r"screen\[RF02\]\.de: is missing",
    ),
    "placeholder that is no input": (
        lambda: DOCUMENT.replace("{stress_mean_7d:.1f}", "{stress:.1f}"),
        r"rule\[R25\]\.reason_en: the placeholder \{stress\} is no declared input",
    ),
    "placeholder in one language only": (
        lambda: replace("Stress {stress_mean_7d:.1f} von 10", "Viel Stress"),
        r"rule\[R25\]\.reason_de: the placeholders differ .*stress_mean_7d",
    ),
    "unbalanced braces": (
        lambda: replace("Stress {stress_mean_7d:.1f} of 10", "Stress {stress_mean_7d of 10"),
        r"rule\[R25\]\.reason_\w\w: has unbalanced braces",
    ),
    "format that does not fit": (
        lambda: DOCUMENT.replace("{stress_mean_7d:.1f}", "{stress_mean_7d:x}"),
        r"the format 'x' does not fit \{stress_mean_7d\}",
    ),
    "cycle of tiers": (
        lambda: replace('suppress = ["main", "insight"]', 'suppress = ["safety"]'),
        r"rule\[\w+\]\.suppress: makes a cycle",
    ),
    "cycle in an order": (
        lambda: replace(
            'doctor   = ["emergency", "today"', 'doctor   = ["today", "emergency", "today"'
        ),
        r"merge\.doctor: makes a cycle: 'today' stands above itself",
    ),
    "cycle of texts": (
        lambda: replace(
            'tension_en = "{massages_done} of 6',
            'tension_en = "{claim_text} {massages_done} of 6',
        ).replace(
            'tension_de = "{massages_done} von 6',
            'tension_de = "{claim_text} {massages_done} von 6',
        ),
        r"claim\.collecting\.tension_en: makes a cycle",
    ),
    "cycle of definitions": (
        lambda: replace(
            'def = "days since the safety list was last confirmed; missing = never"',
            'def = "days, if massage_allowed"',
        ),
        r"input\[.*\]\.def: makes a cycle \(.*massage_allowed",
    ),
    "two rules with one id": (
        lambda: replace('id = "R02"', 'id = "R01"'),
        r"rule\[R01\]: the id 'R01' exists twice",
    ),
    "unknown action of a question": (
        lambda: replace('if_yes = "routine"', 'if_yes = "later"'),
        r"screen\[RF20\]\.if_yes: 'later' is no action: use one of",
    ),
    "output that is not ranked": (
        lambda: replace('training = "scale_back", doctor', 'training = "less", doctor'),
        r"rule\[R10\]\.out\.training: 'less' is not in \[merge\]: use",
    ),
    "mistyped key": (
        lambda: replace("halt = true", "hold = true"),
        r"rule\[R01\]\.hold: is no key of a rule",
    ),
    "unknown threshold": (
        lambda: replace('"T_RAMP"]', '"T_RAMPE"]'),
        r"'T_RAMPE' is no number and no threshold with one",
    ),
    "unknown tier": (
        lambda: replace('tier = "insight"', 'tier = "insights"'),
        r"rule\[R26\]\.tier: 'insights' is no tier: use",
    ),
    "unknown exercise of a question": (
        lambda: replace('avoid = ["curl_up"', 'avoid = ["crunch"'),
        r"screen\[MC04\]\.avoid: 'crunch' is no \[\[exercise\]\]",
    ),
    "no schema": (lambda: replace("schema = 1", "schema = 9"), r"schema: is 9: this version reads"),
    "no rules": (
        lambda: re.sub(
            r"^\[\[rule\]\]\n(?:(?!\[\[vector|\[\[screen).*\n)*", "", DOCUMENT, flags=re.MULTILINE
        ),
        r"rule: is missing: add",
    ),
    "no TOML": (lambda: "schema = \n", r"is no valid TOML .*: correct that line"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_base_is_refused(name):
    """File, key and remedy stand in one sentence."""
    make, sentence = BROKEN[name]
    with pytest.raises(RulesError) as caught:
        parse(make(), "my-rules.toml")
    text = str(caught.value)
    assert text.startswith("my-rules.toml: ")
    assert re.search(sentence, text), text
    assert "\n" not in text


def test_a_packaged_file_is_named_in_its_own_refusal():
    """With several files the refusal names the right one, and a doubled section both."""
    from tracker.advice.document import read
    from tracker.advice.parse import rules_from

    files = [(f.name, f.read_text(encoding="utf-8")) for f in FOLDER.iterdir() if ".toml" in f.name]
    broken = [(n, t.replace('["stress_mean_7d", ">=", 7]', '["x", ">=", 7]')) for n, t in files]
    with pytest.raises(RulesError, match=r"^rules\.toml: rule\[R25\]"):
        rules_from(read(broken))
    with pytest.raises(RulesError, match=r"other\.toml: rule: stands in rules\.toml too"):
        read([*files, ("other.toml", '[[rule]]\nid = "X"')])


def test_the_one_document_form_is_the_packaged_one():
    """Splitting into files changes nothing."""
    assert tomllib.loads(DOCUMENT) == dict(RULES.document)


def test_the_documents_list_every_rule_threshold_and_input():
    """`docs/advice.md` and `docs/write-a-rule.md` cannot fall behind the data."""
    docs = Path(__file__).resolve().parents[2] / "docs"
    advice = (docs / "advice.md").read_text(encoding="utf-8")
    how = (docs / "write-a-rule.md").read_text(encoding="utf-8")
    for rule in (r for p in profiles.PROFILES for r in RULES.by_profile[p]):
        assert f"| {rule.id} | {rule.tier} | {rule.title['en']} |" in advice, rule.id
    for threshold in RULES.document["threshold"]:
        assert f"| {threshold['id']} |" in advice
    for one in RULES.inputs.values():
        assert f"| `{one.id}` | {one.kind} | {one.definition} |" in how
    for op in OPERATORS:
        assert f"`{op}`" in how
