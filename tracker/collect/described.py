# SPDX-License-Identifier: Apache-2.0
"""Sensors that their owner described: every `*.toml` in `DATA/sensors`.

A description that cannot be used is said in the log and in the status, and left out; the others
serve.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from firmware_protocol.decoders.described import load
from firmware_protocol.errors import BadDescription
from firmware_protocol.registry import Decoder

log = logging.getLogger("backstay.described")

FOLDER = "sensors"
MAX_BYTES = 64_000


def described(data: Path) -> tuple[tuple[Decoder, ...], Mapping[str, str]]:
    """Decoders of the folder, and what is wrong with those that are left out, by file name."""
    found: list[Decoder] = []
    wrong: dict[str, str] = {}
    for path in sorted((data / FOLDER).glob("*.toml")):
        try:
            found.append(cast("Decoder", load(_text(path))))
        except (BadDescription, OSError, UnicodeDecodeError) as error:
            wrong[path.name] = str(error)
            log.warning("a description is left out", extra={"file": path.name, "why": str(error)})
    return tuple(found), wrong


def _text(path: Path) -> str:
    if path.stat().st_size > MAX_BYTES:
        raise BadDescription(f"larger than {MAX_BYTES} bytes: this is no description")
    return path.read_text(encoding="utf-8")
