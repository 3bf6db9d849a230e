# SPDX-License-Identifier: Apache-2.0
"""The operators of conditions: which exist, which fit an input, what they answer.

Source of the semantics: `evidence.md` 4.1: a missing value makes every comparison false; only
`known` and `unknown` test for it; nothing is imputed.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from tracker.advice.model import Condition, Input, When

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda value, wanted: value in wanted,
    "has": lambda value, wanted: wanted in value,
}
OPERATORS = (*_COMPARE, "known", "unknown")
_FITS = {
    "set": {"has", "known", "unknown"},
    "bool": {"==", "!=", "known", "unknown"},
    "enum": {"==", "!=", "in", "known", "unknown"},
    "int": {"==", "!=", "<", "<=", ">", ">=", "in", "known", "unknown"},
    "float": {"==", "!=", "<", "<=", ">", ">=", "in", "known", "unknown"},
}


def holds(condition: Condition, facts: Mapping[str, Any]) -> bool:
    """Whether one condition holds."""
    value = facts.get(condition.input)
    op = condition.op
    if op == "unknown":
        return value is None
    if value is None:
        return False
    return op == "known" or _COMPARE[op](value, condition.value)


def fires(when: When, facts: Mapping[str, Any]) -> bool:
    """All of `all`, one of `any` if present, none of `none`."""
    for condition in when.all:
        if not holds(condition, facts):
            return False
    for condition in when.none:
        if holds(condition, facts):
            return False
    return when.any is None or any(holds(c, facts) for c in when.any)


def misfit(condition: Condition, declared: Input, actions: frozenset[str]) -> str:
    """Why a condition cannot be asked of its input, or ""; the answer completes a sentence."""
    if condition.op not in OPERATORS:
        return f"unknown operator {condition.op!r}: use one of {', '.join(OPERATORS)}"
    if condition.op not in _FITS[declared.kind]:
        allowed = ", ".join(op for op in OPERATORS if op in _FITS[declared.kind])
        return (
            f"operator {condition.op!r} does not fit {declared.id}, which is a {declared.kind}: "
            f"use one of {allowed}"
        )
    if condition.op in {"known", "unknown"}:
        return ""
    if condition.op == "in" and not isinstance(condition.value, list | tuple):
        return f"operator 'in' needs a list, not {condition.value!r}: write [...]"
    values = condition.value if condition.op == "in" else [condition.value]
    return next((fault for v in values if (fault := _value_fault(v, declared, actions))), "")


def _value_fault(value: object, declared: Input, actions: frozenset[str]) -> str:
    if declared.kind == "set" and actions and (not isinstance(value, str) or value not in actions):
        return f"{value!r} is no action of the safety list: use one of {', '.join(sorted(actions))}"
    if not _is_a(value, declared):
        wanted = f"one of {', '.join(declared.values)}" if declared.values else declared.kind
        return f"{value!r} is no value of {declared.id}: write {wanted}"
    return ""


def _is_a(value: object, declared: Input) -> bool:
    if declared.kind == "bool":
        return isinstance(value, bool)
    if declared.kind in {"int", "float"}:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if not isinstance(value, str):
        return False
    return declared.kind == "set" or not declared.values or value in declared.values
