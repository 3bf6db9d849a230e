# SPDX-License-Identifier: Apache-2.0
"""The one-minute start: something useful on day 1, marked as told and not measured.

Four questions (tension this week, training days a week, massages in the last four weeks, date of
the last one) and the safety list. The answers stand in for a diary for T_START_VALID_D days; each
is replaced as soon as it is known better.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from tracker.errors import InputError

RATE_WINDOW_D = 28
RATES = frozenset({"train_per_week_28d", "massages_28d"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Answers of the start; None means not answered, which is not 0."""

    day: date
    tension: int | None = None
    training_days_per_week: float | None = None
    massages_4_weeks: int | None = None
    last_massage: date | None = None


def check_start(start: Start, today: date) -> None:
    """Raise InputError for an answer that cannot be."""
    if start.day > today:
        raise InputError(f"the start is dated {start.day}, which is in the future: correct it")
    limits = (
        ("tension", start.tension, 10),
        ("training days a week", start.training_days_per_week, 7),
        ("massages in four weeks", start.massages_4_weeks, 56),
    )
    for name, value, high in limits:
        if value is not None and not 0 <= value <= high:
            raise InputError(f"{name}: {value} is not between 0 and {high}: correct it")
    if start.last_massage is not None and start.last_massage > start.day:
        raise InputError(
            f"the last massage is dated {start.last_massage}, after the start: correct it"
        )


def facts_from_start(start: Start, today: date) -> dict[str, Any]:
    """Facts as told on the day of the start; all of them are "told". Raises InputError."""
    check_start(start, today)
    facts: dict[str, Any] = {"start_age_days": (today - start.day).days}
    if start.tension is not None:
        facts["tension_mean_7d"] = float(start.tension)
    if start.training_days_per_week is not None:
        facts["train_per_week_28d"] = float(start.training_days_per_week)
    if start.massages_4_weeks is not None:
        facts["massages_28d"] = start.massages_4_weeks
    if start.last_massage is not None:
        facts["days_since_massage"] = (today - start.last_massage).days
    return facts


def with_start(
    measured: Mapping[str, Any], start: Start | None, today: date
) -> tuple[dict[str, Any], frozenset[str]]:
    """(facts, ids that rest on what was told): what is measured wins over what was told.

    Told answers end with T_START_VALID_D through rule R13, not here.
    """
    if start is None:
        return dict(measured), frozenset()
    told = facts_from_start(start, today)
    known = {k: v for k, v in measured.items() if v is not None}
    used = set(told) - set(known) - {"start_age_days"}
    # Rates over 28 days still rest on the told days before the start; see trends/diary_facts.py.
    if (today - start.day).days < RATE_WINDOW_D:
        used |= RATES & set(told)
    if (
        "days_since_massage" in told
        and known.get("days_since_massage") == told["days_since_massage"]
    ):
        used.add("days_since_massage")
    return {**told, **known}, frozenset(used)
