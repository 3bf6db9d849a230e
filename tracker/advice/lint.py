# SPDX-License-Identifier: Apache-2.0
"""Wording lint over every text a person can see: the rules, the catalogues, the pages.

Why: words like "wear and tear" or "bad posture" raise fear (`evidence.md` S29); a promise ("cures")
is neither true nor allowed. Patterns and exceptions stand in `data/lint.toml`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tracker.advice.model import LANGUAGES, Rules
from tracker.advice.phrases import PHRASES

# Sections and keys that no wearer sees: ids, citations, notes for developers, patterns themselves.
_UNSEEN = frozenset({"lint", "lint_exception", "vector", "source", "threshold", "input", "merge"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One text that a pattern forbids: where it stands, the pattern, the words found."""

    where: str
    pattern: str
    words: str
    text: str


@dataclass(frozen=True, slots=True)
class LintException:
    """A place where a pattern may stand, and why."""

    where: str
    pattern: str
    reason: str


def exceptions(rules: Rules) -> tuple[LintException, ...]:
    """The listed exceptions."""
    return tuple(
        LintException(e["where"], e["pattern"], e["reason"])
        for e in rules.document.get("lint_exception", [])
    )


def patterns(rules: Rules, lang: str) -> tuple[str, ...]:
    """Every forbidden pattern of a language."""
    table: Mapping[str, Any] = rules.document.get("lint", {})
    names = [f"{kind}_{lang}" for kind in ("forbidden", "blame", "du")]
    return tuple(p for name in names for p in table.get(name, []))


def texts_of(rules: Rules) -> Iterator[tuple[str, str, str]]:
    """(where, language, text) of every text of the rule base and the engine that is shown."""
    for name, texts in PHRASES.items():
        yield from ((f"phrases.{name}.{lang}", lang, text) for lang, text in texts.items())
    for section, value in rules.document.items():
        if section not in _UNSEEN:
            yield from _texts(section, value)


def _texts(where: str, value: Any) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, list):
        for n, inner in enumerate(value):
            name = inner.get("id", n) if isinstance(inner, dict) else n
            yield from _texts(f"{where}.{name}", inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            lang = key.rsplit("_", 1)[-1]
            if isinstance(inner, str) and lang in LANGUAGES:
                yield f"{where}.{key}", lang, inner
            elif isinstance(inner, dict | list):
                yield from _texts(f"{where}.{key}", inner)


def findings(
    rules: Rules, texts: Iterable[tuple[str, str, str]]
) -> tuple[list[Finding], list[LintException]]:
    """(findings, exceptions that matched nothing) over (where, language, text) triples."""
    prefixes = tuple(rules.document.get("lint", {}).get("exempt_prefixes", ()))
    listed = exceptions(rules)
    used: set[LintException] = set()
    compiled = {
        lang: [re.compile(p, re.IGNORECASE) for p in patterns(rules, lang)] for lang in LANGUAGES
    }
    found = []
    for where, lang, text in texts:
        if _plain(where).startswith(prefixes):
            continue
        for pattern in compiled[lang]:
            match = pattern.search(text)
            if not match:
                continue
            excuse = [e for e in listed if e.where == where and e.pattern == pattern.pattern]
            used.update(excuse)
            if not excuse:
                found.append(Finding(where, pattern.pattern, match[0], text))
    return found, [e for e in listed if e not in used]


def _plain(where: str) -> str:
    """`seed_claim.K2.claim_de` as `seed_claim.claim_de`: prefixes name keys, not entries."""
    parts = where.split(".")
    return ".".join([parts[0], *parts[2:]]) if parts[0] == "seed_claim" else where
