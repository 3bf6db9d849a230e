# SPDX-License-Identifier: Apache-2.0
"""Every text a person can see: both languages, the wording lint, no blame, Sie, glossary names."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

import tracker.commands
from tracker.advice import lint
from tracker.advice.load import packaged
from tracker.report import i18n

RULES = packaged()
ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("firmware_protocol", "tracker", "dashboard")
# Words beside the glossary's: a state or metric has one name (`common.toml`).
OTHER_NAMES = {
    "en": [r"\bslouch(ing|ed)?\b", r"\bhunch", r"\bbad posture"],
    "de": [r"\bslouch", r"\blümmel", r"\bHaltungsfehler", r"\bkrumm", r"\bSitzbout", r"\bBouts?\b"],
}


def visible() -> list[tuple[str, str, str]]:
    """(where, language, text) of the rules and every catalogue."""
    catalogues = [(k, c, t) for c in i18n.LANGUAGES for k, t in i18n.texts(c).items()]
    return [*lint.texts_of(RULES), *catalogues]


def placeholders(text: str) -> set[str]:
    """Names in a template, without their formats."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_keys():
    """No text exists in one language only."""
    assert i18n.keys("de") == i18n.keys("en")


def test_both_languages_fill_in_the_same_values():
    """A value that one language prints is printed in the other, too (plurals may spell `n` out)."""
    de, en = i18n.texts("de"), i18n.texts("en")
    differing = {
        key
        for key in de
        if placeholders(de[key]) - {"n"} != placeholders(en[key]) - {"n"}
        or (placeholders(de[key]) != placeholders(en[key]) and not key.endswith((".one", ".other")))
    }
    assert not differing


def test_no_text_says_what_the_lint_forbids():
    """No fear, no promise, no blame, no du; listed exceptions apart."""
    found, unused = lint.findings(RULES, visible())
    assert not found, "\n".join(f"{f.where}: {f.words!r} in {f.text!r}" for f in found)
    assert not unused, "an exception that matches nothing must go"


def test_exceptions_have_a_reason():
    """Whoever adds an exception says why."""
    for exception in lint.exceptions(RULES):
        assert len(exception.reason) > 20, exception


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "This heals your worn-out discs."),
        ("en", "Your bad posture causes damage."),
        ("en", "All clear: nothing is wrong."),
        ("de", "Haltungsnote 3: Sie haben schlecht gesessen."),
        ("de", "Das heilt garantiert."),
        ("de", "Setz dich gerade hin, dein Rücken dankt es dir."),
        ("de", "Entwarnung!"),
    ],
)
def test_the_lint_finds(lang, text):
    """The lint itself works: sentences that must never appear are found."""
    found, _ = lint.findings(RULES, [("made.up", lang, text)])
    assert found


def test_the_lint_reads_the_rules_and_the_safety_list():
    """The lint sees the texts it is meant for."""
    where = {w for w, _, _ in visible()}
    assert "rule.R15.de" in where
    assert "rule.R15.no_massage_en" in where
    assert "rule.R13.wellness.de" in where
    assert "exercise.plank.cue_de" in where
    assert "claim.short.tension_de" in where
    assert "screen.RF01.en" in where
    assert len(where) > 800


@pytest.mark.parametrize("lang", i18n.LANGUAGES)
def test_states_and_metrics_have_one_name(lang):
    """Texts use the glossary's names for states and metrics."""
    patterns = [re.compile(p, re.IGNORECASE) for p in OTHER_NAMES[lang]]
    quoted = ("seed_claim.",)
    wrong = [
        (where, p.pattern)
        for where, code, text in visible()
        if code == lang and not where.startswith(quoted)
        for p in patterns
        if p.search(re.sub(r"\{[^}]*\}", "", text))
    ]
    assert not wrong


def test_pages_and_commands_pass_the_lint():
    """Static pages and scripts, the paper's template and help of commands keep to the words."""
    kinds = ("*.html", "*.js", "*.typ", "*.svg")
    pages = [p for part in PACKAGES for kind in kinds for p in (ROOT / part).rglob(kind)]
    assert {p.suffix for p in pages} == {".html", ".js", ".typ", ".svg"}
    folder = Path(tracker.commands.__file__).parent
    texts = [
        (str(p.relative_to(ROOT)), lang, p.read_text(encoding="utf-8"))
        for p in pages
        for lang in i18n.LANGUAGES
    ]
    texts += [(p.name, "en", p.read_text(encoding="utf-8")) for p in folder.glob("*.py")]
    found, _ = lint.findings(RULES, texts)
    assert not found, "\n".join(f"{f.where}: {f.words!r}" for f in found)


# Words of the lint that say something else where they stand in code, and why.
CODE_EXCEPTIONS = {
    ("tracker/checks/stores.py", "damaged"): "a database file, not a back",
    ("tracker/rights/backup.py", "damaged"): "a backup file, not a back",
    ("tracker/store/codec.py", "damaged"): "a block of stored samples, not a back",
    ("tracker/store/connect.py", "damaged"): "a database file, not a back",
}


def test_sentences_in_code_pass_the_lint():
    """Errors and notes that code itself says (every string that is no docstring) do, too."""
    texts = []
    for path in (p for part in PACKAGES for p in (ROOT / part).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
        texts += [
            (path.relative_to(ROOT).as_posix(), "en", n.value)
            for n in ast.walk(tree)
            if isinstance(n, ast.Constant) and isinstance(n.value, str)
            if id(n) not in docstrings and " " in n.value
        ]
    assert len(texts) > 1000
    found, _ = lint.findings(RULES, texts)
    places = {(f.where, f.words) for f in found}
    assert places == set(CODE_EXCEPTIONS), "\n".join(f"{f.where}: {f.text!r}" for f in found)


def test_german_texts_use_real_umlauts():
    """No `ae`, `oe`, `ue` instead of umlauts in words that have them."""
    words = "fuer|ueber|uebung|moeglich|koennen|ruecken|waehrend|zurueck"
    stand_ins = re.compile(rf"\b({words})", re.IGNORECASE)
    wrong = [w for w, code, text in visible() if code == "de" and stand_ins.search(text)]
    assert not wrong


def test_german_stands_in_catalogues_only():
    """No German sentence hides in code, where neither lint nor translation would see it."""
    german = re.compile(r"[äöüÄÖÜß]|\b(und|nicht|bitte|Sie|Tage?)\b")
    allowed = {"tracker/advice/phrases.py", "tracker/report/i18n.py"}
    hidden = []
    for path in [p for part in ("tracker", "dashboard") for p in (ROOT / part).rglob("*.py")]:
        name = path.relative_to(ROOT).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
        hidden += [
            f"{name}:{n.lineno}: {n.value!r}"
            for n in ast.walk(tree)
            if isinstance(n, ast.Constant)
            and isinstance(n.value, str)
            and id(n) not in docstrings
            and german.search(n.value)
            and name not in allowed
        ]
    assert not hidden


def test_every_key_that_a_page_asks_for_exists():
    """No page can stumble over a text that is not there: literal keys are in the catalogue."""
    areas = {"t": "pages.", "d": "dashboard."}
    known = i18n.keys("en")
    missing = []
    for path in (p for part in ("dashboard", "tracker") for p in (ROOT / part).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            owner, name = node.func.value, node.func.attr
            if name not in areas or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            whole = isinstance(owner, ast.Attribute) and owner.attr == "lang"
            whole = whole or (isinstance(owner, ast.Name) and owner.id in {"lang", "words"})
            view = isinstance(owner, ast.Name) and owner.id == "v"
            if not (whole or view):
                continue
            key = ("" if whole else areas[name]) + str(node.args[0].value)
            if not {key, f"{key}.one", f"{key}.other"} & set(known):
                missing.append(f"{path.name}:{node.lineno}: {key}")
    assert not missing
