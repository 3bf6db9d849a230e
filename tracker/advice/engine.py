# SPDX-License-Identifier: Apache-2.0
"""Facts in, advice out: the evaluation order of `evidence.md` 4.2.

Tier, then `p`. A rule fires if all of `when.all`, one of `when.any` (if present) and none of
`when.none` hold. In tier `main` only the first firing rule counts. `halt` ends, `suppress` removes
later tiers. The outputs of fired rules and of active screening points are merged, most restrictive
first. What is *shown* is limited per tier, and a text that encourages what the merged output
forbids is replaced by the rule's `no_massage` text or withheld.

Deviation: a rule counts as encouraging massage or training not only by its output but also when it
asks for `massage_allowed` or `training_allowed`. So inconsistent facts (allowed, and at the same
time forbidden by the safety list) cannot bring a forbidden text to the screen.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tracker.advice.claims import Claim, claim_text
from tracker.advice.conditions import fires
from tracker.advice.model import LANGUAGES, MASSAGE_OPEN, TRAINING_CLOSED, Rule, Rules
from tracker.advice.phrases import PHRASES
from tracker.advice.profiles import DEFAULT, PROFILES
from tracker.advice.wording import fill

__all__ = ["Advice", "Claim", "Shown", "active", "claim_text", "evaluate", "merged"]
# Tiers whose texts tell what to do next; safety, gate and caution speak whatever is forbidden.
_ENCOURAGING = frozenset({"main", "habit", "insight"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One text on the screen. `parts` says which of the rule's sentences it is made of."""

    rule: Rule
    text: str
    reason: str
    told: bool
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """`main` is "" when no main rule won; `fired` holds every fired rule; `shown` what is shown."""

    main: str
    fired: tuple[str, ...]
    out: Mapping[str, str]
    shown: tuple[Shown, ...]
    lang: str

    @property
    def texts(self) -> tuple[str, ...]:
        """Each shown text with its reason on the next line."""
        why = PHRASES["why"][self.lang]
        return tuple(f"{s.text}\n{why.format(reason=s.reason)}" for s in self.shown)


def evaluate(
    rules: Rules,
    facts: Mapping[str, Any],
    profile: str = DEFAULT,
    lang: str = "en",
    *,
    told: Collection[str] = (),
    claim: Claim | None = None,
) -> Advice:
    """Advice for facts that `facts.check` accepted.

    `told`: ids of facts that the wearer told at the start and nobody measured. `claim`: numbers for
    the text of rules with `text_from`. Raises ValueError for an unknown profile or language.
    """
    if profile not in PROFILES or lang not in LANGUAGES:
        raise ValueError(f"profile {profile!r} or language {lang!r} is unknown")
    actions, outputs = active(rules, facts.get("screen_actions"))
    known = {**facts, "screen_actions": actions} if "screen_actions" in facts else dict(facts)
    fired = _fired(rules.by_profile[profile], known)
    out = merged(rules, [*(r.out for r in fired), *outputs])
    main = next((r.id for r in fired if r.tier == "main"), "")
    values = dict(known)
    scope = "per_day_worn" if known.get("whole_day_wear") is False else "per_day"
    values["per_day"] = PHRASES[scope][lang]
    shown = _shown(rules, fired, out, values, lang, frozenset(told), profile, claim)
    return Advice(main=main, fired=tuple(r.id for r in fired), out=out, shown=shown, lang=lang)


def active(
    rules: Rules, listed: Iterable[str] | None
) -> tuple[frozenset[str], list[Mapping[str, str]]]:
    """(actions, outputs) of the active screening points.

    An entry is an action, or a question (`MC06`, `MC06:unsure`) where its override matters.
    """
    actions: set[str] = set()
    outputs: list[Mapping[str, str]] = []
    for entry in listed or ():
        if entry in rules.actions:
            actions.add(entry)
            outputs.append(rules.actions[entry].out)
            continue
        name, _, answer = entry.partition(":")
        question = rules.questions[name]
        action = question.if_unsure if answer == "unsure" else question.if_yes
        actions.add(action)
        outputs.append({**rules.actions[action].out, **question.override})
    return frozenset(actions), outputs


def merged(rules: Rules, outputs: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The most restrictive value of each axis that any output names."""
    best: dict[str, str] = {}
    for output in outputs:
        for axis, value in output.items():
            ranks = rules.merge[axis]
            if axis not in best or ranks.index(value) < ranks.index(best[axis]):
                best[axis] = value
    return {axis: best[axis] for axis in rules.merge if axis in best}


def _fired(candidates: tuple[Rule, ...], facts: Mapping[str, Any]) -> list[Rule]:
    fired: list[Rule] = []
    silenced: set[str] = set()
    main_won = False
    for rule in candidates:
        if rule.tier in silenced or (main_won and rule.tier == "main"):
            continue
        if not fires(rule.when, facts):
            continue
        fired.append(rule)
        main_won = main_won or rule.tier == "main"
        silenced |= rule.suppress
        if rule.halt:
            break
    return fired


def _shown(
    rules: Rules,
    fired: list[Rule],
    out: Mapping[str, str],
    values: dict[str, Any],
    lang: str,
    told: frozenset[str],
    profile: str,
    claim: Claim | None,
) -> tuple[Shown, ...]:
    room = dict(rules.max_shown)
    shown = []
    for rule in fired:
        if not room.get(rule.tier, 0):
            continue
        if rule.text_from == "claim_text":
            text = claim_text(rules, str(values.get("massage_pattern", "")), profile, lang, claim)
            if not text:
                continue
            values = {**values, "claim_text": text}
        parts = _parts(rule, out, values, lang)
        if not parts:
            continue
        room[rule.tier] -= 1
        from_told = bool(told & rule.reads)
        reason = fill(rule.reason[lang], values, lang)
        if from_told:
            reason = PHRASES["told"][lang].format(reason=reason)
        shown.append(
            Shown(
                rule=rule,
                text=" ".join(fill(text, values, lang) for _, text in parts),
                reason=reason,
                told=from_told,
                parts=tuple(name for name, _ in parts),
            )
        )
    return tuple(shown)


def _parts(
    rule: Rule, out: Mapping[str, str], facts: Mapping[str, Any], lang: str
) -> list[tuple[str, str]]:
    """The sentences of a rule that the merged output allows, each with its name."""
    massage_open = out.get("massage") in MASSAGE_OPEN
    parts = [("text", rule.text[lang])]
    if rule.tier in _ENCOURAGING:
        if "training" in rule.recommends and out.get("training") in TRAINING_CLOSED:
            return []
        if "massage" in rule.recommends and not massage_open:
            if not rule.no_massage:
                return []
            parts = [("no_massage", rule.no_massage[lang])]
    if rule.add_massage and massage_open:
        parts.append(("add_massage", rule.add_massage[lang]))
    for n, addition in enumerate(rule.additions):
        if fires(addition.when, facts):
            parts.append((f"add[{n}]", addition.text[lang]))
    return parts
