# SPDX-License-Identifier: Apache-2.0
"""The two profiles, enforced here and nowhere else: what each may ask, compute and show.

`wellness` (default) is about sitting, movement, training and tension. `clinic` has a medical
purpose: whoever switches it on takes that purpose on (`evidence.md` 7.1). In wellness a pain
journal may exist as the wearer's own chart; the one rule that may read it is the safety stop.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracker.advice.model import Rule, Rules

PROFILES = ("wellness", "clinic")
DEFAULT = "wellness"

_EVENING = ("tension", "stress", "painkiller", "unusual_load", "illness", "note")
# Inputs that are made of pain entries (`evidence.md` 4.2): dropped in wellness.
_PAIN_INPUTS = frozenset({"post_massage_worse_48h", "exercise_next_morning_delta"})
# Features by their word in pages and commands; source: `[[feature_risk]]`.
_CLINIC_ONLY = frozenset(
    {
        "screening_interactive",
        "pain_rules",
        "pain_effects",
        "therapist_suggestions",
        "questionnaires",
    }
)


def reads_pain(input_id: str) -> bool:
    """Whether an input is made of pain entries."""
    return input_id.startswith("pain_") or input_id in _PAIN_INPUTS


def named(value: object) -> tuple[str, ...]:
    """The profiles a rule names; none means all."""
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else ()


def keeps(profile: str, rule: "Rule") -> bool:
    """Whether a rule exists in a profile (`evidence.md` 4.2)."""
    if rule.profiles and profile not in rule.profiles:
        return False
    return profile != "wellness" or rule.safety_stop or not any(map(reads_pain, rule.reads))


def may_show(profile: str, feature: str) -> bool:
    """Whether pages and reports may offer a feature."""
    return profile == "clinic" or feature not in _CLINIC_ONLY


def diary_fields(profile: str, *, pain_journal: bool = False) -> tuple[str, ...]:
    """Fields of the evening entry that may be asked."""
    if profile == "clinic":
        return ("tension", "pain", *_EVENING[1:])
    return ("tension", "pain", *_EVENING[1:]) if pain_journal else _EVENING


def outcomes(profile: str) -> tuple[str, ...]:
    """What "does it help me?" may be computed on."""
    return ("pain", "tension") if profile == "clinic" else ("tension",)


def screening_mode(profile: str) -> str:
    """`static`: the list as information, one confirmation. `interactive`: question by question."""
    return "interactive" if profile == "clinic" else "static"


def readable(profile: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts that statistics, cards and exports for others may use; the engine guards itself."""
    if profile == "clinic":
        return dict(facts)
    return {k: v for k, v in facts.items() if not reads_pain(k)}


def switch_notice(rules: "Rules", profile: str, lang: str) -> str:
    """What is shown where a profile is switched on: who may, and what they take on."""
    table = rules.document.get("profile_switch", {}).get(profile, {})
    return str(table.get(lang, ""))
