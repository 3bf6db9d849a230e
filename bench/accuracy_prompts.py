# SPDX-License-Identifier: Apache-2.0
"""Prompts of a simulated desk day as the product decides them, against what was played.

`tracker.prompts.decide` is asked every 20 s, as the collector does, with a person's usual settings
and prompts about sitting and slouching switched on. A prompt is false when its wearer did not do
for half of its stretch what it says.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.model import EPOCH_NS, Epochs, State
from tracker.prompt_choice import PromptSettings
from tracker.prompts import Cause, Context, Prompt, decide

EVERY = 4  # epochs between two looks
BACK = 5 * 720  # epochs a look goes back, as in the collector
SEATED = (State.SITTING, State.SLOUCHING)


def prompts_of(epochs: Epochs) -> list[Prompt]:
    """All prompts of a stream, the daily number and the pauses between them kept."""
    settings = PromptSettings(breaks=True, slouch=True, work_hours_only=False, quiet_hours=())
    history: list[Prompt] = []
    for n in range(EVERY, len(epochs) + 1, EVERY):
        seen = epochs[max(0, n - BACK) : n]
        now_ns = int(seen.start_ns[-1]) + EPOCH_NS
        found = decide(settings, Context(now_ns=now_ns, epochs=seen, history=tuple(history)))
        if found is not None:
            history.append(found)
    return history


def false_prompts(epochs: Epochs, truth: NDArray[np.uint8]) -> dict[str, Any]:
    """How many prompts of each cause, and how many of them were false."""
    counts: dict[str, Any] = {"sitting": 0, "false_sitting": 0, "slouch": 0, "false_slouch": 0}
    for one in prompts_of(epochs):
        inside = (epochs.start_ns >= one.since_ns) & (epochs.start_ns < one.at_ns)
        slouch = one.cause is Cause.SLOUCH
        did = np.isin(truth[inside], (State.SLOUCHING,) if slouch else SEATED)
        kind = "slouch" if slouch else "sitting"
        counts[kind] += 1
        counts[f"false_{kind}"] += not did.mean() >= 0.5
    return counts
