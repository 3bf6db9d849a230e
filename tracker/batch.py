# SPDX-License-Identifier: Apache-2.0
"""A recording from file to results, block by block: memory does not grow with its length.

The calibration is made from the first hours; what was read for it is kept when it is little, and
read again otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain as joined
from pathlib import Path

from tracker import chain
from tracker.errors import InputError
from tracker.model import SECOND_NS, Placement, Pose, Samples
from tracker.recording import Recording
from tracker.signal.calibrate import Axes, Calibration, calibrated
from tracker.signal.fuse import fuse
from tracker.signal.gather import Gathered, advance_gather

KEEP_SAMPLES = 1_000_000  # 32 MB with rotation


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A recording and what is known of its sensor; `calibration` replaces axes and poses."""

    path: Path
    placement: Placement
    axes: Axes | None = None
    poses: Mapping[Pose, Sequence[tuple[int, int]]] = field(default_factory=dict)
    calibration: Calibration | None = None
    must_hold_poses: bool = True  # a second sensor may have been put on later


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Analysed:
    """Results, the setup they were made with, and the first and last time of the recording."""

    results: chain.Results
    setup: chain.Setup
    span_ns: tuple[int, int]


def analyze_recording(source: Source, *, research_models: bool = True) -> Analysed:
    """Calibrate and analyse one recording. Raises RecordingError and InputError."""
    recording = Recording(source.path)
    if source.calibration is None:
        calibration, blocks = _calibrate(recording, source)
    else:
        calibration, blocks = source.calibration, recording.blocks()
    setup = chain.Setup(
        placement=source.placement, calibration=calibration, research_models=research_models
    )
    results = chain.analyze(blocks, setup)
    return Analysed(results=results, setup=setup, span_ns=_span(recording))


def analyze_two(first: Source, second: Source, *, research_models: bool = True) -> Analysed:
    """Two sensors worn at the same time, as one. Raises InputError where they do not overlap."""
    one = analyze_recording(first, research_models=research_models)
    two = analyze_recording(second, research_models=research_models)
    if two.span_ns[1] < one.span_ns[0] or two.span_ns[0] > one.span_ns[1]:
        raise InputError(
            f"{second.path}: its time does not overlap with {first.path}; both need the same time "
            "base"
        )
    return replace(one, results=fuse(one.results, two.results, one.setup, two.setup))


def _calibrate(recording: Recording, source: Source) -> tuple[Calibration, Iterator[Samples]]:
    """The calibration, and all blocks of the recording from its beginning."""
    seen, blocks = Gathered(), recording.blocks()
    kept: list[Samples] = []
    count = 0
    for block in blocks:
        seen = advance_gather(seen, block, source.poses)
        count += len(block)
        kept = [*kept, block] if count <= KEEP_SAMPLES else []
        if seen.enough(source.poses):
            break
    if source.must_hold_poses:
        _check_poses(recording, source, seen, blocks)
    calibration = calibrated(seen, source.placement, source.axes)
    return calibration, joined(kept, blocks) if kept else recording.blocks()


def _check_poses(
    recording: Recording, source: Source, seen: Gathered, rest: Iterator[Samples]
) -> None:
    for pose, spans in source.poses.items():
        for start_ns, end_ns in spans:
            if (start_ns, end_ns) in seen.met:
                continue
            for _ in rest:
                pass  # to know where the recording ends
            first, last = _span(recording)
            raise InputError(
                f"--pose {pose.value}={start_ns / SECOND_NS:g}:{end_ns / SECOND_NS:g}: "
                f"{recording.path} has no samples there; it runs from {first / SECOND_NS:g} to "
                f"{last / SECOND_NS:g} s"
            )


def _span(recording: Recording) -> tuple[int, int]:
    if recording.span_ns is None:
        raise AssertionError("a recording was not read to its end")
    return recording.span_ns
