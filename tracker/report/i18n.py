# SPDX-License-Identifier: Apache-2.0
"""German and English: texts from TOML, numbers and dates as the language writes them.

Texts lie in `text/LANG/AREA.toml`; a key is `area.table.key`. Values are `str.format` templates.
A count is the argument `n` and picks `key.one` or `key.other`. Own code instead of Babel (33 MB)
because two languages with the same plural rule need these lines only; `docs/decisions/` says so.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib import resources
from string import Formatter
from zoneinfo import ZoneInfo

LANGUAGES = ("de", "en")
MISSING = "–"

_WEEKDAYS = {
    "de": ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_MONTHS = {
    "de": (
        "Jan.",
        "Feb.",
        "März",
        "Apr.",
        "Mai",
        "Juni",
        "Juli",
        "Aug.",
        "Sept.",
        "Okt.",
        "Nov.",
        "Dez.",
    ),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}


class _Safe(Formatter):
    """A formatter that prints a dash for a missing value and never drops the sentence."""

    def __init__(self, language: "Language") -> None:
        self._language = language

    def get_value(self, key: int | str, args: object, kwargs: Mapping[str, object]) -> object:
        return kwargs.get(str(key))

    def format_field(self, value: object, format_spec: str) -> str:
        if value is None:
            return MISSING
        if isinstance(value, float | int) and not isinstance(value, bool):
            digits = int(format_spec) if format_spec.isdigit() else None
            return self._language.number(value, digits)
        return str(value)


@dataclass(frozen=True, slots=True)
class Language:
    """One language: `t` for texts, the rest for numbers, dates and durations."""

    code: str

    def t(self, key: str, **values: object) -> str:
        """The text of a key with its values filled in; numbers are localised.

        Raises KeyError for an unknown key: a test calls every key in every language.
        """
        catalogue = _catalogue(self.code)
        if key not in catalogue and "n" in values:
            key = f"{key}.{'one' if values['n'] == 1 else 'other'}"
        return _Safe(self).format(catalogue[key], **values)

    def number(self, value: float | None, digits: int | None = None) -> str:
        """`6,2` or `6.2`; whole numbers without decimals unless `digits` says so."""
        if value is None or value != value:  # noqa: PLR0124 - NaN
            return MISSING
        if digits is None:
            digits = 0 if float(value).is_integer() else 1
        text = f"{value:,.{digits}f}"
        if self.code == "de":
            text = text.replace(",", "\u202f").replace(".", ",")
        return text.replace("-", "\N{MINUS SIGN}")

    def percent(self, share: float | None, digits: int = 0) -> str:
        """A share 0..1 as percent: `43 %` in German, `43%` in English."""
        if share is None or share != share:  # noqa: PLR0124 - NaN
            return MISSING
        gap = "\u00a0" if self.code == "de" else ""
        return f"{self.number(100 * share, digits)}{gap}%"

    def duration(self, minutes: float | None) -> str:
        """`6 h 10 min`, `55 min`."""
        if minutes is None or minutes != minutes:  # noqa: PLR0124 - NaN
            return MISSING
        whole = round(minutes)
        hours, rest = divmod(whole, 60)
        if not hours:
            return f"{rest}\u00a0min"
        return f"{hours}\u00a0h {rest}\u00a0min" if rest else f"{hours}\u00a0h"

    def day(self, day: date, weekday: bool = False) -> str:
        """`Mo, 24. Nov. 2026` or `Mon 24 Nov 2026`."""
        month = _MONTHS[self.code][day.month - 1]
        name = _WEEKDAYS[self.code][day.weekday()]
        if self.code == "de":
            text = f"{day.day}. {month} {day.year}"
            return f"{name}, {text}" if weekday else text
        text = f"{day.day} {month} {day.year}"
        return f"{name} {text}" if weekday else text

    def clock(self, moment: datetime, tz: ZoneInfo | None = None) -> str:
        """`14:05` in the given zone."""
        return (moment.astimezone(tz) if tz else moment).strftime("%H:%M")

    def weekday(self, index: int) -> str:
        """Short name of a weekday, Monday is 0."""
        return _WEEKDAYS[self.code][index]


@cache
def language(code: str) -> Language:
    """The language of a code; anything that does not start with `de` is English."""
    return Language("de" if code.lower().startswith("de") else "en")


@cache
def _catalogue(code: str) -> Mapping[str, str]:
    flat: dict[str, str] = {}
    folder = resources.files("tracker.report") / "text" / code
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            area = file.name.removesuffix(".toml")
            _flatten(area, tomllib.loads(file.read_text(encoding="utf-8")), flat)
    return flat


def _flatten(prefix: str, table: Mapping[str, object], into: dict[str, str]) -> None:
    for key, value in table.items():
        if isinstance(value, Mapping):
            _flatten(f"{prefix}.{key}", value, into)
        else:
            into[f"{prefix}.{key}"] = str(value)


def keys(code: str) -> frozenset[str]:
    """Every key of a language, for the test that compares them."""
    return frozenset(_catalogue(code))


def texts(code: str) -> Mapping[str, str]:
    """Every text of a language, for the wording lint."""
    return dict(_catalogue(code))
