# SPDX-License-Identifier: Apache-2.0
"""A report in words, the same on page and paper: rows, and three sentences for the record."""

from zoneinfo import ZoneInfo

from tracker.report.i18n import MISSING, Language
from tracker.report.report import DIGITS, Report, Row
from tracker.trends.baseline import Verdict
from tracker.units import local_date


def shown(value: float | None, unit: str, lang: Language) -> str:
    """A number of a row as it is printed, in page and PDF alike."""
    if value is None:
        return MISSING
    if unit == "share":
        return lang.percent(value)
    return f"{lang.number(value, DIGITS[unit])}{lang.t(f'report.unit.{unit}')}"


def sentences(report: Report, lang: Language) -> list[str]:
    """Three sentences that can be copied into a record: change, adherence, quality."""
    real = [r for r in report.rows if r.verdict is Verdict.REAL]
    if real:
        parts = [
            lang.t(
                "report.changed_item",
                metric=lang.t(f"report.metric.{r.metric}"),
                before=shown(r.before, r.unit, lang),
                now=shown(r.now, r.unit, lang),
            )
            for r in real[:3]
        ]
        first = lang.t("report.changed", items="; ".join(parts))
    elif any(r.verdict is Verdict.NORMAL for r in report.rows):
        first = lang.t("report.unchanged")
    else:
        first = lang.t("report.too_little")
    per_week = sessions_per_week(report)
    if per_week is None:
        second = lang.t("report.no_training_scope")
    else:
        key = "report.adherence" if report.sessions_plan else "report.sessions"
        second = lang.t(key, per_week=per_week, plan=report.sessions_plan)
    third = lang.t(
        "report.quality_sentence",
        usable=report.days_usable,
        measured=report.days_measured,
        unknown=lang.duration(report.quality.get("unknown_min")),
    )
    return [first, second, third]


def row_text(row: Row, lang: Language) -> list[str]:
    """A row as it is printed on the page and on paper: name, three values, change, real or not."""
    change = row.change
    sign = "+" if change is not None and change > 0 else ""
    return [
        lang.t(f"report.metric.{row.metric}"),
        shown(row.baseline, row.unit, lang),
        shown(row.before, row.unit, lang),
        shown(row.now, row.unit, lang),
        sign + shown(change, row.unit, lang),
        lang.t(f"report.verdict.{row.verdict.value}"),
    ]


def sessions_per_week(report: Report) -> float | None:
    """Core sessions a week: as told where more were told than recognised; None: not shared."""
    if report.sessions is None:
        return None
    tz = ZoneInfo(report.subject.zone)
    told = sum(report.first <= local_date(t.at_ns, tz) <= report.last for t in report.trainings)
    weeks_n = max(1.0, ((report.last - report.first).days + 1) / 7)
    return round(max(report.sessions, told) / weeks_n, 1)
