# SPDX-License-Identifier: Apache-2.0
"""The safety list: what was answered, what it leads to today, what must be asked again.

Two modes (`evidence.md` 3). `static` (wellness): the list is information with one confirmation;
anything else leads to "ask your doctor first". `interactive` (clinic): question by question.
A clean list is never called "all clear": it says that nothing on it applies today.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tracker.advice.engine import active, merged
from tracker.advice.model import Question, Rules

ANSWERS = ("yes", "no", "unsure")
STATIC = "STATIC"
"""The item that stands for the whole list in static mode; it can be discussed like a question."""
_MASSAGE_CLOSED = frozenset({"stop", "not_now", "ask_first"})
_TRAINING_CLOSED = frozenset({"stop", "pause"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """One confirmation of the list. Static mode knows `none_applies` only, no answers."""

    day: date
    mode: str = "static"
    none_applies: bool = False
    answers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discussed:
    """A point that was discussed with a doctor: on which day, and what they said."""

    item: str
    day: date
    massage: bool
    training: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """What the safety list means today. `open_items` are the points that still restrict.

    `avoid_exercises` leave the programme, also after a talk about massage and training.
    `expires_in_days` is None when the list was never confirmed; below 0 it has expired.
    """

    facts: Mapping[str, Any]
    out: Mapping[str, str]
    open_items: tuple[str, ...]
    discussed: tuple[str, ...]
    expires_in_days: int | None
    avoid_exercises: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconfirm:
    """What a re-confirmation shows: lasting points as remembered, passing ones to ask again."""

    remembered: tuple[str, ...]
    ask_again: tuple[str, ...]


def questions(rules: Rules, lang: str, *, seed_only: bool = False) -> list[tuple[str, str, str]]:
    """(id, group, text) of every question; `seed_only`: those the source article names."""
    return [
        (q.id, q.group, q.text[lang]) for q in rules.questions.values() if q.seed or not seed_only
    ]


def screened(
    rules: Rules,
    latest: Screening | None,
    today: date,
    *,
    discussed: Iterable[Discussed] = (),
    new_symptom_day: date | None = None,
) -> Screened:
    """The state of the safety list on a day.

    `new_symptom_day`: a new-symptom entry after the confirmation makes the list count as never
    confirmed (threshold T_SCREEN_MAX_AGE_D). A talk counts for T_DISCUSSED_D days, and never for
    an emergency.
    """
    if latest is None:
        return Screened(
            facts={"screen_actions": [], "massage_allowed": False, "training_allowed": True},
            out={},
            open_items=(),
            discussed=(),
            expires_in_days=None,
        )
    talks = {d.item: d for d in sorted(discussed, key=lambda d: d.day) if _counts(rules, d, today)}
    tokens: list[str] = []
    open_items: list[str] = []
    settled: list[str] = []
    for item, token, action in _active(rules, latest):
        talk = talks.get(item)
        if talk is None or action == "emergency":
            tokens.append(token)
            open_items.append(item)
            continue
        settled.append(item)
        replaced = _after_talk(talk)
        if replaced:
            tokens.append(replaced)
    _, outputs = active(rules, tokens)
    out = merged(rules, outputs)
    limit = int(_threshold(rules, "T_SCREEN_MAX_AGE_D", 30))
    age = (today - latest.day).days
    stale = new_symptom_day is not None and new_symptom_day > latest.day
    facts: dict[str, Any] = {
        "screen_actions": sorted(set(tokens)),
        "massage_allowed": not stale
        and 0 <= age <= limit
        and out.get("massage") not in _MASSAGE_CLOSED,
        "training_allowed": out.get("training") not in _TRAINING_CLOSED,
    }
    if not stale:
        facts["screen_age_days"] = max(age, 0)
    return Screened(
        facts=facts,
        out=out,
        open_items=tuple(open_items),
        discussed=tuple(settled),
        expires_in_days=None if stale else limit - age,
        avoid_exercises=_avoided(rules, (*open_items, *settled)),
    )


def _avoided(rules: Rules, points: Iterable[str]) -> frozenset[str]:
    """Exercises that leave the programme for these points.

    The static list does not say which point applies, so each exercise that any point excludes
    leaves.
    """
    named = set(points)
    asked = rules.questions if STATIC in named else named & rules.questions.keys()
    return frozenset(e for i in asked for e in rules.questions[i].avoid)


def _counts(rules: Rules, talk: Discussed, today: date) -> bool:
    """Whether a talk still counts today."""
    return 0 <= (today - talk.day).days <= int(_threshold(rules, "T_DISCUSSED_D", 90))


def may_discuss(rules: Rules, item: str, answer: str = "yes") -> bool:
    """Whether a point may be marked as discussed: never where the answer means an emergency."""
    if item == STATIC:
        return True
    question = rules.questions.get(item)
    return question is not None and _action(question, answer) != "emergency"


def reconfirm(rules: Rules, latest: Screening) -> Reconfirm:
    """What to show when the list must be confirmed again: changes only."""
    positive = [i for i, a in latest.answers.items() if a != "no" and i in rules.questions]
    return Reconfirm(
        remembered=tuple(i for i in positive if rules.questions[i].lasting),
        ask_again=tuple(i for i in positive if not rules.questions[i].lasting),
    )


def reconfirmed(
    rules: Rules, latest: Screening, day: date, changes: Mapping[str, str]
) -> Screening:
    """The new confirmation: old answers with the changes laid over them.

    Raises ValueError where a passing point of `reconfirm` was not answered again, and for an
    unknown question or answer.
    """
    for item, answer in changes.items():
        if item not in rules.questions or answer not in ANSWERS:
            raise ValueError(f"{item}={answer!r}: no such question or answer")
    missing = [i for i in reconfirm(rules, latest).ask_again if i not in changes]
    if missing:
        raise ValueError(f"not answered again: {', '.join(missing)}")
    return Screening(day=day, mode=latest.mode, answers={**latest.answers, **changes})


def _active(rules: Rules, latest: Screening) -> list[tuple[str, str, str]]:
    """(item, token for the facts, action) of each point that restricts."""
    if latest.mode == "static":
        return [] if latest.none_applies else [(STATIC, "doctor_first", "doctor_first")]
    made = []
    for item, answer in latest.answers.items():
        question = rules.questions.get(item)
        if question is None or answer == "no":
            continue
        action = _action(question, answer)
        suffix = ":unsure" if answer == "unsure" else ""
        made.append((item, f"{item}{suffix}" if question.override else action, action))
    return made


def _action(question: Question, answer: str) -> str:
    return question.if_unsure if answer == "unsure" else question.if_yes


def _after_talk(talk: Discussed) -> str:
    """The action that stands in for a discussed point; "" when both are fine."""
    return {
        (True, True): "",
        (False, True): "discussed_no_massage",
        (True, False): "discussed_no_training",
        (False, False): "discussed_neither",
    }[talk.massage, talk.training]


def _threshold(rules: Rules, name: str, default: float) -> float:
    found = (t["value"] for t in rules.document.get("threshold", []) if t["id"] == name)
    return float(next(found, default))
