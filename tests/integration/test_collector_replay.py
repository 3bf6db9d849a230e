# SPDX-License-Identifier: Apache-2.0
"""`backstay replay`: a recording through the live path gives what the batch analysis gives."""

from pathlib import Path

import numpy as np
import pytest

from tracker import chain
from tracker.cli import main
from tracker.collect.setups import setups
from tracker.model import EPOCH_COLUMNS, EPOCH_NS, Placement
from tracker.recording import read_recording, write_recording
from tracker.settings import read_settings
from tracker.simulation.days import workday
from tracker.store.sqlite import open_reader

PLACE = Placement.UPPER_BACK
AXES = "x=forward,y=left,z=up"


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Five minutes of a desk day with relative times."""
    path = tmp_path / "rec.csv"
    write_recording(path, workday(np.random.default_rng(4), hours=1 / 12).samples)
    return path


def run(*words: str) -> int:
    """The command's exit code."""
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return int(str(ended.value.code))


@pytest.mark.parametrize("decoder", ["", "reference"])
def test_replay_equals_analyze(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decoder: str
) -> None:
    """Same epochs as one analysis of what is stored; without a decoder also of the file itself."""
    data = tmp_path / "data"
    monkeypatch.setenv("BACKSTAY_DATA", str(data))
    words = ["replay", str(recording), "--speed", "200", "--wearer", "w1", "--axes", AXES]
    assert run(*words, "--quiet", *(["--decoder", decoder] if decoder else [])) == 0
    reader = open_reader(read_settings())
    raw = reader.raw("w1", PLACE, 0, 1 << 62)
    setup = setups(PLACE, (), {}, axes=AXES)[0].setup
    found = reader.epochs("w1", PLACE, 0, 1 << 62)
    assert found.equals(chain.analyze(raw, setup).epochs)
    original = read_recording(recording)
    if not decoder:
        assert np.array_equal(raw.acc_g, original.acc_g)
        wanted = chain.analyze(original, setup).epochs
        assert len(found) == len(wanted)
        for column in EPOCH_COLUMNS[1:]:
            assert np.array_equal(getattr(found, column), getattr(wanted, column), equal_nan=True)
    assert (found.start_ns % EPOCH_NS == 0).all()
    reader.close()


def test_bad_words_are_refused_before_anything_is_written(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """A wrong placement, axis, decoder or file: one sentence, code 1 or 2, no data folder."""
    data = tmp_path / "data"
    monkeypatch.setenv("BACKSTAY_DATA", str(data))
    for words, code, said in (
        (["--placement", "head"], 2, "known are"),
        (["--axes", "x=up"], 2, "--axes"),
        (["--decoder", "nonsense"], 2, "known are"),
        (["--speed", "0"], 2, "speed"),
    ):
        assert run("replay", str(recording), *words) == code
        assert said in capsys.readouterr().err
    assert run("replay", str(tmp_path / "none.csv")) == 1
    assert not data.exists()
