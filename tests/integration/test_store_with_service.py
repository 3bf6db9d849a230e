# SPDX-License-Identifier: Apache-2.0
"""Commands while a real collector owns `epochs.db`: they ask it, and the result is the same."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tracker.collect.control import ControlClient
from tracker.collect.setups import record_of
from tracker.commands.backup import command as backup
from tracker.commands.erase import command as erase
from tracker.commands.reprocess import command as reprocess
from tracker.commands.restore import command as restore
from tracker.errors import StoreBusy
from tracker.model import SECOND_NS, Epochs, Placement
from tracker.settings import Settings
from tracker.signal.calibrate import calibrate
from tracker.simulation.days import workday
from tracker.store.base import Batch
from tracker.store.sqlite import open_reader, open_store

W, P = "w-1", Placement.UPPER_BACK
START = 1_782_900_000 * SECOND_NS  # a finished day of summer 2026
ALL = (0, 2**62)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A folder with a quarter of an hour of raw samples."""
    made = Settings(data=tmp_path / "data", zone="Europe/Berlin", raw_days=100_000)
    samples = workday(np.random.default_rng(3), hours=0.25, placement=P, start_ns=START).samples
    store = open_store(made)
    calibration = record_of(calibrate(samples[:1500], P), from_ns=START, kind="auto")
    store.put_calibration(W, P, calibration)
    store.write(Batch(wearer=W, placement=P, raw=samples))
    store.close()
    return made


@pytest.fixture
def collector(settings: Settings, tmp_path: Path) -> Iterator[ControlClient]:
    """A real collector on that folder."""
    env = os.environ | settings.environment() | {"PYTHONPATH": str(Path.cwd())}
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "tracker", "collect", "--no-phones"],
        env=env, cwd=tmp_path, stdout=log, stderr=log,
    )  # fmt: skip
    log.close()
    client = ControlClient(settings.data)
    try:
        deadline = time.monotonic() + 60
        while not client.running():
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            assert process.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.1)
        yield client
    finally:
        process.terminate()
        process.wait(timeout=60)


def stored(settings: Settings) -> Epochs:
    """What is stored."""
    reader = open_reader(settings)
    try:
        return reader.epochs(W, P, *ALL)
    finally:
        reader.close()


def test_reprocess_backup_and_erase_through_a_running_collector(
    settings: Settings, collector: ControlClient
) -> None:
    """Each command asks the collector, with the result that it has without one.

    Re-analysis is handed over and equals a direct one, a backup is made, a restore is refused
    here and works elsewhere, an erasure is done.
    """
    env = settings.environment()
    done = CliRunner().invoke(reprocess, [], env=env)
    assert done.exit_code == 0, done.output + str(done.exception)
    assert "1 days redone" in done.output
    through_collector = stored(settings)
    assert len(through_collector) > 150

    done = CliRunner().invoke(backup, [], env=env)
    assert done.exit_code == 0, done.output + str(done.exception)
    folder = done.output.split(" (")[0]
    refused = CliRunner().invoke(restore, [folder, "--yes"], env=env)
    assert isinstance(refused.exception, StoreBusy)
    assert stored(settings).equals(through_collector)

    elsewhere = replace(settings, data=settings.data.with_name("elsewhere"))
    back = CliRunner().invoke(restore, [folder, "--yes"], env=elsewhere.environment())
    assert back.exit_code == 0, back.output
    direct = CliRunner().invoke(reprocess, ["--force"], env=elsewhere.environment())
    assert "1 days redone" in direct.output
    assert stored(elsewhere).equals(through_collector)

    done = CliRunner().invoke(erase, [W, "--yes", "--in-backups"], env=env)
    assert done.exit_code == 0, done.output + str(done.exception)
    receipt = json.loads(done.stdout)
    assert receipt["series_rows"] > 150
    assert len(receipt["backups_cleaned"]) == 1
    assert len(stored(settings)) == 0
    assert collector.running()
