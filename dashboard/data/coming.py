# SPDX-License-Identifier: Apache-2.0
"""What will come and when, and what today is good for: so that a day without news says something.

Exposures are answered with the same estimator and gates as massages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.data import advice, diary, series
from dashboard.data import told as told_data
from dashboard.data.gate import gate
from dashboard.data.sources import Sources
from tracker.advice.load import packaged
from tracker.advice.progress import Known, Milestone, list_note, milestones, next_up
from tracker.diary import Person
from tracker.prompt_choice import work_window
from tracker.trends import diaries, episodes, exposure, outlook
from tracker.trends.week import usable, weeks
from tracker.units import local_date

ONE_CHANGE = "day7"  # the milestone with which one change to try is offered


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """What there is and what will come.

    next_up    of `milestones`, the next
    news       the next number or picture, counted against what it needs
    list_note  key and values of the sentence about the safety list, if it needs one
    window     the day after a massage, while it is a good moment for a short session
    """

    milestones: Sequence[Milestone]
    next_up: Milestone | None
    news: outlook.Milestone | None
    list_note: tuple[str, Mapping[str, Any]] | None
    window: episodes.Window | None

    @property
    def offers_change(self) -> bool:
        """Whether the first week is there, with which one change to try is offered."""
        return any(m.id == ONE_CHANGE and m.ready for m in self.milestones)


def coming(
    src: Sources, viewer: Person, wearer: str, tz: ZoneInfo, advised: advice.Advised
) -> Coming:
    """What will come after what was advised today."""
    gate(src).may_see(viewer, wearer, "advice")
    today = local_date(src.clock.now_ns(), tz)
    rules, context = packaged(), advised.context
    massages = diary.massages(src, viewer, wearer)
    days = series.summaries(
        src, viewer, wearer, today - timedelta(days=advice.HISTORY_D), today, tz
    )
    first = min(days, default=today)
    known = Known(
        first_day=first,
        valid_days=sum(s.valid_day for s in days.values()),
        diary_days=context.diary_days,
        diary_days_14d=int(str(advised.facts.get("diary_days_14d", 0))),
        massages=len(massages),
        training_weeks=max(0, (today - first) // timedelta(days=7)),
        start_answered=told_data.start_of(src, viewer, wearer) is not None,
        screening_expires_in_days=advised.screened.expires_in_days,
    )
    outcome = advice.effect_outcome(src, viewer)
    window = work_window(viewer)
    told = diary.evenings(src, viewer, wearer)
    recent = {(today - timedelta(days=i)).isoformat() for i in range(7)}
    what = outlook.outlook(
        today=today,
        usable_days=sum(usable(d, s, window) for d, s in days.items()),
        valid_weeks=sum(w.valid for w in weeks(days, window, first=first, last=today)),
        diary_days_7d=len({e.day for e in told if e.tension is not None} & recent),
        progress=advice.massage_effect(src, viewer, wearer, tz, outcome).progress,
        diary_weeks=advice.training_effect_of(src, viewer, wearer, tz, outcome).weeks,
    )
    return Coming(
        milestones=milestones(rules, known, today),
        next_up=next_up(rules, known, today),
        news=outlook.next_news(what),
        list_note=list_note(known),
        window=episodes.session_window(
            massages,
            tz,
            today=today,
            training_allowed=bool(advised.screened.facts.get("training_allowed", True)),
            trained=diaries.training_days(diary.trainings(src, viewer, wearer), tz),
        ),
    )


def exposures(
    src: Sources, viewer: Person, wearer: str, tz: ZoneInfo, outcome: advice.Outcome = "tension"
) -> Mapping[str, exposure.ExposureResult]:
    """Long-sitting days and evenings, active breaks and evenings: what may be said of each."""
    gate(src).may_see(viewer, wearer, "sitting")
    today = local_date(src.clock.now_ns(), tz)
    first = today - timedelta(days=advice.HISTORY_D)
    days = series.summaries(src, viewer, wearer, first, today, tz)
    evenings = diary.evenings(src, viewer, wearer)
    kinds = {
        "long_sitting": exposure.long_sitting_days(days),
        "active_breaks": exposure.active_break_days(days),
    }
    return {
        name: exposure.published_exposure(
            diaries.exposure_series(evenings, exposed, today=today, outcome=outcome)
        )
        for name, exposed in kinds.items()
    }
