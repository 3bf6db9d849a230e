# SPDX-License-Identifier: Apache-2.0
"""Checks of a whole rule document: both languages, placeholders, citations, cycles."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tracker.advice.document import Document
from tracker.advice.model import LANGUAGES
from tracker.advice.wording import placeholders

_LANGUAGE_KEY = re.compile(r"^(?:(?P<stem>.+)_)?(?P<lang>[a-z]{2})$")
# Keys that end like a language but are no text.
_NO_TEXT = frozenset({"register_de"})
_THRESHOLD = re.compile(r"\bT_[A-Z0-9_]+\b")


def whole(document: Document) -> None:
    """Raise RulesError for the first thing that does not hold together."""
    languages = document.parts.get("languages")
    if not isinstance(languages, list) or not set(LANGUAGES) <= set(languages):
        document.refuse("languages", f"is {languages!r}: name at least {list(LANGUAGES)}")
    known = document.ids("source")
    for section, value in document.parts.items():
        for key, table in _tables(section, value):
            _languages(document, key, table)
            _cited(document, key, table, known)
    _claims(document)
    _orders(document)
    _definitions(document)


def _tables(key: str, value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(value, dict):
        yield key, value
        for name, inner in value.items():
            yield from _tables(f"{key}.{name}", inner)
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            name = inner.get("id", n) if isinstance(inner, dict) else n
            yield from _tables(f"{key}[{name}]", inner)


def _languages(document: Document, key: str, table: Mapping[str, Any]) -> None:
    """A text in one language needs its sister with the same placeholders."""
    for name, value in table.items():
        match = _LANGUAGE_KEY.match(name)
        if not match or match["lang"] not in LANGUAGES or not isinstance(value, str):
            continue
        if name in _NO_TEXT:
            continue
        for lang in LANGUAGES:
            sister = f"{match['stem']}_{lang}" if match["stem"] else lang
            if lang == "en" and match["stem"] in table:
                sister = match["stem"]  # the draft writes some English texts without a suffix
            if sister not in table:
                document.refuse(f"{key}.{sister}", f"is missing: {name} needs it in {lang} too")
            if isinstance(table[sister], str):
                _same_placeholders(document, f"{key}.{sister}", value, table[sister])


def _same_placeholders(document: Document, key: str, one: str, other: str) -> None:
    try:
        left, right = ({n for n, _ in placeholders(t)} for t in (one, other))
    except ValueError:
        document.refuse(key, "has unbalanced braces: close each {placeholder}")
    if left != right:
        odd = ", ".join(sorted(left ^ right))
        document.refuse(key, f"the placeholders differ between the languages ({odd}): align them")


def _cited(document: Document, key: str, table: Mapping[str, Any], known: frozenset[str]) -> None:
    cited = table.get("sources")
    if not isinstance(cited, list):
        return
    for name in cited:
        if not isinstance(name, str) or name not in known:
            document.refuse(
                f"{key}.sources",
                f"the source {name!r} does not exist: add a [[source]] with this id or correct it",
            )


def _claims(document: Document) -> None:
    """A claim is itself a text that rules include: it may not include a text again."""
    for name, table in document.named("claim"):
        for key, text in table.items():
            if isinstance(text, str) and any(n == "claim_text" for n, _ in placeholders(text)):
                document.refuse(
                    f"claim.{name}.{key}",
                    "makes a cycle: {claim_text} would contain itself: remove the placeholder",
                )


def _orders(document: Document) -> None:
    """An order that names a value twice has a cycle: the value would stand above itself."""
    for axis, ranks in document.table("merge").items():
        _once(document, f"merge.{axis}", ranks)
    _once(document, "tiers.order", document.table("tiers").get("order"))


def _once(document: Document, key: str, ranks: object) -> None:
    if not isinstance(ranks, list) or not ranks:
        document.refuse(key, "is no list: name the values, most restrictive first")
    for value in ranks:
        if ranks.count(value) > 1:
            document.refuse(key, f"makes a cycle: {value!r} stands above itself: name it once")


def _definitions(document: Document) -> None:
    """Inputs may be defined by others and by thresholds, never in a circle."""
    tables = document.tables("input")
    ids = document.ids("input")
    known = document.ids("threshold")
    needs: dict[str, set[str]] = {}
    for key, table in tables:
        definition = str(table.get("def", ""))
        for name in _THRESHOLD.findall(definition):
            if known and name not in known:
                document.refuse(f"{key}.def", f"the threshold {name} does not exist: declare it")
        needed = document.strings(key, table, "needs")
        words = set(re.findall(r"\w+", definition)) | set(needed)
        for name in needed:
            if name not in ids:
                document.refuse(f"{key}.needs", f"{name!r} is no declared input: correct it")
        needs[str(table.get("id"))] = words & ids
    for name in needs:
        circle = _circle(needs, name, ())
        if circle:
            document.refuse(
                f"input[{name}].def",
                f"makes a cycle ({' -> '.join(circle)}): define one of them without the other",
            )


def _circle(needs: Mapping[str, set[str]], name: str, path: tuple[str, ...]) -> tuple[str, ...]:
    if name in path:
        return (*path[path.index(name) :], name)
    for other in sorted(needs.get(name, ())):
        found = _circle(needs, other, (*path, name))
        if found:
            return found
    return ()
