# SPDX-License-Identifier: Apache-2.0
"""What goes into the chain besides samples, and what comes out."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from importlib.resources import files

from tracker.model import Epochs, ExerciseSet, Placement, State, Transition
from tracker.signal.calibrate import Calibration
from tracker.signal.shifts import Shift
from tracker.signal.slouch import SlouchEvent, SlouchParams

NAME = "backstay"
VERSION = "1"
NEVER_NS = -(2**62)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What is known of a sensor and its wearer before the first sample.

    `research_models` False leaves out weights fitted on data for research alone
    (BACKSTAY_HAPT_MODEL=off).
    """

    placement: Placement = Placement.UPPER_BACK
    calibration: Calibration = field(default_factory=Calibration)
    slouch: SlouchParams = field(default_factory=SlouchParams)
    research_models: bool = True

    @property
    def algo(self) -> str:
        """Name, version and hash of everything that decides a result, except the calibration."""
        return _algo(self.slouch, self.placement, self.research_models)


@lru_cache(maxsize=64)
def _algo(slouch: SlouchParams, placement: Placement, research: bool) -> str:
    weights = [
        hashlib.sha256(path.read_bytes()).hexdigest()[:8]
        for path in sorted((files("tracker.signal") / "weights").iterdir(), key=lambda p: p.name)
        if path.name.endswith((".npz", "trunk.json"))
    ]
    known = json.dumps([asdict(slouch), placement.value, research, weights], sort_keys=True)
    return f"{NAME}-{VERSION}-{hashlib.sha256(known.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Results:
    """What came out of a call. `epochs` may hold better answers for rows given before.

    settled_ns   epochs that start before this are final (except for exercise and slouching,
                 which may still be set on rows of the last minutes)
    provisional  state of the newest epoch before it is settled, with its start and confidence
    tilt_deg, side_deg, slump_pct  of the newest 2.5 s; NaN where there is none
    warnings     sentences: wrong placement, slipped sensor, stale calibration
    """

    epochs: Epochs
    transitions: tuple[Transition, ...] = ()
    sets: tuple[ExerciseSet, ...] = ()
    slouch_events: tuple[SlouchEvent, ...] = ()
    shifts: tuple[Shift, ...] = ()
    settled_ns: int = NEVER_NS
    provisional: State = State.UNKNOWN
    provisional_ns: int = -1
    provisional_confidence: float = 0.0
    tilt_deg: float = math.nan
    side_deg: float = math.nan
    slump_pct: float = math.nan
    warnings: tuple[str, ...] = ()
