# SPDX-License-Identifier: Apache-2.0
"""What will come, and what is still missing for it: so that a day without news says something.

Each milestone counts what is there against what is needed. `earliest` is the first day on which it
can be reached if from now on every day brings what it needs; it is a bound, not a promise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from tracker.trends.baseline import BASELINE_DAYS, MIN_WEEKS
from tracker.trends.facts import MIN_WORKDAYS
from tracker.trends.nof1 import EVALUATE_EVERY_D, Gates, Progress
from tracker.trends.problem import MIN_DAYS
from tracker.trends.training_effect import TrainingGates


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """`id` names the text; `have` of `need` in the unit of the milestone."""

    id: str
    have: int
    need: int
    earliest: date

    @property
    def reached(self) -> bool:
        """Whether it is there."""
        return self.have >= self.need


def outlook(
    *,
    today: date,
    usable_days: int,
    valid_weeks: int,
    diary_days_7d: int,
    progress: Progress,
    diary_weeks: int,
    gates: Gates | None = None,
    training_gates: TrainingGates | None = None,
) -> tuple[Milestone, ...]:
    """All milestones in the order in which they can come."""
    rule = gates or Gates()
    training = training_gates or TrainingGates()
    weeks_left = max(MIN_WEEKS + 1 - valid_weeks, 0)
    # a claim needs two looks, 28 days apart, the first at the first multiple of 28 with the gates
    need_days = rule.min_days + EVALUATE_EVERY_D
    found = [
        _daily("week_numbers", usable_days, MIN_WORKDAYS, today),
        _daily("problem_hour", usable_days, MIN_DAYS, today),
        _daily("tension_mean", diary_days_7d, 4, today),
        _daily("baseline", usable_days, BASELINE_DAYS, today),
        Milestone(
            id="real_change",
            have=min(valid_weeks, MIN_WEEKS + 1),
            need=MIN_WEEKS + 1,
            earliest=today + timedelta(days=7 * weeks_left),
        ),
        _daily("massage_answer_days", progress.days, need_days, today),
        Milestone(
            id="massage_answer_massages",
            have=min(progress.events, rule.min_massages),
            need=rule.min_massages,
            earliest=today + timedelta(days=7 * max(rule.min_massages - progress.events, 0)),
        ),
        Milestone(
            id="training_answer",
            have=min(diary_weeks, training.min_weeks),
            need=training.min_weeks,
            earliest=today + timedelta(days=7 * max(training.min_weeks - diary_weeks, 0)),
        ),
    ]
    return tuple(sorted(found, key=lambda m: (m.earliest, m.need)))


def _daily(name: str, have: int, need: int, today: date) -> Milestone:
    return Milestone(
        id=name,
        have=min(have, need),
        need=need,
        earliest=today + timedelta(days=max(need - have, 0)),
    )


def next_news(milestones: tuple[Milestone, ...]) -> Milestone | None:
    """The first that is not reached yet."""
    return next((m for m in milestones if not m.reached), None)


def by_id(milestones: tuple[Milestone, ...]) -> Mapping[str, Milestone]:
    """Milestones by their id."""
    return {m.id: m for m in milestones}
