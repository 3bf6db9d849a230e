# SPDX-License-Identifier: Apache-2.0
"""`backstay advise` as a user or a script runs it."""

import json
from importlib import resources

import pytest
from click.testing import CliRunner

from tracker.cli import main
from tracker.commands.advise import command

TENSE = {
    "screen_actions": [],
    "screen_age_days": 3,
    "massage_allowed": True,
    "training_allowed": True,
    "diary_days_14d": 13,
    "tension_mean_7d": 6.4,
    "train_per_week_28d": 0.3,
}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    for name in ("BACKSTAY_PROFILE", "BACKSTAY_LANGUAGE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def advise(tmp_path, capsysbinary):
    """Run the command line; returns (exit code, stdout, stderr)."""

    def run(text: str | bytes, *options: str) -> tuple[int, str, str]:
        path = tmp_path / "facts.json"
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        with pytest.raises(SystemExit) as caught:
            main(["advise", "--facts", str(path), *options])
        out, err = capsysbinary.readouterr()
        return int(caught.value.code or 0), out.decode("utf-8"), err.decode("utf-8")

    return run


def test_one_object_gives_one_answer(advise):
    """Exactly the four keys of the contract, texts in the language asked for."""
    code, out, err = advise(json.dumps(TENSE), "--lang", "de")
    answer = json.loads(out)
    assert (code, err) == (0, "")
    assert list(answer) == ["main", "fired", "out", "texts"]
    assert answer["main"] == "R15"
    assert answer["out"] == {"massage": "suggest", "training": "start", "doctor": "none"}
    assert "6,4" in answer["texts"][0]
    assert "ü" in out, "umlauts are printed as they are"


def test_json_lines_give_one_answer_per_line(advise):
    """Three objects, a blank line between, three answers in order."""
    lines = [json.dumps(TENSE), "", "{}", json.dumps({**TENSE, "screen_actions": ["emergency"]})]
    code, out, _ = advise("\n".join(lines) + "\n")
    answers = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [a["main"] for a in answers] == ["R15", "", ""]
    assert answers[2]["fired"] == ["R01"]


def test_standard_input():
    """`-` reads from a pipe."""
    result = CliRunner().invoke(command, ["--facts", "-"], input=json.dumps(TENSE))
    assert result.exit_code == 0
    assert json.loads(result.stdout)["main"] == "R15"


def test_one_document_rules(advise, tmp_path):
    """`--rules` takes one TOML document; its inputs and rules are the only ones."""
    folder = resources.files("tracker.advice") / "data"
    names = sorted(f.name for f in folder.iterdir() if f.name.endswith(".toml"))
    names.remove("engine.toml")
    text = "\n".join((folder / n).read_text(encoding="utf-8") for n in ["engine.toml", *names])
    rules = tmp_path / "my.toml"
    rules.write_text(text.replace('id = "R15"', 'id = "MY15"'), encoding="utf-8")
    code, out, _ = advise(json.dumps(TENSE), "--rules", str(rules))
    assert code == 0
    assert json.loads(out)["main"] == "MY15"


def test_the_profile_changes_what_is_read(advise):
    """High pain silences wellness; the clinic profile answers it."""
    facts = json.dumps({**TENSE, "pain_mean_3d": 9, "pain_mean_7d": 9})
    assert json.loads(advise(facts)[1])["fired"] == ["R29"]
    assert "R07" in json.loads(advise(facts, "--profile", "clinic")[1])["fired"]


def test_explain_adds_cards_and_the_missing_sign_off(advise):
    """Reasons, sources with certainty, what changed the advice, and who has not reviewed it."""
    answer = json.loads(advise(json.dumps(TENSE), "--explain")[1])
    assert answer["cards"][0]["because"] == ["training"]
    assert answer["cards"][0]["sources"][0]["certainty"]
    assert answer["clinical_signoff"] == "Not yet reviewed by a clinician."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"tension": 3}', "'tension' is no input of"),
        ('{"tension_mean_7d": "3"}', "tension_mean_7d: '3' is no number"),
        ('{"tension_mean_7d": 11}', "11 is above 10"),
        ('{"tension_mean_7d": NaN}', "nan is no number"),
        ('{"sit_h_day_7d": Infinity}', "inf is no number"),
        ('{"massages_28d": 1' + "0" * 400 + "}", "is no number that can be"),
        ('{"massage_allowed": 1}', "1 is neither true nor false"),
        ('{"massages_28d": 1.5}', "1.5 is no whole number"),
        ('{"days_since_massage": -1}', "-1 is below 0"),
        ('{"pain_trend_14d": "bad"}', "'bad' does not exist: write one of improved"),
        ('{"screen_actions": "today"}', "'today' is no list of words"),
        ('{"screen_actions": ["later"]}', "'later' is no action"),
        ('{"massages_28d": 1, "massages_28d": 2}', "name 'massages_28d' twice"),
        ("[1]", "is no JSON object"),
        ("", "is empty"),
        ("{", "is no JSON"),
        ('{}\n{"x": 1}', "line 2: 'x' is no input"),
        ("{}\n{", "line 2: is no JSON"),
        (b"\xff\xfe{}", "is no UTF-8 text"),
    ],
)
def test_bad_facts_are_refused_with_one_sentence(advise, text, sentence):
    """Nothing is printed, the sentence alone stands on stderr, exit code 1."""
    code, out, err = advise(text)
    assert code == 1
    assert out == ""
    assert sentence in err
    assert err.count("\n") == 1


def test_a_missing_file_and_broken_rules(advise, tmp_path):
    """File, key and remedy."""
    code, out, err = advise("{}", "--rules", str(tmp_path / "none.toml"))
    assert (code, out) == (1, "")
    assert "none.toml: cannot be read" in err
    bad = tmp_path / "bad.toml"
    bad.write_text("schema = 1\n", encoding="utf-8")
    code, _, err = advise("{}", "--rules", str(bad))
    assert code == 1
    assert "bad.toml: languages: " in err


def test_null_means_not_known(advise):
    """A table with empty cells can be handed over as it is."""
    answer = json.loads(advise(json.dumps({**TENSE, "tension_mean_7d": None}))[1])
    assert answer["main"] == "R32"


def test_unknown_options_are_usage_errors(advise, monkeypatch):
    """Exit code 2 for an unknown profile or language, from an option or from the environment."""
    assert advise("{}", "--profile", "lab")[0] == 2
    assert advise("{}", "--lang", "fr")[0] == 2
    monkeypatch.setenv("BACKSTAY_PROFILE", "lab")
    code, _, err = advise("{}")
    assert code == 2
    assert "wellness or clinic" in err
