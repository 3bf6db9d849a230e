# SPDX-License-Identifier: Apache-2.0
"""Advice as cards: text, reason, sources with certainty, the wearer's own numbers beside it.

`because` is found by asking again without a group of facts: if the card would then not be shown,
or would say something else, that group changed the advice.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tracker.advice.engine import Advice, Claim, Shown, evaluate
from tracker.advice.model import Rules
from tracker.advice.phrases import PHRASES
from tracker.advice.profiles import DEFAULT

# What stands beside every massage/training card, and the facts it is made of.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "sitting": ("sit_h_day_7d", "sit_bouts60_day_7d", "slouch_share_7d"),
    "longest_sit": ("longest_sit_min_7d",),
    "shifts": ("shifts_per_h_7d",),
    "training": (
        "train_per_week_28d",
        "train_recognised_28d",
        "train_weeks_on_plan",
        "train_load_ratio",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """One source under a card. `certainty` is "" where the rule base does not say."""

    id: str
    title: str
    year: int
    ref: str
    certainty: str
    verify: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnNumber:
    """A number of the wearer beside the card; `value` is None where it is not known.

    `id` is a key of GROUPS or "recognised"; units: h a day, minutes, changes an hour, training
    days a week (told or confirmed; recognised by the sensor).
    """

    id: str
    value: float | None
    told: bool
    changed_advice: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One piece of advice, ready to draw. `explain` names a picture ("mast") or is ""."""

    id: str
    tier: str
    title: str
    text: str
    reason: str
    sources: tuple[SourceLine, ...]
    because: tuple[str, ...]
    beside: tuple[OwnNumber, ...]
    told: bool
    explain: str
    worn_time_only: bool = False  # sitting holds "during the time worn", not for whole days


def cards_of(
    rules: Rules,
    facts: Mapping[str, Any],
    profile: str = DEFAULT,
    lang: str = "en",
    *,
    told: Collection[str] = (),
    claim: Claim | None = None,
) -> tuple[Card, ...]:
    """One card per shown text, in the order of the evaluation."""
    advice = evaluate(rules, facts, profile, lang, told=told, claim=claim)
    without = {
        group: evaluate(
            rules, {k: v for k, v in facts.items() if k not in ids}, profile, lang, claim=claim
        )
        for group, ids in GROUPS.items()
        if any(facts.get(i) is not None for i in ids)
    }
    return tuple(
        _card(rules, shown, advice, without, facts, frozenset(told)) for shown in advice.shown
    )


def _card(
    rules: Rules,
    shown: Shown,
    advice: Advice,
    without: Mapping[str, Advice],
    facts: Mapping[str, Any],
    told: frozenset[str],
) -> Card:
    rule = shown.rule
    because = tuple(g for g, other in without.items() if _differs(shown, advice, other))
    return Card(
        id=rule.id,
        tier=rule.tier,
        title=rule.title.get(advice.lang, ""),
        text=shown.text,
        reason=shown.reason,
        sources=source_lines(rules, rule.sources, advice.lang),
        because=because,
        beside=(
            *(
                OwnNumber(
                    id=group,
                    value=facts.get(ids[0]),
                    told=ids[0] in told,
                    changed_advice=group in because,
                )
                for group, ids in GROUPS.items()
            ),
            OwnNumber(
                id="recognised",
                value=facts.get("train_recognised_28d"),
                told=False,
                changed_advice=False,
            ),
        ),
        told=shown.told,
        explain=rule.explain,
        worn_time_only=facts.get("whole_day_wear") is False,
    )


def source_lines(rules: Rules, ids: Collection[str], lang: str) -> tuple[SourceLine, ...]:
    """Sources by id, as pages and reports print them."""
    return tuple(
        SourceLine(
            id=s.id,
            title=s.named(lang),
            year=s.year,
            ref=s.ref,
            certainty=s.certainty,
            verify=s.verify,
        )
        for s in (rules.sources[i] for i in ids)
    )


def _differs(shown: Shown, advice: Advice, other: Advice) -> bool:
    """Whether the card would be missing or made of other sentences (its numbers may differ)."""
    twin = next((s for s in other.shown if s.rule.id == shown.rule.id), None)
    return twin is None or twin.parts != shown.parts


def one_change(cards: Collection[Card]) -> Card | None:
    """The one change to try this week: the first habit, else the main advice."""
    for tier in ("habit", "main"):
        found = next((c for c in cards if c.tier == tier), None)
        if found:
            return found
    return None


def signoff(rules: Rules, lang: str) -> str:
    """What pages, reports and exports print about clinical review; nobody is named who is not."""
    if rules.signoff:
        return PHRASES["reviewed"][lang].format(who=rules.signoff)
    return PHRASES["not_reviewed"][lang]
