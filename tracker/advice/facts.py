# SPDX-License-Identifier: Apache-2.0
"""The facts that rules read: their names, their types, and the check of facts from outside.

Who computes them: `tracker.trends.facts` from epochs and diary, `screening.facts` from the safety
list, `start.facts_from_start` from the one-minute start. A fact that is not known is left out.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from tracker.advice.model import Input, Rules
from tracker.errors import InputError

LARGEST = 1e9  # nothing that is counted in days, hours or points comes near it


class Facts(TypedDict, total=False):
    """Facts by the input ids of `data/inputs.toml`; a contract test keeps the two equal."""

    screen_actions: list[str]
    screen_age_days: int
    massage_allowed: bool
    training_allowed: bool
    pain_mean_3d: float
    pain_mean_7d: float
    pain_trend_14d: Literal["improved", "stable", "worse"]
    pain_change_14d: float
    pain_duration_weeks: float
    medical_check_done: bool
    tension_mean_7d: float
    diary_days_14d: int
    train_per_week_28d: float
    train_weeks_on_plan: int
    train_load_ratio: float
    exercise_next_morning_delta: float
    days_since_massage: int
    massages_28d: int
    post_massage_worse_48h: bool
    massage_pattern: Literal["lasting", "short", "no_clear_effect", "uncertain", "collecting"]
    massage_n: int
    sit_h_day_7d: float
    sit_bouts60_day_7d: float
    slouch_share_7d: float
    aerobic_min_7d: int
    stress_mean_7d: float
    # Added to the draft's inputs:
    start_age_days: int
    longest_sit_min_7d: float
    shifts_per_h_7d: float
    train_recognised_28d: float
    whole_day_wear: bool
    post_massage_tense_48h: bool


def check(rules: Rules, raw: object, where: str = "the facts") -> dict[str, Any]:
    """Facts from outside, or InputError with one sentence. `null` means not known."""
    if not isinstance(raw, dict):
        raise InputError(f'{where}: is no JSON object: write {{"tension_mean_7d": 6.4, ...}}')
    made: dict[str, Any] = {}
    for name, value in raw.items():
        declared = rules.inputs.get(name)
        if declared is None:
            raise InputError(
                f"{where}: {name!r} is no input of {rules.file}: use one of "
                f"{', '.join(sorted(rules.inputs))}"
            )
        if value is None:
            continue
        fault = _fault(rules, declared, value)
        if fault:
            raise InputError(f"{where}: {name}: {fault}")
        made[name] = int(value) if declared.kind == "int" else value
    return made


def _fault(rules: Rules, declared: Input, value: object) -> str:
    if declared.kind == "set":
        return _set_fault(rules, value)
    if declared.kind == "bool":
        return "" if isinstance(value, bool) else f"{value!r} is neither true nor false: write one"
    if declared.kind == "enum":
        known = isinstance(value, str) and (not declared.values or value in declared.values)
        return (
            "" if known else f"{value!r} does not exist: write one of {', '.join(declared.values)}"
        )
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{value!r} is no number: write one without quotes, or leave the fact out"
    if not -LARGEST <= value <= LARGEST:  # also NaN
        return f"{str(value)[:20]} is no number that can be: write one below {LARGEST:.0e}"
    return _number_fault(declared, value)


def _number_fault(declared: Input, value: float) -> str:
    if declared.kind == "int" and not float(value).is_integer():
        return f"{value!r} is no whole number: round it"
    if declared.low is not None and value < declared.low:
        return f"{value!r} is below {declared.low:g}: correct it"
    if declared.high is not None and value > declared.high:
        return f"{value!r} is above {declared.high:g}: correct it"
    return ""


def _set_fault(rules: Rules, value: object) -> str:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        return f'{value!r} is no list of words: write for example ["doctor_first"] or []'
    for entry in value:
        name, _, answer = entry.partition(":")
        question = name in rules.questions and answer in {"", "yes", "unsure"}
        if entry not in rules.actions and not question:
            return (
                f"{entry!r} is no action and no question of the safety list: use one of "
                f"{', '.join(rules.actions)}"
            )
    return ""


def names(rules: Rules) -> Mapping[str, str]:
    """Input id -> what it means, for help and docs."""
    return {i.id: i.definition for i in rules.inputs.values()}
