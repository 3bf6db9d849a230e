# SPDX-License-Identifier: Apache-2.0
"""SECURITY.md is true: every threat names its test, and every test it names exists."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Threats that no test of ours can cover, by the words of their last cell.
WITHOUT = ("not by a test", ".ci/run")
# What the issue of release names must each stand in the table.
MUST = (
    "sensor in the clear", "phone door", "dashboard", "stores", "Backups", "therapist",
    "room-mate", "stolen laptop",
)  # fmt: skip


def _rows() -> list[tuple[str, str]]:
    table = (ROOT / "SECURITY.md").read_text(encoding="utf-8").split("| threat |")[1]
    lines = [line for line in table.split("\n\n")[0].splitlines()[2:] if line.startswith("|")]
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines]
    return [(row[0], row[2]) for row in cells]


def _tests(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return {f.name for f in functions if f.name.startswith("test_")}


def test_every_threat_names_tests_that_exist() -> None:
    """`file::test`, and `::test` of the same file; a row without one says why."""
    rows = _rows()
    assert len(rows) > 20
    for threat, cell in rows:
        named = re.findall(r"`([\w/.]*)::(\w+)`", cell)
        assert named or any(words in cell for words in WITHOUT), f"nothing covers: {threat}"
        file = ""
        for given, test in named:
            file = given or file
            assert (ROOT / file).is_file(), f"{file} does not exist ({threat})"
            assert test in _tests(ROOT / file), f"{file} has no {test} ({threat})"


def test_the_threats_that_are_really_there_are_in_the_table() -> None:
    """Sensor, phone, pages, stores, backups, therapist, room-mate, theft."""
    threats = " ".join(threat for threat, _ in _rows())
    assert [words for words in MUST if words not in threats] == []
