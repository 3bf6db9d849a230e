# SPDX-License-Identifier: Apache-2.0
"""Filling a text: numbers as the language writes them, a dash for what is missing.

`evidence.md` 4.3: a missing value prints as a dash and never drops the reason line. The core may
not import `tracker.report`, so the number rules of `tracker.report.i18n` stand here once more; a
test compares the two.
"""

from collections.abc import Mapping
from string import Formatter
from typing import Any

MISSING = "–"


def number(value: float, spec: str, lang: str) -> str:
    """A number in a format like `.1f`, `+.1f`, `.0%`, localised."""
    if value != value:  # noqa: PLR0124 - NaN
        return MISSING
    if not spec:
        spec = ".0f" if float(value).is_integer() else ".1f"
    sign = "+" if spec.startswith("+") else ""
    text = format(value, f"{sign},{spec.lstrip('+')}")
    if lang == "de":
        text = text.replace(",", "\N{NARROW NO-BREAK SPACE}").replace(".", ",")
        text = text.replace("%", "\N{NO-BREAK SPACE}%")
    return text.replace("-", "\N{MINUS SIGN}")


class _Filler(Formatter):
    def __init__(self, lang: str) -> None:
        self._lang = lang

    def get_value(self, key: int | str, args: object, kwargs: Mapping[str, Any]) -> Any:
        return kwargs.get(str(key))

    def format_field(self, value: Any, format_spec: str) -> str:
        if value is None:
            return MISSING
        if isinstance(value, int | float) and not isinstance(value, bool):
            return number(value, format_spec, self._lang)
        return str(value)


_FILLERS = {lang: _Filler(lang) for lang in ("en", "de")}


def fill(template: str, values: Mapping[str, Any], lang: str) -> str:
    """The template with its placeholders filled in."""
    if "{" not in template:
        return template
    return _FILLERS[lang].vformat(template, (), values)


def placeholders(template: str) -> list[tuple[str, str]]:
    """(name, format spec) of each placeholder; raises ValueError for unbalanced braces."""
    return [
        (name, spec or "") for _, name, spec, _ in Formatter().parse(template) if name is not None
    ]
