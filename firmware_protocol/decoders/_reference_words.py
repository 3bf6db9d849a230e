# SPDX-License-Identifier: Apache-2.0
"""Numbers and names of our open profile: operations, answers, characteristics (PROTOCOL.md)."""

from firmware_protocol.errors import TruncatedFrame

VERSION = 1
INVALID = -32768
EVENT = 14
CHANNELS = {0: 3, 1: 6, 2: 9, 3: 4, 4: 7}
BATCH_S = 0.2
KEEP_SAMPLING = 1

START, STOP, RANGE, REPLAY_OP, ABORT, SYNC, IDENTIFY, ERASE, SLEEP = range(1, 10)
OK, UNKNOWN_OP, BAD_PARAMETER, NOT_SUPPORTED, BUSY, WRONG_STATE, PARTLY = range(7)


def uuid(short: int) -> str:
    """A characteristic of the profile."""
    return f"4a6c{short:04x}-0aa9-4205-bea2-99d70d91da5c"


SERVICE = uuid(1)
CAPABILITIES, CONFIG, SCALE, LIVE, REPLAY, CONTROL, STATUS = (uuid(k) for k in range(2, 9))


def need(data: bytes, length: int, what: str) -> None:
    """Refuse a payload of another length than version 1 says."""
    if len(data) != length:
        raise TruncatedFrame(
            f"{what}: {len(data)} bytes, expected {length}; the device does not speak version 1"
        )
