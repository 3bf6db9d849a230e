# SPDX-License-Identifier: Apache-2.0
"""`backstay reprocess`: redo stored days with today's algorithm."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager
    from datetime import datetime

    from tracker.reprocess import DayJob


@click.command("reprocess", short_help="Redo stored days with today's algorithm.")
@click.option("--wearer", help="Only this wearer.")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="First local day.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="Last local day.")
@click.option("--force", is_flag=True, help="Also days that this version made already.")
@click.option("--processes", default=1, show_default=True, help="Processes on this machine.")
@click.option(
    "--scheduler", metavar="ADDRESS", help="A Dask scheduler, for example tcp://box:8786."
)
def command(
    wearer: str | None,
    first: "datetime | None",
    last: "datetime | None",
    force: bool,
    processes: int,
    scheduler: str | None,
) -> None:
    """Analyse stored raw samples again and replace the results, day by day.

    Finished days with raw samples only. May be interrupted: the next run goes on where it was.
    What a person confirmed or corrected stays.
    """
    from tracker.clock import clock_from_environment
    from tracker.errors import StoreError
    from tracker.reprocess import Progress, days_with_raw, make_job, reprocess
    from tracker.rights.open import series_writer
    from tracker.settings import read_settings
    from tracker.store.sqlite import open_reader

    settings = read_settings()
    clock = clock_from_environment()
    span = (
        first.date().isoformat() if first else "0000-01-01",
        last.date().isoformat() if last else "9999-12-31",
    )
    reader = open_reader(settings)
    wanted = [
        (w, p, day)
        for w, p in reader.wearers()
        if wearer in (None, w)
        for day in days_with_raw(reader, w, p, *span, clock.now_ns())
    ]

    def jobs() -> "Iterator[DayJob | None]":
        research = settings.hapt_model != "off"
        for w, p, day in wanted:
            yield make_job(reader, w, p, day, research_models=research, force=force)

    try:
        with (
            series_writer(settings, clock) as writer,
            _executor(processes, scheduler) as executor,
            click.progressbar(length=len(wanted), label="days", show_eta=True) as bar,
        ):

            def tell(progress: Progress) -> None:
                bar.update(progress.done + progress.skipped + len(progress.failed) - bar.pos)

            done = reprocess(
                reader,
                writer,
                executor,
                jobs(),
                len(wanted),
                ahead=max(4, 2 * processes),
                tell=tell,
            )
    finally:
        reader.close()
    click.echo(f"{done.done} days redone, {done.skipped} were up to date or without calibration")
    if done.failed:
        raise StoreError("these days failed and are as they were: " + "; ".join(done.failed))


def _executor(processes: int, scheduler: str | None) -> "AbstractContextManager[Executor]":
    from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
    from multiprocessing import get_context

    if scheduler is not None:
        from tracker.cluster import dask_executor

        return dask_executor(scheduler)
    if processes > 1:
        return ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
    return ThreadPoolExecutor(1)
