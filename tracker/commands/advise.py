# SPDX-License-Identifier: Apache-2.0
"""`backstay advise`: the rule base on any facts."""

import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from tracker.advice.model import Rules


@click.command()
@click.option(
    "--facts",
    "facts_file",
    required=True,
    metavar="FILE",
    help="JSON object, or JSON Lines (one answer per line); - reads standard input.",
)
@click.option("--rules", "rules_file", metavar="FILE", help="A rule base as one TOML document.")
@click.option("--profile", type=click.Choice(["wellness", "clinic"]), help="Default: wellness.")
@click.option("--lang", type=click.Choice(["de", "en"]), help="Language of the texts.")
@click.option("--explain", is_flag=True, help="Add reasons, sources and what changed the advice.")
def command(
    facts_file: str, rules_file: str | None, profile: str | None, lang: str | None, explain: bool
) -> None:
    """Say what the rules advise for FACTS: massage, training, both, or a doctor.

    Prints {"main": "", "fired": [...], "out": {...}, "texts": [...]} per object. `main` is the
    winning rule, `fired` are all that fired, `texts` are those that would be shown. Keys of the
    facts are the inputs of the rule base; a fact that is not known is left out.
    """
    import json

    from tracker.advice import load
    from tracker.settings import read_settings

    settings = read_settings(profile=profile, language=lang)
    _known("BACKSTAY_PROFILE", settings.profile, ("wellness", "clinic"))
    code = "de" if settings.language.lower().startswith("de") else "en"
    rules = load.parse(_read(rules_file), rules_file) if rules_file else load.packaged()
    lines = [
        json.dumps(_answer(rules, facts, settings.profile, code, explain), ensure_ascii=False)
        for facts in _facts(rules, _read(facts_file), facts_file)
    ]
    _print_utf8("\n".join(lines) + "\n")


def _known(name: str, value: str, allowed: tuple[str, ...]) -> None:
    from tracker.errors import UsageError

    if value not in allowed:
        raise UsageError(f"{name}={value!r} is unknown: use {' or '.join(allowed)}")


def _answer(
    rules: "Rules", facts: dict[str, Any], profile: str, lang: str, explain: bool
) -> dict[str, Any]:
    from dataclasses import asdict

    from tracker.advice.cards import cards_of, signoff
    from tracker.advice.engine import evaluate

    advice = evaluate(rules, facts, profile, lang)
    answer: dict[str, Any] = {
        "main": advice.main,
        "fired": list(advice.fired),
        "out": dict(advice.out),
        "texts": list(advice.texts),
    }
    if explain:
        made = cards_of(rules, facts, profile, lang)
        answer["cards"] = [asdict(card) for card in made]
        answer["clinical_signoff"] = signoff(rules, lang)
    return answer


def _read(name: str) -> str:
    """The text of a file, UTF-8, `-` for standard input."""
    from pathlib import Path

    from tracker.errors import InputError

    try:
        if name == "-":
            return sys.stdin.buffer.read().decode("utf-8-sig")
        return Path(name).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror}): check the path") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: is no UTF-8 text: save it as UTF-8") from error


def _facts(rules: "Rules", text: str, name: str) -> list[dict[str, Any]]:
    """Every object of a JSON or JSON Lines text, checked before anything is printed."""
    import json

    from tracker.advice.facts import check
    from tracker.errors import InputError

    where = "standard input" if name == "-" else name
    if not text.strip():
        raise InputError(f"{where}: is empty: write one JSON object, or one per line")
    try:
        return [check(rules, json.loads(text, object_pairs_hook=_pairs), where)]
    except json.JSONDecodeError as error:
        whole = error
    lines = [(n, line) for n, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not lines[0][1].strip().endswith("}"):
        raise InputError(
            f"{where}, line {whole.lineno}: is no JSON ({whole.msg}): correct it there"
        ) from whole
    made = []
    for n, line in lines:
        try:
            raw = json.loads(line, object_pairs_hook=_pairs)
        except json.JSONDecodeError as error:
            raise InputError(
                f"{where}, line {n}: is no JSON ({error.msg}): write one object per line"
            ) from error
        made.append(check(rules, raw, f"{where}, line {n}"))
    return made


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    from tracker.errors import InputError

    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(n for n in names if names.count(n) > 1)
        raise InputError(f"the facts name {twice!r} twice: keep one of them")
    return made


def _print_utf8(text: str) -> None:
    """Umlauts survive a console or pipe of any code page."""
    click.echo(text.encode("utf-8"), nl=False)
