# SPDX-License-Identifier: Apache-2.0
"""How much of an evaluation may be shown, and the numbers that its sentence may use."""

from dataclasses import dataclass

from tracker.trends.nof1 import Category, Gates, Result


def level(result: Result) -> int:
    """How much may be shown: 0 dots only, 1 description, 2 a first hint, 3 a pattern that held.

    Level 1 starts at 3 massages and 28 days, level 2 at P(helps) of 0.80 with the gates met.
    `result` is a published one: its categories of relief already held in two evaluations.
    """
    if result.category in (Category.LASTING, Category.SHORT):
        return 3
    if not result.progress.met:
        return 1 if result.progress.events >= 3 and result.progress.days >= 28 else 0
    return 2 if result.posterior is not None and result.posterior.p_helps >= 0.8 else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Numbers for the sentence of a category: points *lower* are positive.

    `lo`..`hi` is the likely range; where it crosses 0 the sentence says "from {lower} lower to
    {higher} higher".
    """

    category: Category
    m: float | None
    lo: float | None
    hi: float | None
    crosses_zero: bool
    lower: float | None
    higher: float | None
    massages_done: int
    days_done: int


def claim(result: Result, gates: Gates | None = None) -> Claim:
    """What the text of a category may use."""
    rule = gates or Gates()
    p = result.posterior
    lo, hi = (None, None) if p is None else (-p.high, -p.low)
    crosses = lo is not None and hi is not None and lo < 0 < hi
    return Claim(
        category=result.category,
        m=None if p is None else -p.mean,
        lo=lo,
        hi=hi,
        crosses_zero=crosses,
        lower=hi if crosses else None,
        higher=-lo if crosses and lo is not None else None,
        massages_done=min(result.progress.events, rule.min_massages),
        days_done=min(result.progress.days, rule.min_days),
    )
