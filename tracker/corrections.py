# SPDX-License-Identifier: Apache-2.0
"""What a person said of a stretch holds over what the chain says of it, now and after re-analysis.

Kept as the wearer's setting `corrections`: a list of {placement, start_ns, end_ns, state}.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from tracker.model import Epochs, Exercise, Placement, State

Told = tuple[int, int, State]  # start_ns, end_ns (half-open), what it was


def corrections(settings: Mapping[str, object], placement: Placement) -> tuple[Told, ...]:
    """What the wearer said of stretches of one placement, in the order it was said."""
    kept = settings.get("corrections")
    rows = [c for c in kept if isinstance(c, dict)] if isinstance(kept, list) else []
    return tuple(
        (int(c["start_ns"]), int(c["end_ns"]), State[str(c["state"]).upper()])
        for c in rows
        if c.get("placement") == str(placement)
    )


def corrected(epochs: Epochs, told: Sequence[Told]) -> Epochs:
    """The table with the person's words laid over it, for sure; the last word holds."""
    for start_ns, end_ns, said in told:
        where = (epochs.start_ns >= start_ns) & (epochs.start_ns < end_ns)
        if not where.any():
            continue
        exercise = epochs.exercise.copy()
        if said is not State.EXERCISE:
            exercise[where] = int(Exercise.NONE)
        epochs = replace(
            epochs,
            state=np.where(where, np.uint8(said), epochs.state).astype(np.uint8),
            confidence=np.where(where, np.float32(1), epochs.confidence).astype(np.float32),
            exercise=exercise,
        )
    return epochs
