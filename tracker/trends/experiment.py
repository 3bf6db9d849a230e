# SPDX-License-Identifier: Apache-2.0
"""The self-experiment with randomised weeks: the best honest answer one person can get.

B blocks of two weeks. In each block a coin, tossed and stored before the start, decides whether
the massage is in the first or the second week. Only what the coin decided is compared, so peaks
cannot fool it. The p-value counts all 2^B coin sequences; the interval inverts that test.
Carry-over into the following week shrinks the difference: the result is "at least".
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from tracker.errors import InputError

MIN_BLOCKS = 6  # the smallest number with a two-sided p below 0.05
MAX_BLOCKS = 14  # 2^14 sign sequences; more than half a year is no self-experiment
COMPARE_DAYS = (1, 6)  # days after the massage day that are compared
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A frozen plan. `coins[b]` is True where the massage is in the first week of block b."""

    question: str
    outcome: str
    first_day: str  # ISO; the massage weekday of the first week
    coins: tuple[bool, ...]
    massage_kind: str
    massage_minutes: int
    written_ns: int

    @property
    def digest(self) -> str:
        """SHA-256 of the plan: shows later that nothing was changed."""
        text = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def blocks(self) -> int:
        """Number of two-week blocks."""
        return len(self.coins)

    @property
    def last_day(self) -> date:
        """Last day that is compared."""
        return date.fromisoformat(self.first_day) + timedelta(days=14 * self.blocks - 1)

    def massage_day(self, block: int) -> date:
        """The massage day of a block."""
        return self._week(block, first=self.coins[block])

    def other_day(self, block: int) -> date:
        """The same weekday of the block's week without a massage."""
        return self._week(block, first=not self.coins[block])

    def massage_days(self) -> tuple[date, ...]:
        """All massage days in order, for the reminders."""
        return tuple(self.massage_day(b) for b in range(self.blocks))

    def _week(self, block: int, *, first: bool) -> date:
        start = date.fromisoformat(self.first_day)
        return start + timedelta(days=14 * block + (0 if first else 7))


def plan(
    *,
    coin_bits: Sequence[bool],
    first_day: date,
    today: date,
    written_ns: int,
    outcome: str = "tension",
    question: str = "",
    massage_kind: str = "mixed",
    massage_minutes: int = 20,
) -> Plan:
    """A plan from coins that were tossed by the caller; refused unless it is stored beforehand."""
    n = len(coin_bits)
    if not MIN_BLOCKS <= n <= MAX_BLOCKS:
        raise InputError(
            f"{n} blocks of two weeks: choose {MIN_BLOCKS} to {MAX_BLOCKS}, fewer cannot answer"
        )
    if first_day <= today:
        raise InputError(
            f"the experiment would start on {first_day.isoformat()}: choose a day after today, "
            "because the coins must be stored before the start"
        )
    return Plan(
        question=question,
        outcome=outcome,
        first_day=first_day.isoformat(),
        coins=tuple(bool(b) for b in coin_bits),
        massage_kind=massage_kind,
        massage_minutes=massage_minutes,
        written_ns=written_ns,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Randomisation:
    """The result: mean difference (massage week minus other week), exact p, 95 % interval."""

    blocks_used: int
    difference: float
    p: float
    low: float
    high: float


def block_differences(plan: Plan, ratings: Mapping[date, int]) -> NDArray[np.float64]:
    """(blocks,) mean of days 1-6 after the massage day minus the same days of the other week.

    NaN where one of the two weeks has fewer than three ratings.
    """

    def mean(start: date) -> float:
        first, last = COMPARE_DAYS
        days = [start + timedelta(days=k) for k in range(first, last + 1)]
        values = [ratings[d] for d in days if d in ratings]
        return float(np.mean(values)) if len(values) >= 3 else float("nan")

    return np.array(
        [mean(plan.massage_day(b)) - mean(plan.other_day(b)) for b in range(plan.blocks)]
    )


def randomisation_test(differences: NDArray[np.float64]) -> Randomisation | None:
    """Exact two-sided test over all sign sequences, and its inversion as interval.

    With E = D - delta, the count of sequences at least as extreme is twice the number of subsets
    whose mean of D lies on the other side of delta (the empty one included), so the interval's
    ends are order statistics of the 2^B - 1 subset means (Hartigan 1969).
    """
    d = differences[~np.isnan(differences)]
    if d.size == 0:
        return None
    patterns = (np.arange(2**d.size)[:, None] >> np.arange(d.size)) & 1
    sums = (1 - 2 * patterns) @ d
    p = float(np.mean(np.abs(sums) >= abs(d.sum()) - 1e-9))
    some = patterns[1:]
    means = np.sort(some @ d / some.sum(axis=1))
    k = int(np.floor((1 - CONFIDENCE) / 2 * 2**d.size + 1e-9))
    low, high = (means[k - 1], means[-k]) if k >= 1 else (-np.inf, np.inf)
    return Randomisation(
        blocks_used=int(d.size),
        difference=float(d.mean()),
        p=p,
        low=float(low),
        high=float(high),
    )


def summary(
    plan: Plan,
    ratings: Mapping[date, int],
    *,
    today: date,
    massaged: frozenset[date],
    trained: frozenset[date] = frozenset(),
    painkiller_days: frozenset[date] = frozenset(),
    sore_mornings: int = 0,
) -> dict[str, object]:
    """The facts of a CENT-style summary; `result` is None until the last day is over.

    Carry-over is named, not corrected: `at_least` says that the true difference may be larger.
    """
    first = date.fromisoformat(plan.first_day)
    days = [first + timedelta(days=i) for i in range(14 * plan.blocks)]
    differences = block_differences(plan, ratings)
    done = today > plan.last_day
    result = randomisation_test(differences) if done else None
    return {
        "question": plan.question,
        "outcome": plan.outcome,
        "first_day": plan.first_day,
        "last_day": plan.last_day.isoformat(),
        "order_drawn": "".join("AB" if c else "BA" for c in plan.coins),
        "written_ns": plan.written_ns,
        "digest": plan.digest,
        "blocks": plan.blocks,
        "blocks_done": sum(
            first + timedelta(days=14 * (b + 1)) <= today for b in range(plan.blocks)
        ),
        "missing_days": sum(d not in ratings for d in days if d < today),
        "kept_massages": sum(d in massaged for d in plan.massage_days() if d <= today),
        "other_massages": sum(d in massaged for d in days)
        - sum(d in massaged for d in plan.massage_days()),
        "training_days": sum(d in trained for d in days),
        "painkiller_days": sum(d in painkiller_days for d in days),
        "sore_mornings": sore_mornings,
        "differences": [None if np.isnan(x) else round(float(x), 3) for x in differences],
        "result": None if result is None else asdict(result),
        "at_least": True,
        "answered": result is not None and result.p < 0.05,
    }
