# SPDX-License-Identifier: Apache-2.0
"""Results of consecutive parts of one chain as one."""

from collections.abc import Sequence
from dataclasses import replace

from tracker.chain import Results, merge_epochs
from tracker.model import Epochs


def join_results(parts: Sequence[Results]) -> Results:
    """All that came out; of an epoch that came twice the later answer."""
    if not parts:
        return Results(epochs=Epochs.empty())
    return replace(
        parts[-1],
        epochs=merge_epochs([p.epochs for p in parts]),
        transitions=tuple(t for p in parts for t in p.transitions),
        sets=tuple(s for p in parts for s in p.sets),
        slouch_events=tuple(e for p in parts for e in p.slouch_events),
        warnings=tuple(dict.fromkeys(w for p in parts for w in p.warnings)),
    )
