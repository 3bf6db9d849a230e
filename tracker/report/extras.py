# SPDX-License-Identifier: Apache-2.0
"""What a report says beside its numbers: whether massage and training help, and the safety list.

The same published categories as on the page, evaluated on the report's last day, so that the paper
says what the page says. Everything stays inside the scopes of the report.
"""

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from tracker.advice import engine, screening, screening_entries
from tracker.advice.load import packaged
from tracker.diary import Entry
from tracker.report.i18n import Language
from tracker.report.report import Report
from tracker.trends import diaries, nof1, training_effect
from tracker.trends.claims import claim


def effect_lines(report: Report, lang: Language) -> Sequence[tuple[str, str]]:
    """Name and sentence of each effect; what was not shared is not evaluated."""
    if "tension" not in report.scopes:
        return ()
    lines = []
    if "massage" in report.scopes:
        lines.append((lang.t("effect.question.patient_massage"), _massage(report, lang)))
    if "training" in report.scopes:
        lines.append((lang.t("effect.question.patient_training"), _training(report, lang)))
    return lines


def _outcome(report: Report) -> diaries.Outcome:
    """Pain in the clinic profile where it is shared, else tension."""
    return "pain" if report.profile == "clinic" and "pain" in report.scopes else "tension"


def _massage(report: Report, lang: Language) -> str:
    outcome = _outcome(report)
    told = diaries.massage_series(
        report.evenings,
        report.massages,
        ZoneInfo(report.subject.zone),
        outcome=outcome,
        today=report.last,
    )
    result = nof1.published(told)
    made = claim(result)
    values = {
        name: value
        for name in ("m", "lo", "hi", "lower", "higher", "massages_done", "days_done")
        if (value := getattr(made, name)) is not None
    }
    said = engine.claim_text(
        packaged(),
        str(result.category),
        report.profile,
        lang.code,
        engine.Claim(outcome=outcome, values=values),
    )
    return said or lang.t(f"pages.effect.category.{result.category}")


def _training(report: Report, lang: Language) -> str:
    outcome = _outcome(report)
    ratings = {
        d: v
        for d, v in diaries.ratings_by_day(report.evenings, outcome).items()
        if d <= report.last
    }
    trained = diaries.training_days(report.trainings, ZoneInfo(report.subject.zone))
    first = min(ratings, default=report.last)
    result = training_effect.published_training_effect(
        *training_effect.weekly(ratings, trained, first, report.last)
    )
    need = training_effect.TrainingGates().min_weeks
    progress = lang.t("effect.weeks", have=min(result.weeks, need), need=need)
    key = f"effect.training.{result.category}"
    pattern = result.category is training_effect.TrainingCategory.PATTERN
    return f"{lang.t(f'{key}.{outcome}' if pattern else key)} ({progress})"


def safety_lines(
    answers: Sequence[Entry], talks: Sequence[Entry], lang: Language, last: date
) -> Sequence[str]:
    """When the list was confirmed, what applied, and what was discussed; up to `last`.

    answers  entries of the safety list in order of time; talks  those of talks with a doctor
    """
    until = last.isoformat()
    answers = [e for e in answers if e.day <= until]
    latest = screening_entries.latest_of(answers)
    if latest is None:
        return ()
    texts = {i: t for i, _, t in screening.questions(packaged(), lang.code)}
    yes = {i: a for i, a in latest.answers.items() if a != "no" and i in texts}
    clean = latest.none_applies if latest.mode == "static" else not yes
    sums = lang.t("safety.none_applied" if clean else "safety.some_applied")
    lines = [f"{lang.t('safety.confirmed_on', day=lang.day(latest.day))} {sums}"]
    lines += [
        lang.t("safety.remembered_item", text=texts[i], answer=lang.t(f"pages.safety.answer.{a}"))
        for i, a in yes.items()
    ]
    for talk in screening_entries.talks_of([e for e in talks if e.day <= until]):
        item = texts.get(talk.item, lang.t("pages.safety.whole_list"))
        lines.append(f"{lang.t('pages.safety.discussed', item=item)} ({lang.day(talk.day)})")
    if screening_entries.symptom_day_of(answers) is not None:
        lines.append(lang.t("safety.symptom_on"))
    return lines
