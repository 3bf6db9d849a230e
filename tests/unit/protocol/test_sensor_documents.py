# SPDX-License-Identifier: Apache-2.0
"""The documents about sensors against the code: every decoder listed, every example valid."""

import re
from pathlib import Path

import pytest

from firmware_protocol.decoders import _described_load, _reference_wire
from firmware_protocol.decoders.described import load
from firmware_protocol.decoders.reference import GOLDEN
from firmware_protocol.registry import decoders

ROOT = Path(__file__).resolve().parents[3]
DESCRIBED = (ROOT / "docs" / "sensors" / "user-described.md").read_text(encoding="utf-8")
PROTOCOL = (ROOT / "firmware_protocol" / "PROTOCOL.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", DESCRIBED, re.DOTALL)


def test_every_decoder_is_in_the_table() -> None:
    """A new decoder is missing from the page until it is written there, and none is invented."""
    page = (ROOT / "docs" / "sensors" / "supported.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\|[^|]+\| `([a-z0-9-]+)` \|", page, re.MULTILINE)
    assert set(listed) == set(decoders())


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_of_descriptions_load(example: str) -> None:
    """What the page shows can be copied."""
    assert load(example).services


def test_the_page_names_every_type_and_unit() -> None:
    """No type, unit or field exists that the page does not mention."""
    units = [u for group in _described_load.UNITS.values() for u in group]
    for word in (*_described_load.TYPES, *units, "skip", "counter", "time"):
        assert word in DESCRIBED


def test_the_vectors_of_the_protocol_are_those_of_the_code() -> None:
    """PROTOCOL.md prints the same bytes that the decoder is tested with."""
    printed = {
        name: bytes.fromhex(data.replace(" ", ""))
        for name, data in re.findall(r"^\| (OP-\d+) \| `([0-9A-F ]+)`", PROTOCOL, re.MULTILINE)
    }
    for case in GOLDEN:
        if case.name in printed and case.name not in {"OP-9", "OP-10"}:
            assert printed[case.name] == case.frame.payload, case.name
    assert len(printed) >= 12


def test_the_uuids_of_the_protocol_are_those_of_the_code() -> None:
    """The table's short numbers and the base UUID."""
    assert _reference_wire.uuid(0xABCD).upper() in PROTOCOL.replace("xxxx", "ABCD").upper()
    rows = re.findall(r"^\| (000\d) \| (?:service|characteristic)", PROTOCOL, re.MULTILINE)
    assert rows == [f"{k:04}" for k in range(1, 9)]
