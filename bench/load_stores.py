# SPDX-License-Identifier: Apache-2.0
"""How fast the stores answer a practice: 200 wearers x 90 days, on SQLite and on influxd.

    python -m bench.load_stores [--wearers 200] [--days 90] [--full 200] [--json OUT]

Fills a temporary folder with every epoch of `--full` wearers and the rollups of all (see
`bench.load_history`; 200 wearers need 7 GB of disk), InfluxDB with all rollups and every epoch of
`--influx-full` wearers (its rollups are measurements of their own). Then times, warm, as medians:

* A: one patient's 90 days, B: the therapist's week over all patients (day rollups);
* C: one day's epochs of one patient (what the ribbon of *Today* reads);
* writes: live batches of 50 wearers (a second of 50 Hz raw each) with and without a busy reader,
  and the sink's lines per second.

The target for A is 50 ms and for B 300 ms on SQLite; influxd (where BACKSTAY_INFLUXD names one)
stands beside it as a ratio on the same machine at the same time.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.load_history import END_NS, ZONE, P, fill, name_of, rows_in
from tests.fakes.influx_shim import Influxd, Shim
from tests.fakes.series import make_samples
from tracker.model import SECOND_NS
from tracker.settings import Settings
from tracker.store.base import Batch, DayRow
from tracker.store.influx import InfluxStore
from tracker.store.influx_lines import chunks, day_line
from tracker.store.influx_sink import LINES_PER_REQUEST, Sink
from tracker.store.influx_target import InfluxTarget
from tracker.store.sqlite import SqliteStore, open_reader, open_store


def timed(action: Callable[[], object], repeat: int = 7) -> float:
    """Median milliseconds."""
    spent = []
    for _ in range(repeat):
        begin = time.perf_counter()
        action()
        spent.append(1000 * (time.perf_counter() - begin))
    return statistics.median(spent)


def reads(
    store: SqliteStore | InfluxStore, wearers: int, rows_of: list[DayRow]
) -> dict[str, float]:
    """A, B and C in milliseconds."""
    names = [name_of(w) for w in range(wearers)]
    days = sorted({r.day for r in rows_of})
    week = days[-7:]
    got = store.days(names[0], P, days[0], days[-1])
    assert [r.values for r in got] == [r.values for r in rows_of if r.wearer == names[0]]

    def therapist() -> int:
        return sum(len(store.days(n, P, week[0], week[-1])) for n in names)

    assert therapist() == 7 * wearers
    pairs = [(n, P) for n in names]
    assert sum(map(len, store.days_of(pairs, week[0], week[-1]).values())) == 7 * wearers
    start = rows_of[len(days) - 2].start_ns
    return {
        "A: 90 days of one patient": timed(lambda: store.days(names[0], P, days[0], days[-1])),
        "B: a week of all patients": timed(
            lambda: store.days_of(pairs, week[0], week[-1], detail=False)
        ),
        "B one by one": timed(therapist, 3),
        "C: one day's epochs": timed(
            lambda: store.epochs(names[0], P, start, start + 86_400 * SECOND_NS)
        ),
    }


def live_writes(folder: Path, wearers: int, seconds: int, *, busy: bool) -> dict[str, float]:
    """Commit times of one collector that writes a second of raw of every wearer at once."""
    settings = Settings(data=folder, zone=str(ZONE))
    store = open_store(settings)
    stop = threading.Event()

    def read() -> None:
        reader = open_reader(settings)
        while not stop.is_set():
            reader.raw("w-000", P, 0, 1 << 62)
        reader.close()

    thread = threading.Thread(target=read)
    if busy:
        thread.start()
    spent = []
    for second in range(seconds):
        batches = [
            Batch(
                wearer=f"w-{w:03d}",
                placement=P,
                raw=make_samples(END_NS + second * SECOND_NS, 50, seed=w),
            )
            for w in range(wearers)
        ]
        begin = time.perf_counter()
        store.write_many(batches)
        spent.append(1000 * (time.perf_counter() - begin))
    stop.set()
    if busy:
        thread.join()
    store.close()
    return {
        "p50": statistics.median(spent),
        "p95": float(np.percentile(spent, 95)),
        "max": max(spent),
    }


def main() -> None:
    """Fill, measure, print."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--wearers", type=int, default=200)
    given.add_argument("--days", type=int, default=90)
    given.add_argument("--full", type=int, default=200)
    given.add_argument("--influx-full", type=int, default=1)
    given.add_argument("--folder", type=Path, help="where the files of this run may lie")
    given.add_argument("--json", type=Path)
    told = given.parse_args()
    out: dict[str, object] = {"wearers": told.wearers, "days": told.days, "full": told.full}
    with tempfile.TemporaryDirectory(prefix="bs-bench-", dir=told.folder) as name:
        folder = Path(name)
        settings = Settings(data=folder / "data", zone=str(ZONE))
        store = open_store(settings)
        begin = time.perf_counter()
        everything = fill(store, told.wearers, told.days, told.full)
        out["epochs"] = rows_in(store)
        print(f"filled in {time.perf_counter() - begin:.0f} s", file=sys.stderr)
        out["sqlite"] = reads(store, told.wearers, everything)
        out["sqlite_mb"] = settings.epochs_db.stat().st_size / 1e6
        program = os.environ.get("BACKSTAY_INFLUXD")
        if program:
            store.mark_all_dirty()
            with store._writing() as db:  # noqa: SLF001 - the queue of a few wearers
                db.execute("DELETE FROM dirty WHERE series > ?", (told.influx_full,))
            out["influxd"] = _influx(program, folder, settings, store, told.wearers, everything)
        store.close()
        out["live 50 wearers, ms"] = live_writes(folder / "live", 50, 60, busy=False)
        out["live 50 wearers, busy reader, ms"] = live_writes(folder / "busy", 50, 60, busy=True)
        out["load average"] = os.getloadavg()[0]
    _print(out)
    if told.json:
        told.json.write_text(json.dumps(out, indent=2) + "\n", encoding="utf-8")


def _influx(
    program: str, folder: Path, settings: Settings, store: SqliteStore, wearers: int,
    everything: list[DayRow],
) -> dict[str, float]:  # fmt: skip
    server = Influxd(program, folder / "influxd")
    server.start()
    shim = Shim(server)
    try:
        there = replace(settings, influx_url=shim.url)
        server.query('CREATE DATABASE "posture"')
        target = InfluxTarget(there)
        lines = [day_line(row) for row in everything]
        for part in chunks(lines, 500):
            target.write(part, "s")
        store.put_meta("sink_target", f"{target.url}|{target.org}|{target.bucket}")
        sink = Sink(store, target, hours_per_round=24)
        hours, begin = 0, time.perf_counter()
        while hours < 240 and (done := sink.step()):
            hours += done
        rate = hours * 720 / (time.perf_counter() - begin)
        sink.drain()
        target.close()
        reading = InfluxStore(there)
        found = reads(reading, wearers, everything)
        reading.close()
        return {**found, "sink, epochs/s": rate, "lines per request": LINES_PER_REQUEST}
    finally:
        shim.close()
        server.kill()


def _print(out: dict[str, object]) -> None:
    print(
        f"{out['wearers']} wearers x {out['days']} days, {out['epochs']:,} epochs, epochs.db "
        f"{out['sqlite_mb']:,.0f} MB, load average {out['load average']:.1f}\n"
    )
    print("| question | SQLite ms | influxd ms | ratio |\n|---|---|---|---|")
    sqlite, influx = out["sqlite"], out.get("influxd", {})
    assert isinstance(sqlite, dict)
    assert isinstance(influx, dict)
    for question, ms in sqlite.items():
        other = influx.get(question)
        beside = f"{other:.1f} | {other / ms:.1f}" if other else "- | -"
        print(f"| {question} | {ms:.1f} | {beside} |")
    if influx:
        print(f"\nsink: {influx['sink, epochs/s']:.0f} epochs/s")
    for what in ("live 50 wearers, ms", "live 50 wearers, busy reader, ms"):
        found = out[what]
        assert isinstance(found, dict)
        text = ", ".join(f"{k} {v:.1f}" for k, v in found.items())
        print(f"{what} per second of data: {text}")


if __name__ == "__main__":
    main()
