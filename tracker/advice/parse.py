# SPDX-License-Identifier: Apache-2.0
"""TOML document -> `Rules`, refusing what does not hold together.

Order: what others refer to first (sources, inputs, actions, merge, tiers), then rules and claims;
`check` looks at the whole (languages, placeholders, cycles) before anything is built.
"""

import re
from collections.abc import Mapping
from typing import Any

from tracker.advice import check, parse_rule
from tracker.advice.document import Document
from tracker.advice.model import LANGUAGES, Action, Input, Question, Rules, Source
from tracker.advice.parse_when import WhenParser
from tracker.advice.profiles import PROFILES

SCHEMA = 1
_KINDS = ("set", "int", "float", "bool", "enum")


def rules_from(document: Document) -> Rules:
    """A checked rule base; raises RulesError with file, key and remedy."""
    schema = document.parts.get("schema")
    if schema != SCHEMA:
        document.refuse("schema", f"is {schema!r}: this version reads schema = {SCHEMA}")
    check.whole(document)
    sources = {k.id: k for k in _sources(document)}
    inputs = {k.id: k for k in _inputs(document)}
    merge = _merge(document)
    tiers, shown = _tiers(document)
    actions = {k.id: k for k in _actions(document, merge)}
    questions = {k.id: k for k in _questions(document, actions, sources, merge)}
    claims = {
        name: {k: v for k, v in table.items() if isinstance(v, str)}
        for name, table in document.named("claim")
    }
    shelf = parse_rule.Shelf(
        document=document,
        sources=sources,
        inputs=inputs,
        actions=actions,
        merge=merge,
        tiers=tiers,
        conditions=WhenParser(
            document=document,
            inputs=inputs,
            actions=actions,
            thresholds=_thresholds(document, sources),
        ),
    )
    by_profile = {profile: shelf.rules(profile) for profile in PROFILES}
    return Rules(
        file=document.name,
        version=str(document.parts.get("ruleset", "")),
        signoff=str(document.parts.get("clinical_signoff", "")),
        sources=sources,
        inputs=inputs,
        actions=actions,
        questions=questions,
        merge=merge,
        tiers=tiers,
        max_shown=shown,
        by_profile=by_profile,
        claims=claims,
        document=document.parts,
    )


def _sources(document: Document) -> list[Source]:
    document.ids("source")
    return [
        Source(
            id=table["id"],
            title=document.text(key, table, "title"),
            year=_year(document, key, table),
            kind=str(table.get("type", "")),
            ref=str(table.get("ref", "")),
            verify=str(table.get("verify", "")),
            certainty=str(table.get("certainty", "")),
            note=str(table.get("note", "")),
            title_de=str(table.get("title_de", "")),
        )
        for key, table in document.tables("source", required=True)
    ]


def _year(document: Document, key: str, table: Mapping[str, Any]) -> int:
    year = table.get("year", 0)
    if not isinstance(year, int):
        document.refuse(f"{key}.year", f"{year!r} is no year: write it like 2021")
    return year


def _inputs(document: Document) -> list[Input]:
    document.ids("input")
    made = []
    for key, table in document.tables("input", required=True):
        kind = document.text(key, table, "type")
        if kind not in _KINDS:
            document.refuse(f"{key}.type", f"is {kind!r}: use one of {', '.join(_KINDS)}")
        definition = document.text(key, table, "def")
        values = document.strings(key, table, "values")
        if kind == "enum" and not values:
            # The draft writes the values at the head of the definition: "a | b | c, from 5.6".
            head = re.split(r"[,;]", definition, maxsplit=1)[0]
            values = tuple(v.strip() for v in head.split("|")) if "|" in head else ()
        made.append(
            Input(
                id=table["id"],
                kind=kind,
                definition=definition,
                values=values,
                low=table.get("min"),
                high=table.get("max"),
            )
        )
    return made


def _merge(document: Document) -> dict[str, tuple[str, ...]]:
    table = document.table("merge", required=True)
    return {axis: document.strings("merge", table, axis) for axis in table}


def _tiers(document: Document) -> tuple[tuple[str, ...], dict[str, int]]:
    table = document.table("tiers", required=True)
    order = document.strings("tiers", table, "order")
    shown = document.inner("tiers", table, "max_shown")
    for tier in order:
        limit = shown.get(tier)
        if not isinstance(limit, int) or limit < 0:
            document.refuse(f"tiers.max_shown.{tier}", "is missing: say how many texts it may show")
    return order, dict(shown)


def _actions(document: Document, merge: Mapping[str, tuple[str, ...]]) -> list[Action]:
    made = []
    for name, table in document.named("action", required=True):
        key = f"action.{name}"
        out = {axis: table[axis] for axis in merge if axis in table}
        parse_rule.check_out(document, key, out, merge)
        text = {lang: document.text(key, table, lang) for lang in LANGUAGES}
        made.append(Action(id=name, out=out, text=text))
    return made


def _questions(
    document: Document,
    actions: Mapping[str, Action],
    sources: Mapping[str, Source],
    merge: Mapping[str, tuple[str, ...]],
) -> list[Question]:
    document.ids("screen")
    exercises = document.ids("exercise")
    made = []
    for key, table in document.tables("screen"):
        for name in ("if_yes", "if_unsure"):
            if not isinstance(table.get(name), str) or table[name] not in actions:
                document.refuse(
                    f"{key}.{name}",
                    f"{table.get(name)!r} is no action: use one of {', '.join(actions)}",
                )
        override = document.inner(key, table, "override")
        parse_rule.check_out(document, f"{key}.override", override, merge)
        cited = document.strings(key, table, "sources")
        parse_rule.check_sources(document, key, cited, sources)
        avoid = document.strings(key, table, "avoid")
        for name in avoid:
            if name not in exercises:
                document.refuse(f"{key}.avoid", f"{name!r} is no [[exercise]]: correct it")
        made.append(
            Question(
                id=table["id"],
                group=str(table.get("group", "")),
                if_yes=table["if_yes"],
                if_unsure=table["if_unsure"],
                text={lang: document.text(key, table, lang) for lang in LANGUAGES},
                sources=cited,
                override=dict(override),
                lasting=bool(table.get("lasting", False)),
                seed=bool(table.get("seed", False)),
                avoid=avoid,
            )
        )
    return made


def _thresholds(document: Document, sources: Mapping[str, Source]) -> dict[str, Any]:
    document.ids("threshold")
    values = {}
    for key, table in document.tables("threshold"):
        if "value" not in table:
            document.refuse(f"{key}.value", "is missing: give the threshold a value")
        parse_rule.check_sources(document, key, document.strings(key, table, "sources"), sources)
        values[table["id"]] = table["value"]
    return values
