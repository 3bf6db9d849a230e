# SPDX-License-Identifier: Apache-2.0
"""`backstay record`: both files or none, never without consent, readable by `analyze` again."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tracker.cli import main
from tracker.commands.record import command, stored
from tracker.errors import SensorError
from tracker.model import Exercise, Placement
from tracker.recording import read_recording, write_recording
from tracker.settings import read_settings
from tracker.simulation.days import record
from tracker.simulation.drills import perform
from tracker.simulation.motions import Script
from tracker.store.base import Batch
from tracker.store.sqlite import open_store

START_NS = 1_764_000_000_000_000_000


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A simulated set of bridges as a recording."""
    script = Script(np.random.default_rng(0))
    script.stand(3)
    perform(script, Exercise.GLUTE_BRIDGE, reps=4, period_s=3)
    day = record(script, Placement.LOWER_BACK, start_ns=START_NS)
    path = tmp_path / "raw.csv"
    write_recording(path, day.samples)
    return path


def run(*args: str, answer: str = "") -> tuple[int, str]:
    """Exit code and everything printed."""
    result = CliRunner().invoke(command, list(args), input=answer)
    return result.exit_code, result.output + str(result.exception or "")


def base(recording: Path, out: Path) -> list[str]:
    """The arguments of a good call."""
    return [
        *("--label", "glute_bridge", "--reps", "4", "--placement", "lower-back"),
        *("--from-file", str(recording), "--out", str(out), "--lang", "en"),
    ]


def test_a_recording_is_labelled_and_reads_back(recording: Path, tmp_path: Path):
    """Same motion bit for bit, times from zero, label on the rows of the span, consent kept."""
    out = tmp_path / "set.csv"
    first = START_NS // 10**9
    code, text = run(*base(recording, out), "--span", f"{first + 5}:{first + 12}", answer="y\n")
    assert code == 0, text
    before, after = read_recording(recording), read_recording(out)
    assert np.array_equal(before.acc_g, after.acc_g)
    assert np.array_equal(before.t_ns - before.t_ns[0], after.t_ns)
    rows = out.read_text().splitlines()
    assert rows[0].endswith(",exercise")
    assert sum(r.endswith(",glute_bridge") for r in rows) == 7 * 50
    body = json.loads(out.with_suffix(".json").read_text())
    assert (body["exercise"], body["reps"], body["placement"]) == ("glute_bridge", 4, "lower-back")
    assert (body["start_s"], body["end_s"], body["fs_hz"]) == (5.0, 12.0, 50.0)
    assert len(body["consent"]["sha256"]) == 64
    assert "raw.csv" not in out.with_suffix(".json").read_text()


def test_without_consent_nothing_is_written(recording: Path, tmp_path: Path):
    """A no leaves no file behind."""
    out = tmp_path / "set.csv"
    code, _ = run(*base(recording, out), answer="n\n")
    assert code != 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["raw.csv"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("--label", "yoga"), "unknown exercise"),
        (("--placement", "wrist"), "unknown placement"),
        (("--reps", "0"), "--reps or --hold"),
        (("--span", "five:six"), "START:END"),
        (("--span", "0:5"), "runs from"),
        (("--out", "set.parquet"), "must end in .csv"),
        (("--axes", "x=up"), "--axes"),
    ],
)
def test_a_mistake_is_one_sentence(recording: Path, tmp_path: Path, change, sentence):
    """What is wrong and what to do; no file appears."""
    code, text = run(*base(recording, tmp_path / "set.csv"), "--yes", *change)
    assert code != 0
    assert sentence in text
    assert sorted(p.name for p in tmp_path.iterdir()) == ["raw.csv"]


def test_live_needs_a_running_collector(tmp_path: Path, monkeypatch, capsys):
    """Without one the sentence says how to start it."""
    monkeypatch.setenv("BACKSTAY_DATA", str(tmp_path))
    args = ["record", "--label", "squat", "--reps", "5", "--placement", "chest", "--yes"]
    with pytest.raises(SystemExit) as stop:
        main([*args, "--out", str(tmp_path / "x.csv")])
    assert stop.value.code == 1
    assert "backstay up" in capsys.readouterr().err


def test_a_live_set_is_read_from_the_store(recording: Path, tmp_path: Path, monkeypatch):
    """The raw samples of the marked span and 5 s around it; another wearer has none."""
    monkeypatch.setenv("BACKSTAY_DATA", str(tmp_path))
    monkeypatch.setattr("time.sleep", lambda _: None)
    settings = read_settings()
    samples = read_recording(recording)
    store = open_store(settings)
    store.write(Batch(wearer="me", placement=Placement.LOWER_BACK, raw=samples))
    store.close()
    marked = (START_NS + 8 * 10**9, START_NS + 12 * 10**9)
    got = stored(settings, "me", Placement.LOWER_BACK, marked)
    assert got.t_ns[0] == START_NS + 3 * 10**9
    assert got.t_ns[-1] < START_NS + 17 * 10**9
    with pytest.raises(SensorError, match="look at the live page"):
        stored(settings, "you", Placement.LOWER_BACK, marked)
