# SPDX-License-Identifier: Apache-2.0
"""The week in at most five lines: no score, always beside the own baseline, one suggestion.

`product.md` section 7.10. Used by the page and by whatever sends it; below three usable days it
asks for a look at the sensor instead.
"""

from tracker.report.i18n import Language
from tracker.trends.problem import ProblemHour
from tracker.trends.weekly import WeeklySummary


def lines(week: WeeklySummary, lang: Language) -> list[str]:
    """One to five sentences."""
    t = lang.t
    if not week.send:
        return [t("charts.week_lines.too_little", week=week.number, days=week.workdays_valid)]
    out = [
        t(
            "charts.week_lines.measured",
            week=week.number,
            done=week.workdays_valid,
            of=week.workdays,
        )
    ]
    if week.sit_h is not None:
        out.append(_sitting(week, lang))
    if week.longest_sit_min is not None:
        out.append(
            t(
                "charts.week_lines.longest",
                now=lang.duration(week.longest_sit_min),
                before=lang.duration(week.longest_sit_before_min),
                shifts=None if week.shifts_per_h is None else round(week.shifts_per_h),
            )
        )
    out.append(t("charts.week_lines.training", done=week.sessions, plan=week.sessions_plan))
    out.append(
        _suggestion(week.suggestion, lang) if week.suggestion else t("charts.week_lines.same")
    )
    return out


def _sitting(week: WeeklySummary, lang: Language) -> str:
    worn = lang.t("charts.week_lines.while_worn") if week.worn_time_only else ""
    hours = lang.duration(60 * week.sit_h) if week.sit_h is not None else ""
    if week.usual_low_h is None or week.usual_high_h is None:
        return lang.t("charts.week_lines.sitting", hours=hours, worn=worn)
    return lang.t(
        "charts.week_lines.sitting_usual",
        hours=hours,
        worn=worn,
        low=lang.duration(60 * week.usual_low_h),
        high=lang.duration(60 * week.usual_high_h),
    )


def _suggestion(found: ProblemHour, lang: Language) -> str:
    days = "/".join(lang.weekday(d) for d in found.weekdays)
    return lang.t(
        "charts.week_lines.suggestion_days" if days else "charts.week_lines.suggestion",
        days=days,
        start=f"{found.hour:02d}",
        end=f"{found.hour + 1:02d}",
    )
