# SPDX-License-Identifier: Apache-2.0
"""`when` tables -> `When`: every condition against the declared inputs, actions and thresholds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tracker.advice.conditions import misfit
from tracker.advice.document import Document
from tracker.advice.model import Action, Condition, Input, When

_THRESHOLD = re.compile(r"^(T_[A-Z0-9_]+)(?:\.(\w+)|\[(\d+)\])?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class WhenParser:
    """What conditions refer to."""

    document: Document
    inputs: Mapping[str, Input]
    actions: Mapping[str, Action]
    thresholds: Mapping[str, Any]

    def when(self, key: str, table: Any) -> When:
        """The three lists of conditions; raises RulesError for the first that does not hold up."""
        if not isinstance(table, dict):
            self.document.refuse(key, 'is no table: write when.all = [["input", "op", value]]')
        for name, conditions in table.items():
            if name not in {"all", "any", "none"}:
                self.document.refuse(f"{key}.{name}", "is unknown: use all, any and none")
            if not isinstance(conditions, list):
                self.document.refuse(f"{key}.{name}", "is no list of conditions: write [[...]]")
        if table.get("any") == []:
            self.document.refuse(f"{key}.any", "is empty, so the rule can never fire: remove it")
        made = {
            name: tuple(
                self._condition(f"{key}.{name}[{n}]", raw) for n, raw in enumerate(conditions)
            )
            for name, conditions in table.items()
        }
        return When(all=made.get("all", ()), any=made.get("any"), none=made.get("none", ()))

    def _condition(self, key: str, raw: Any) -> Condition:
        document = self.document
        if not isinstance(raw, list) or not 2 <= len(raw) <= 3:
            document.refuse(key, 'is no condition: write ["input", "op", value]')
        name, op = raw[0], raw[1]
        if not isinstance(name, str) or not isinstance(op, str):
            document.refuse(key, 'is no condition: write ["input", "op", value]')
        if name not in self.inputs:
            document.refuse(key, f"{name!r} is no declared input: add an [[input]] or correct it")
        if (len(raw) == 2) != (op in {"known", "unknown"}):
            wanted = "a value" if len(raw) == 2 else "no value"
            document.refuse(key, f"operator {op!r} takes {wanted}, or is unknown: correct it")
        value = raw[2] if len(raw) == 3 else None
        if isinstance(value, str) and self.inputs[name].kind in {"int", "float"}:
            value = self._threshold(key, value)
        condition = Condition(name, op, tuple(value) if isinstance(value, list) else value)
        fault = misfit(condition, self.inputs[name], frozenset(self.actions))
        if fault:
            document.refuse(key, fault)
        return condition

    def _threshold(self, key: str, text: str) -> Any:
        """The value behind `T_NAME`, `T_NAME.part` or `T_NAME[0]`: one number, one place."""
        found = _THRESHOLD.match(text)
        value = self.thresholds.get(found[1]) if found else None
        if found and value is not None:
            if found[2] and isinstance(value, dict):
                value = value.get(found[2])
            elif found[3] and isinstance(value, list):
                value = value[int(found[3])] if int(found[3]) < len(value) else None
        if not isinstance(value, int | float):
            self.document.refuse(
                key, f"{text!r} is no number and no threshold with one: declare or correct it"
            )
        return value
