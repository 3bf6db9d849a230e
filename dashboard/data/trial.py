# SPDX-License-Identifier: Apache-2.0
"""Self-experiments of a wearer: the frozen plans, which one runs, its state and its reminders."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from zoneinfo import ZoneInfo

from dashboard.data import diary, diary_write
from dashboard.data.gate import gate
from dashboard.data.sources import Sources
from tracker.diary import Entry, Kind, Person
from tracker.trends import diaries, experiment_due
from tracker.trends.diaries import Outcome
from tracker.trends.experiment import Plan, summary
from tracker.units import from_ns, local_date

EVENING_FROM_H = 17


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """One plan as it was stored, and the day on which the wearer ended it early, if so."""

    plan: Plan
    ended: date | None


def experiments(src: Sources, viewer: Person, wearer: str) -> Sequence[Experiment]:
    """Every experiment, the newest last. What was drawn stays, whatever came of it."""
    found = diary.entries(src, viewer, wearer, [Kind.EXPERIMENT])
    ends = {str(e.body["end_of"]): date.fromisoformat(e.day) for e in found if "end_of" in e.body}
    plans = [_plan_of(e) for e in found if "coins" in e.body]
    return [Experiment(plan=p, ended=ends.get(p.digest)) for p in plans]


def running(src: Sources, viewer: Person, wearer: str) -> Plan | None:
    """The newest plan that was not ended; also after its last day, for its result."""
    found = experiments(src, viewer, wearer)
    return found[-1].plan if found and found[-1].ended is None else None


def save_experiment(src: Sources, viewer: Person, wearer: str, plan: Plan, tz: ZoneInfo) -> Entry:
    """Keep a plan with its coins, before the start."""
    gate(src).may_change(viewer, wearer, diary.SCOPE[Kind.EXPERIMENT])
    body: dict[str, object] = {**asdict(plan), "coins": list(plan.coins)}
    return diary_write.save_entry(src, viewer, wearer, Kind.EXPERIMENT, body, tz)


def end_experiment(src: Sources, viewer: Person, wearer: str, tz: ZoneInfo) -> None:
    """End the running experiment early; its plan and its days stay in the diary."""
    gate(src).may_change(viewer, wearer, diary.SCOPE[Kind.EXPERIMENT])
    plan = running(src, viewer, wearer)
    if plan is not None:
        body: dict[str, object] = {"end_of": plan.digest}
        diary_write.save_entry(src, viewer, wearer, Kind.EXPERIMENT, body, tz)


def experiment_state(
    src: Sources, viewer: Person, wearer: str, plan: Plan, tz: ZoneInfo
) -> dict[str, object]:
    """The facts of the summary (CENT): what was planned and done, the result after the end."""
    evenings = diary.evenings(src, viewer, wearer)
    massages = diary.massages(src, viewer, wearer)
    booked = set(plan.massage_days())
    return summary(
        plan,
        diaries.ratings_by_day(evenings, _outcome(plan)),
        today=local_date(src.clock.now_ns(), tz),
        massaged=diaries.massage_days(massages, tz),
        trained=diaries.training_days(diary.trainings(src, viewer, wearer), tz),
        painkiller_days=frozenset(date.fromisoformat(e.day) for e in evenings if e.painkiller),
        sore_mornings=sum(
            bool(m.sore_morning) for m in massages if local_date(m.at_ns, tz) in booked
        ),
    )


def experiment_reminder(
    src: Sources, viewer: Person, wearer: str, tz: ZoneInfo
) -> experiment_due.Reminder | None:
    """The reminder of the running experiment that is due now, for every channel that shows one."""
    plan = running(src, viewer, wearer)
    if plan is None:
        return None
    now = from_ns(src.clock.now_ns(), tz)
    told = diaries.ratings_by_day(diary.evenings(src, viewer, wearer), _outcome(plan))
    from_h = viewer.settings.get("evening_hour", EVENING_FROM_H)
    return experiment_due.due(
        plan,
        today=now.date(),
        massaged=diaries.massage_days(diary.massages(src, viewer, wearer), tz),
        rated=told.keys(),
        evening=isinstance(from_h, int) and now.hour >= from_h,
    )


def _outcome(plan: Plan) -> Outcome:
    return "pain" if plan.outcome == "pain" else "tension"


def _plan_of(entry: Entry) -> Plan:
    body = entry.body
    coins = body["coins"]
    assert isinstance(coins, list)  # noqa: S101 - written by save_experiment alone
    return Plan(
        question=str(body["question"]),
        outcome=str(body["outcome"]),
        first_day=str(body["first_day"]),
        coins=tuple(bool(c) for c in coins),
        massage_kind=str(body["massage_kind"]),
        massage_minutes=int(str(body["massage_minutes"])),
        written_ns=int(str(body["written_ns"])),
    )
