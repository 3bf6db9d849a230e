# SPDX-License-Identifier: Apache-2.0
"""The sentence of a result of the statistics (`evidence.md` 5.7), about tension or pain."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tracker.advice.model import Rules
from tracker.advice.profiles import outcomes
from tracker.advice.wording import fill
from tracker.trends import claims as trends


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A result: its outcome and the numbers of its sentence (`m`, `lo`, `hi`: points lower)."""

    outcome: str = "tension"
    values: Mapping[str, Any] = field(default_factory=dict)


def of_result(result: trends.Claim, outcome: str) -> Claim:
    """The claim that rule R26 prints, from what the statistics found on an outcome."""
    return Claim(outcome=outcome, values=asdict(result))


def claim_text(
    rules: Rules, pattern: str, profile: str, lang: str, claim: Claim | None = None
) -> str:
    """The sentence of a pattern, "" if there is none. Wellness never gets a sentence about pain.

    Without numbers the plain sentence is used where one exists; where the likely range crosses 0
    the one that says "from ... lower to ... higher".
    """
    allowed = outcomes(profile)
    outcome = claim.outcome if claim and claim.outcome in allowed else allowed[0]
    prefix = "" if outcome == "pain" else f"{outcome}_"
    values = dict(claim.values) if claim else {}
    table = rules.claims.get(pattern, {})
    variants = [f"{prefix}{lang}"]
    if values.get("lower") is not None and values.get("higher") is not None:
        variants.insert(0, f"{prefix}crossing_{lang}")
    if values.get("m") is None:
        variants.insert(0, f"{prefix}plain_{lang}")
    return fill(next((table[v] for v in variants if v in table), ""), values, lang)
