# SPDX-License-Identifier: Apache-2.0
"""Redo stored days with today's algorithm, day by day, on any `concurrent.futures.Executor`.

A job is a local day of one wearer and placement: it carries its raw samples (packed), so it runs in
another process or on another machine. It begins with the stretch of samples that reaches into the
day, at most a day earlier, so that the first hours see the same past as they did live. Each day is
one transaction per stretch; its epochs name what made them (`algo`: version, parameters and a hash
of calibration and samples). A day that has that name already is skipped, so an interrupted run
resumes where it was.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Protocol

import numpy as np

from tracker import chain
from tracker.collect.joined import join_results
from tracker.collect.setups import Since, at, setups
from tracker.corrections import Told, corrected, corrections
from tracker.errors import BackstayError
from tracker.model import EPOCH_NS, SECOND_NS, Placement, Samples
from tracker.signal.results import Results
from tracker.store.base import Batch
from tracker.store.codec import pack_samples, unpack_samples
from tracker.store.sqlite_read import SqliteReader
from tracker.units import day_bounds_ns, local_date

DAY_NS = 86_400 * SECOND_NS
AHEAD_NS = 900 * SECOND_NS  # what the chain may still change after it has seen an epoch
MEMORY_NS = 600 * SECOND_NS  # a longer hole parts what came before from what comes after


@dataclass(frozen=True, slots=True, kw_only=True)
class DayJob:
    """Everything that one day needs; plain data, may travel to another machine."""

    wearer: str
    placement: Placement
    day: str
    start_ns: int
    end_ns: int
    spans: tuple[tuple[int, int], ...]  # stretches of raw inside the day, half-open
    raw: bytes
    known: tuple[Since, ...]
    corrections: tuple[Told, ...]
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is."""

    total: int
    done: int = 0
    skipped: int = 0
    failed: tuple[str, ...] = ()


class Writes(Protocol):
    """The embedded store, or the collector that owns it."""

    def write(self, batch: Batch) -> None:
        """Replace the results of a span."""


def days_with_raw(
    store: SqliteReader, wearer: str, placement: Placement, first: str, last: str, now_ns: int
) -> list[date]:
    """The wearer's finished local days that have raw samples."""
    tz = store.zone_of(wearer)
    found: set[date] = set()
    for start, end in store.raw_spans(wearer, placement):
        day, stop = local_date(start, tz), local_date(end, tz)
        while day <= stop:
            found.add(day)
            day += timedelta(days=1)
    return sorted(
        d
        for d in found
        if first <= d.isoformat() <= last and day_bounds_ns(d, tz)[1] + AHEAD_NS <= now_ns
    )


def make_job(
    store: SqliteReader,
    wearer: str,
    placement: Placement,
    day: date,
    *,
    research_models: bool = True,
    force: bool = False,
) -> DayJob | None:
    """The job of one day; None where it is done already (or nothing is known of the mounting)."""
    start_ns, end_ns = day_bounds_ns(day, store.zone_of(wearer))
    settings = store.wearer_settings(wearer)
    axes = next(
        (
            str(s.options.get("axes", ""))
            for s in store.sensors()
            if (s.wearer, s.placement) == (wearer, placement)
        ),
        "",
    )
    known = setups(
        placement,
        store.calibrations(wearer, placement),
        settings,
        axes=axes,
        research_models=research_models,
    )
    stretches = store.raw_spans(wearer, placement, start_ns - DAY_NS, end_ns + AHEAD_NS)
    inside = _inside(stretches, start_ns, end_ns)
    if not known or not inside:
        return None
    mark = _mark(known, inside, settings.get("corrections"))
    done = store.epochs(wearer, placement, inside[-1][0], inside[-1][1]).algo
    if done.endswith(mark) and not force:
        return None
    raw = store.raw(wearer, placement, _begin(stretches, start_ns), end_ns + AHEAD_NS)
    return DayJob(
        wearer=wearer,
        placement=placement,
        day=day.isoformat(),
        start_ns=start_ns,
        end_ns=end_ns,
        spans=tuple(inside),
        raw=pack_samples(raw, compress=True),
        known=tuple(known),
        corrections=corrections(settings, placement),
        mark=mark,
    )


def run_job(job: DayJob) -> list[Batch]:
    """Analyse one day; the batches that replace its stretches. Pure: no store, no clock."""
    results = _analyse(unpack_samples(job.raw), job.known)
    return [_part(job, results, span) for span in job.spans]


def reprocess(
    store: SqliteReader,
    writer: Writes,
    executor: Executor,
    jobs: Iterator[DayJob | None],
    total: int,
    *,
    ahead: int = 4,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Run jobs, at most `ahead` at once, and write each day as it comes back.

    A day that fails is named in `failed` and the others go on.
    """
    at_work: dict[Future[list[Batch]], DayJob] = {}
    progress = Progress(total=total)

    def collect(when: str = FIRST_COMPLETED) -> None:
        nonlocal progress
        finished, _ = wait(at_work, return_when=when)
        for future in finished:
            job = at_work.pop(future)
            try:
                for batch in future.result():
                    writer.write(batch)
            except (BackstayError, ValueError, ArithmeticError, OSError) as error:
                sentence = f"{job.wearer} {job.placement} {job.day}: {error}"
                progress = replace(progress, failed=(*progress.failed, sentence))
            else:
                progress = replace(progress, done=progress.done + 1)
            tell(progress)

    for job in jobs:
        if job is None:
            progress = replace(progress, skipped=progress.skipped + 1)
            tell(progress)
            continue
        at_work[executor.submit(run_job, job)] = job
        if len(at_work) >= ahead:
            collect()
    while at_work:
        collect()
    return progress


def _analyse(raw: Samples, known: Sequence[Since]) -> Results:
    """The chain over all samples, with the setup that holds at each time."""
    parts: list[Results] = []
    cuts = [0, *(int(np.searchsorted(raw.t_ns, s.from_ns)) for s in known[1:]), len(raw)]
    edges = sorted({c for c in cuts if 0 <= c <= len(raw)})
    for a, b in pairwise(edges):
        index = at(known, int(raw.t_ns[a])) or 0
        parts.append(chain.analyze(raw[a:b], known[index].setup))
    return join_results(parts)


def _part(job: DayJob, results: Results, span: tuple[int, int]) -> Batch:
    a, b = span
    starts = results.epochs.start_ns
    epochs = results.epochs[(starts >= a) & (starts < b)]
    epochs = corrected(epochs, job.corrections)
    return Batch(
        wearer=job.wearer,
        placement=job.placement,
        epochs=replace(epochs, algo=f"{results.epochs.algo} {job.mark}"),
        transitions=[t for t in results.transitions if a <= t.at_ns < b],
        sets=[s for s in results.sets if a <= s.start_ns < b],
        replace_from_ns=a,
        replace_to_ns=b,
    )


def _inside(
    stretches: Sequence[tuple[int, int]], start_ns: int, end_ns: int
) -> list[tuple[int, int]]:
    """Stretches cut to a day, on the epoch grid, half-open; neighbours joined."""
    found: list[tuple[int, int]] = []
    for first, last in stretches:
        a = max(first // EPOCH_NS * EPOCH_NS, start_ns)
        b = min(last // EPOCH_NS * EPOCH_NS + EPOCH_NS, end_ns)
        if a >= b:
            continue
        if found and a <= found[-1][1]:
            found[-1] = (found[-1][0], max(b, found[-1][1]))
        else:
            found.append((a, b))
    return found


def _begin(stretches: Sequence[tuple[int, int]], start_ns: int) -> int:
    """Where the past begins that still bears on the first minutes of a day."""
    begin = start_ns
    for first, last in reversed(stretches):
        if first < begin and begin - last <= MEMORY_NS:
            begin = first
    return max(begin, start_ns - DAY_NS)


def _mark(known: Sequence[Since], spans: Sequence[tuple[int, int]], corrections: object) -> str:
    told = json.dumps(
        [[s.from_ns, asdict(s.setup), s.setup.algo] for s in known], sort_keys=True, default=str
    )
    text = json.dumps([told, list(spans), corrections], default=str)
    return f"day-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
