# SPDX-License-Identifier: Apache-2.0
"""Simulated wearers in every state of their data: nothing yet, some days, a year, only gaps."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from tracker.model import Placement
from tracker.simulation.history import ONLY_GAPS, History, Profile, history
from tracker.store.base import Batch

STATES = ("day0", "day1", "day3", "day7", "day14", "day30", "year", "gaps")
_DAYS = {"day1": 1, "day3": 3, "day7": 7, "day14": 14, "day30": 30}


def histories(state: str, today: date, now_ns: int, zone: ZoneInfo) -> list[History]:
    """What a wearer of this state has measured and told, the oldest part first."""
    rng = np.random.default_rng(7)
    if state == "day0":
        return []
    if state == "gaps":
        return [history(rng, 14, zone, ONLY_GAPS, last_day=today, until_ns=now_ns)]
    if state == "year":
        # A year of diary, the sensor worn now and then, and every day of the last weeks.
        before = today - timedelta(days=30)
        old = history(rng, 335, zone, Profile(worn=0.12), last_day=before)
        return [old, history(rng, 30, zone, last_day=today, until_ns=now_ns)]
    return [history(rng, _DAYS[state], zone, last_day=today, until_ns=now_ns)]


def batch_of(made: History, wearer: str = "w1") -> Batch:
    """The measured part, as the collector writes it."""
    return Batch(
        wearer=wearer,
        placement=Placement.UPPER_BACK,
        epochs=made.epochs,
        transitions=made.transitions,
        sets=made.sets,
        gaps=made.gaps,
    )
