# SPDX-License-Identifier: Apache-2.0
"""One `[[rule]]` -> `Rule` as it holds in a profile, with every reference checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tracker.advice import profiles
from tracker.advice.document import Document
from tracker.advice.model import (
    LANGUAGES,
    TRAINING_ACTIVE,
    Action,
    Addition,
    Input,
    Rule,
    Source,
    When,
)
from tracker.advice.parse_when import WhenParser
from tracker.advice.wording import fill, placeholders

_KEYS = frozenset(
    {"id", "tier", "p", "profile", "safety_stop", "when", "out", "halt", "suppress", "explain"}
    | {"sources", "text_from", "note", "add", "wellness", "clinic"}
) | {
    f"{stem}{lang}"
    for stem in ("", "reason_", "title_", "add_massage_", "no_massage_")
    for lang in LANGUAGES
}
# What pages and the engine add to the inputs of a text; `claim_text` comes from `evidence.md` 5.7.
DERIVED = {"claim_text": "text", "per_day": "text"}
_SAMPLE = {"int": 3, "float": 3.5, "bool": "x", "enum": "x", "set": "x", "text": "x"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """What rules refer to."""

    document: Document
    sources: Mapping[str, Source]
    inputs: Mapping[str, Input]
    actions: Mapping[str, Action]
    merge: Mapping[str, tuple[str, ...]]
    tiers: tuple[str, ...]
    conditions: WhenParser

    def rules(self, profile: str) -> tuple[Rule, ...]:
        """The rules of a profile, in the order they are evaluated: tier, then `p`."""
        self.document.ids("rule")
        made = []
        for key, table in self.document.tables("rule", required=True):
            rule = self._rule(key, {**table, **self.document.inner(key, table, profile)})
            if profiles.keeps(profile, rule):
                made.append(rule)
        return tuple(sorted(made, key=lambda r: (self.tiers.index(r.tier), r.p)))

    def _rule(self, key: str, table: Mapping[str, Any]) -> Rule:
        document = self.document
        for name in table:
            if name not in _KEYS:
                document.refuse(f"{key}.{name}", "is no key of a rule: remove or correct it")
        tier, p = self._place(key, table)
        if "when" not in table:
            document.refuse(f"{key}.when", "is missing: write when.all = [] for a rule of always")
        when = self.conditions.when(f"{key}.when", table["when"])
        out = table.get("out", {})
        check_out(document, f"{key}.out", out, self.merge)
        cited = document.strings(key, table, "sources")
        if not cited:
            document.refuse(f"{key}.sources", "is empty: name at least one source")
        check_sources(document, key, cited, self.sources)
        texts = self._texts(key, table)
        additions = self._additions(key, table)
        return Rule(
            id=table["id"],
            tier=tier,
            p=p,
            when=when,
            out=dict(out),
            sources=cited,
            text=texts[""],
            reason=texts["reason_"],
            halt=bool(table.get("halt", False)),
            suppress=self._suppress(key, table, tier),
            explain=self._explain(key, table),
            text_from=self._text_from(key, table),
            safety_stop=bool(table.get("safety_stop", False)),
            profiles=self._profiles(key, table),
            title=texts["title_"],
            add_massage=texts["add_massage_"],
            no_massage=texts["no_massage_"],
            additions=additions,
            reads=_reads(when, texts, additions),
            recommends=_recommends(when, out),
        )

    def _place(self, key: str, table: Mapping[str, Any]) -> tuple[str, float]:
        tier, p = table.get("tier"), table.get("p")
        if not isinstance(tier, str) or tier not in self.tiers:
            self.document.refuse(
                f"{key}.tier", f"{tier!r} is no tier: use one of {', '.join(self.tiers)}"
            )
        if not isinstance(p, int | float) or isinstance(p, bool):
            self.document.refuse(f"{key}.p", "is missing or no number: give the rule its place")
        return tier, p

    def _suppress(self, key: str, table: Mapping[str, Any], tier: str) -> frozenset[str]:
        names = self.document.strings(key, table, "suppress")
        for name in names:
            if name not in self.tiers:
                self.document.refuse(
                    f"{key}.suppress", f"{name!r} is no tier: use one of {', '.join(self.tiers)}"
                )
            if self.tiers.index(name) <= self.tiers.index(tier):
                self.document.refuse(
                    f"{key}.suppress",
                    f"makes a cycle: {tier} cannot silence {name}, which is not evaluated after "
                    "it: name later tiers only",
                )
        return frozenset(names)

    def _profiles(self, key: str, table: Mapping[str, Any]) -> tuple[str, ...]:
        names = profiles.named(table.get("profile"))
        for name in names:
            if name not in profiles.PROFILES:
                self.document.refuse(
                    f"{key}.profile",
                    f"{name!r} is no profile: use {' or '.join(profiles.PROFILES)}",
                )
        return names

    def _text_from(self, key: str, table: Mapping[str, Any]) -> str:
        name = str(table.get("text_from", ""))
        if name not in {"", "claim_text"}:
            self.document.refuse(f"{key}.text_from", f"{name!r} does not exist: use claim_text")
        return name

    def _explain(self, key: str, table: Mapping[str, Any]) -> str:
        name = str(table.get("explain", ""))
        if name and name not in self.document.table("explanation"):
            self.document.refuse(
                f"{key}.explain", f"no [explanation.{name}]: add it or remove this"
            )
        return name

    def _texts(self, key: str, table: Mapping[str, Any]) -> dict[str, dict[str, str]]:
        made: dict[str, dict[str, str]] = {}
        for stem in ("", "reason_", "title_", "add_massage_", "no_massage_"):
            if stem in {"", "reason_"} or any(f"{stem}{lang}" in table for lang in LANGUAGES):
                made[stem] = {
                    lang: self.document.text(key, table, f"{stem}{lang}") for lang in LANGUAGES
                }
            else:
                made[stem] = {}
            for lang, text in made[stem].items():
                self.check_text(f"{key}.{stem}{lang}", text)
        return made

    def _additions(self, key: str, table: Mapping[str, Any]) -> tuple[Addition, ...]:
        parts = table.get("add", [])
        if not isinstance(parts, list) or not all(isinstance(p, dict) for p in parts):
            self.document.refuse(f"{key}.add", "is no list of tables: write each as [[rule.add]]")
        return tuple(self._addition(f"{key}.add[{n}]", p) for n, p in enumerate(parts))

    def _addition(self, key: str, table: Mapping[str, Any]) -> Addition:
        text = {lang: self.document.text(key, table, lang) for lang in LANGUAGES}
        for lang, sentence in text.items():
            self.check_text(f"{key}.{lang}", sentence)
        return Addition(when=self.conditions.when(f"{key}.when", table.get("when", {})), text=text)

    def check_text(self, key: str, text: str) -> None:
        """Refuse a text whose placeholders are not inputs or do not fit their format."""
        for name, spec in placeholders(text):
            kind = self.inputs[name].kind if name in self.inputs else DERIVED.get(name)
            if kind is None:
                self.document.refuse(
                    key, f"the placeholder {{{name}}} is no declared input: declare or correct it"
                )
            try:
                fill(f"{{x:{spec}}}", {"x": _SAMPLE[kind]}, "en")
            except ValueError:
                self.document.refuse(
                    key, f"the format {spec!r} does not fit {{{name}}}, a {kind}: correct it"
                )


def check_out(document: Document, key: str, out: Any, merge: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse an output that `[merge]` does not rank."""
    if not isinstance(out, dict):
        document.refuse(key, 'is no table: write { massage = "...", training = "..." }')
    for axis, value in out.items():
        if axis not in merge:
            document.refuse(f"{key}.{axis}", f"is no output: use {', '.join(merge)}")
        if value not in merge[axis]:
            document.refuse(
                f"{key}.{axis}", f"{value!r} is not in [merge]: use {', '.join(merge[axis])}"
            )


def check_sources(
    document: Document, key: str, cited: tuple[str, ...], sources: Mapping[str, Source]
) -> None:
    """Refuse a citation of a source that does not exist."""
    for name in cited:
        if name not in sources:
            document.refuse(
                f"{key}.sources",
                f"the source {name!r} does not exist: add a [[source]] with this id or correct it",
            )


def _reads(
    when: When, texts: Mapping[str, Mapping[str, str]], additions: tuple[Addition, ...]
) -> frozenset[str]:
    """Every fact a rule looks at: in its conditions and in the texts it may print."""
    asked = {c.input for w in (when, *(a.when for a in additions)) for c in w.conditions}
    printed = [t for stem in texts.values() for t in stem.values()]
    printed += [t for a in additions for t in a.text.values()]
    return frozenset(asked | {name for text in printed for name, _ in placeholders(text)})


def _recommends(when: When, out: Mapping[str, str]) -> frozenset[str]:
    """What a rule's text encourages: its outputs say so, or that it asks for permission."""
    needs = {c.input for c in when.all if c.op == "==" and c.value is True}
    made = set()
    if out.get("massage") == "suggest" or "massage_allowed" in needs:
        made.add("massage")
    if out.get("training") in TRAINING_ACTIVE or "training_allowed" in needs:
        made.add("training")
    return frozenset(made)
