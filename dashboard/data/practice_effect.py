# SPDX-License-Identifier: Apache-2.0
"""Does it help this patient? For the therapist: what is shared, and the pooled view of a practice.

Pooling needs the clinic profile and five people of this therapist who each agreed to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from dashboard.data import patient_report, practice
from dashboard.data.gate import gate
from dashboard.data.people import profile_of
from dashboard.data.sources import Sources, records
from tracker.access import SHARED_SCOPES
from tracker.diary import Evening, Kind, Massage, Person, Training
from tracker.trends import diaries, nof1, training_effect
from tracker.trends.diaries import Outcome
from tracker.trends.pooling import CONSENT, pooled


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientEffect:
    """Results of one patient's own diary; parts that are not shared are None or empty.

    pooled  posterior among `people` who agreed to be pooled, in the clinic profile alone
    """

    outcome: Outcome
    ratings: Mapping[date, int]
    booked: Sequence[date]
    massage: nof1.Result | None
    training: training_effect.TrainingResult | None
    pooled: nof1.Posterior | None = None
    people: int = 0


def patient_effect(src: Sources, viewer: Person, wearer: str) -> PatientEffect | None:
    """Effect card and episodes of a patient; None where no rating is shared."""
    scopes = gate(src).shared(viewer, wearer) & SHARED_SCOPES
    who = practice.patient_of(src, viewer, wearer, scopes)
    outcome = _outcome(src, viewer, scopes)
    if outcome is None:
        return None
    ratings = diaries.ratings_by_day(_evenings(src, who), outcome)
    trained = None
    if "training" in scopes and ratings:
        days = diaries.training_days(_told(src, who), who.zone)
        weekly = training_effect.weekly(ratings, days, min(ratings), who.today)
        trained = training_effect.published_training_effect(*weekly)
    if "massage" not in scopes:
        return PatientEffect(
            outcome=outcome, ratings=ratings, booked=(), massage=None, training=trained
        )
    found = _pooled(src, viewer, wearer, outcome)
    return PatientEffect(
        outcome=outcome,
        ratings=ratings,
        booked=sorted(diaries.massage_days(_massages(src, who), who.zone)),
        massage=_result(src, who, outcome),
        training=trained,
        pooled=found[0],
        people=found[1],
    )


def _outcome(src: Sources, viewer: Person, scopes: frozenset[str]) -> Outcome | None:
    if profile_of(src, viewer) == "clinic" and "pain" in scopes:
        return "pain"
    return "tension" if "tension" in scopes else None


def _pooled(
    src: Sources, viewer: Person, wearer: str, outcome: Outcome
) -> tuple[nof1.Posterior | None, int]:
    """The posterior of this patient among those who agreed; (None, 0) where there is none."""
    kept = records(src)
    if kept is None or profile_of(src, viewer) != "clinic":
        return None, 0
    estimates = {}
    for other, scopes in practice.patients(src, viewer).items():
        person = kept.person_of(other)
        agreed = person is not None and person.settings.get(CONSENT) is True
        if agreed and {"massage", str(outcome)} <= scopes:
            who = practice.patient_of(src, viewer, other, scopes & SHARED_SCOPES)
            found = _result(src, who, outcome).short
            if found is not None:
                estimates[other] = found
    together = pooled(list(estimates.values()))
    if together is None or wearer not in estimates:
        return None, 0
    return together.each[list(estimates).index(wearer)], together.people


def _result(src: Sources, who: practice.Patient, outcome: Outcome) -> nof1.Result:
    series = diaries.massage_series(
        _evenings(src, who), _massages(src, who), who.zone, outcome=outcome, today=who.today
    )
    return nof1.published(series)


def _evenings(src: Sources, who: practice.Patient) -> list[Evening]:
    return patient_report.told(src, who, Kind.EVENING, Evening)


def _massages(src: Sources, who: practice.Patient) -> list[Massage]:
    return patient_report.told(src, who, Kind.MASSAGE, Massage)


def _told(src: Sources, who: practice.Patient) -> list[Training]:
    return patient_report.told(src, who, Kind.TRAINING, Training)
