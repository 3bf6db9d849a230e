# SPDX-License-Identifier: Apache-2.0
"""What the page "Massage und Training" is made of: claims one by one, massage rightly, the mast."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tracker.advice.cards import SourceLine, source_lines
from tracker.advice.model import Rules
from tracker.advice.screening import questions


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleClaim:
    """One claim of the source article, what is known about it, what we say, and the sources."""

    id: str
    claim: str
    verdict: str
    certainty: str
    say: str
    sources: tuple[SourceLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One line of a list, with its sources."""

    id: str
    text: str
    sources: tuple[SourceLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """The whole page. `mast_limits` belongs under the picture, always."""

    claims: tuple[ArticleClaim, ...]
    mast: str
    mast_limits: str
    contraindications: tuple[Point, ...]
    further: tuple[Point, ...]  # the rest of the massage points of the safety list
    how_to: tuple[Point, ...]
    self_massage: str
    does: tuple[Point, ...]
    does_not: tuple[Point, ...]
    emergency: str
    disclaimer: str


def article(rules: Rules, lang: str) -> Article:
    """The page in a language: what the source article names first, then the further points."""
    document = rules.document
    mast = document.get("explanation", {}).get("mast", {})
    facts = document.get("massage_fact", [])
    points = [
        Point(id=i, text=text, sources=source_lines(rules, rules.questions[i].sources, lang))
        for i, group, text in questions(rules, lang)
        if group == "massage" or rules.questions[i].seed
    ]
    return Article(
        claims=tuple(_claim(rules, c, lang) for c in document.get("seed_claim", [])),
        mast=str(mast.get(lang, "")),
        mast_limits=str(mast.get(f"limits_{lang}", "")),
        contraindications=tuple(p for p in points if rules.questions[p.id].seed),
        further=tuple(p for p in points if not rules.questions[p.id].seed),
        how_to=_points(rules, document.get("massage_step", []), lang),
        self_massage=str(document.get("self_massage_note", {}).get(lang, "")),
        does=_points(rules, [f for f in facts if f["does"]], lang),
        does_not=_points(rules, [f for f in facts if not f["does"]], lang),
        emergency=str(document.get("emergency_box", {}).get(lang, "")),
        disclaimer=str(document.get("disclaimer", {}).get(lang, "")),
    )


def _claim(rules: Rules, table: Mapping[str, Any], lang: str) -> ArticleClaim:
    suffix = "" if lang == "en" else f"_{lang}"
    return ArticleClaim(
        id=table["id"],
        claim=table.get(f"claim{suffix}", table["claim"]),
        verdict=table.get(f"verdict{suffix}", table["verdict"]),
        certainty=table.get("certainty", ""),
        say=table[f"say_{lang}"],
        sources=source_lines(rules, tuple(table.get("sources", ())), lang),
    )


def _points(rules: Rules, tables: list[Mapping[str, Any]], lang: str) -> tuple[Point, ...]:
    return tuple(
        Point(id=t["id"], text=t[lang], sources=source_lines(rules, tuple(t["sources"]), lang))
        for t in tables
    )
