# SPDX-License-Identifier: Apache-2.0
"""The speed bench's table: medians, scaling, ratios, and a sentence where a peer is missing."""

from bench.peers.page import page
from bench.peers.plan import OURS, PEERS
from bench.peers.table import HEAD, Row, Run, bars, parts_table, ratio, table


def run(cpu_s: float, reference_s: float = 0.5, **parts: float) -> Run:
    """One measured process."""
    return Run(cpu_s=cpu_s, reference_s=reference_s, peak_mb=40.0, parts=parts)


def row(name: str, *runs: Run, hours: float = 24.0, missing: str = "") -> Row:
    """One line of the table."""
    return Row(package=name, version="1.2", work="w", hours=hours, runs=runs, missing=missing)


OURS_ROW = row("ours", run(1.0), run(9.0), run(2.0))


def test_median_of_the_runs_scaled_to_a_day():
    """One slow run does not move the figure; three hours count eight times."""
    assert OURS_ROW.cpu_s_day == 2.0
    assert row("peer", run(5.0), hours=3.0).cpu_s_day == 40.0
    assert ratio(row("peer", run(5.0), hours=3.0), OURS_ROW) == 20.0


def test_each_run_is_measured_by_its_own_neighbours():
    """Twice as slow a machine doubles both, and the count of reference passes stays."""
    assert row("peer", run(1.0, 0.5), run(2.0, 1.0)).references == 2.0
    assert row("peer", run(1.0, 0.5), hours=12.0).references == 4.0


def test_table_names_spans_and_missing_peers():
    """A shortened span and an absent peer both say so; ours is 1."""
    rows = [
        OURS_ROW,
        row("short", run(5.0), hours=3.0),
        row("absent", missing="absent==1 could not be installed: no wheel"),
    ]
    lines = table(rows, OURS_ROW)
    assert lines[:2] == list(HEAD)
    assert "| 24 h | 2.00 | **1.0** |" in lines[2]
    assert "| 3 h, scaled | 40.00 | **20.0** |" in lines[3]
    assert "could not be installed" in lines[4]
    assert {line.count("|") for line in lines} == {HEAD[0].count("|")}


def test_parts_are_scaled_as_the_whole_is():
    """The parts of compound work add up to it."""
    compound = row("peer", run(3.0, a=1.0, b=2.0), hours=12.0)
    assert compound.parts == {"a": 2.0, "b": 4.0}
    assert sum(compound.parts.values()) == compound.cpu_s_day
    assert parts_table([compound])[2:] == ["| peer | a | 2.00 |", "| peer | b | 4.00 |"]


def test_bars_say_what_is_not_met():
    """Each bar names the figure and whether it holds; without the peer it is not judged."""
    slow = bars([OURS_ROW, row("scikit-digital-health", run(20.0))], OURS_ROW)
    assert [line.rsplit("| ", 1)[1] for line in slow[2:]] == ["no |", "yes |", "no |"]
    assert "10.0" in slow[4]
    fast = row("ours", run(0.3))
    held = bars([fast, row("scikit-digital-health", run(20.0))], fast)
    assert all(line.endswith("| yes |") for line in held[2:])
    assert bars([OURS_ROW], OURS_ROW)[-1].endswith("| not measured |")


def test_every_peer_is_pinned_and_says_what_it_does_not_do():
    """A ratio without that is not a comparison."""
    assert {p.name for p in PEERS} == {
        "scikit-digital-health", "actipy", "mobgap", "acti-motus", "vqf",
    }  # fmt: skip
    for peer in (OURS, *PEERS):
        assert peer is OURS or peer.requirement.startswith(f"{peer.name}==")
        assert all(step.does and step.does_not for step in peer.steps)


def test_page_states_the_run():
    """Machine, date, spread of the reference and the limits of the comparison are on the page."""
    machine = dict.fromkeys(("processor", "cores", "system", "python", "numpy", "scipy"), "chip")
    found = {
        "machine": machine, "reference_s": [0.5, 0.9], "load_average": [None, None],
        "date": "2026-01-02", "repeat": 3, "seed": 7,
    }  # fmt: skip
    text = page(found, [OURS_ROW], [(OURS, OURS.steps[0])])
    assert "2026-01-02; chip" in text
    assert "0.50 to 0.90 CPU s" in text
    assert "says nothing about accuracy" in text
    assert OURS.steps[0].does_not in text
    assert "Load average" not in text
