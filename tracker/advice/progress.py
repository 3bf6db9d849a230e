# SPDX-License-Identifier: Apache-2.0
"""What there is to see today, and what will come when: no day is silent.

Day 1: advice from the one-minute start. Day 7: usual longest sit, problem hour, sessions x of y,
one change to try. Day 30: change against the own baseline, every massage episode, what is missing
for an answer. Texts: keys of `advice.progress` in the catalogues.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tracker.advice.model import Rules

VALID_DAYS_WEEK = 3  # T_VALID_WORKDAY.days; `product.md` 6.6
DIARY_DAYS = 5  # rule R13
BASELINE_DAYS = 10  # personal baseline: first ten valid days; `product.md` 6.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What has been collected so far."""

    first_day: date
    valid_days: int = 0
    diary_days: int = 0
    diary_days_14d: int = 0
    massages: int = 0
    training_weeks: int = 0
    start_answered: bool = False
    screening_expires_in_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """One thing that is there or will come.

    `key` with `values` is a sentence of the catalogue; `due` is the day it can be there at the
    earliest (None: it is there, or depends on entries alone).
    """

    id: str
    ready: bool
    key: str
    values: Mapping[str, Any]
    due: date | None


def milestones(rules: Rules, known: Known, today: date) -> tuple[Milestone, ...]:
    """Everything in the order it comes, what is ready and what is missing for the rest."""
    gate = rules.document.get("gate", {})
    massage, training = gate.get("massage", {}), gate.get("training", {})
    return (
        *_start(known, today),
        _of(
            "personal",
            max(0, DIARY_DAYS - known.diary_days_14d),
            today + timedelta(days=max(0, DIARY_DAYS - known.diary_days_14d)),
            today,
            {},
        ),
        _of(
            "day7",
            max(0, VALID_DAYS_WEEK - known.valid_days),
            known.first_day + timedelta(days=7),
            today,
            {"days": min(known.valid_days, VALID_DAYS_WEEK), "needed": VALID_DAYS_WEEK},
        ),
        _of(
            "day30",
            max(0, BASELINE_DAYS - known.valid_days),
            known.first_day + timedelta(days=30),
            today,
            {"days": min(known.valid_days, BASELINE_DAYS), "needed": BASELINE_DAYS},
        ),
        _answer(
            "massage_answer",
            known.massages,
            int(massage.get("min_massages", 6)),
            known.diary_days,
            int(massage.get("min_days", 84)),
        ),
        _answer(
            "training_answer",
            known.training_weeks,
            int(training.get("min_weeks", 16)),
            known.diary_days,
            7 * int(training.get("min_weeks", 16)),
        ),
        _evaluation(
            int(rules.document.get("analysis", {}).get("evaluate_every_days", 28)), known, today
        ),
    )


def next_up(rules: Rules, known: Known, today: date) -> Milestone | None:
    """The next thing that will come: what a day without news says."""
    waiting = [m for m in milestones(rules, known, today) if not m.ready]
    dated = sorted((m for m in waiting if m.due), key=lambda m: m.due or date.max)
    return dated[0] if dated else (waiting[0] if waiting else None)


def list_note(known: Known) -> tuple[str, Mapping[str, Any]] | None:
    """(key, values) of the sentence about the safety list, if it is missing or runs out soon."""
    left = known.screening_expires_in_days
    if left is None:
        return "advice.progress.list_missing", {}
    if left < 0:
        return "advice.progress.list_expired", {}
    return ("advice.progress.list_soon", {"n": left}) if left <= 3 else None


def _start(known: Known, today: date) -> tuple[Milestone, ...]:
    """The one-minute start, today, while the diary says less than its answers would."""
    if not known.start_answered and known.diary_days_14d >= DIARY_DAYS:
        return ()
    ready = known.start_answered
    return (
        Milestone(
            id="start",
            ready=ready,
            key=f"advice.progress.start_{'ready' if ready else 'coming'}",
            values={},
            due=None if ready else today,
        ),
    )


def _of(name: str, missing: int, due: date, today: date, values: Mapping[str, Any]) -> Milestone:
    ready = missing == 0 and due <= today
    word = "ready" if ready else "coming"
    return Milestone(
        id=name,
        ready=ready,
        key=f"advice.progress.{name}_{word}",
        values={"n": missing, **values},
        due=None if ready else max(due, today + timedelta(days=missing)),
    )


def _evaluation(every: int, known: Known, today: date) -> Milestone:
    """The next planned look at the results; there is always one (no peeking in between)."""
    passed = max(0, (today - known.first_day).days)
    return Milestone(
        id="evaluation",
        ready=False,
        key="advice.progress.evaluation_coming",
        values={"every": every},
        due=known.first_day + timedelta(days=every * (passed // every + 1)),
    )


def _answer(name: str, done: int, needed: int, days: int, days_needed: int) -> Milestone:
    ready = done >= needed and days >= days_needed
    return Milestone(
        id=name,
        ready=ready,
        key=f"advice.progress.{name}_{'ready' if ready else 'coming'}",
        values={
            "done": min(done, needed),
            "needed": needed,
            "days": min(days, days_needed),
            "days_needed": days_needed,
        },
        due=None,
    )
