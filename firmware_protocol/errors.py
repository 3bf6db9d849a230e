# SPDX-License-Identifier: Apache-2.0
"""Errors of the protocol layer.

::

    ProtocolError                 anything a sensor sent that cannot be used
    ├── TruncatedFrame            shorter than its own header or length says
    ├── UnknownFrame              a frame type, version or layout this decoder does not know
    ├── BadChecksum               the frame carries a checksum and it does not fit
    ├── BadField                  a field holds a value its protocol forbids
    └── BadDescription            a user-described decoder (TOML) that cannot be used

Each message says what was found and what to do next.
"""


class ProtocolError(Exception):
    """Bytes that cannot be used; the collector counts it and keeps the first payload."""


class TruncatedFrame(ProtocolError):
    """The frame ends before its own layout does."""


class UnknownFrame(ProtocolError):
    """The frame's type, version or layout is not one of this decoder's."""


class BadChecksum(ProtocolError):
    """The checksum in the frame does not match its bytes."""


class BadField(ProtocolError):
    """A field holds a value that the protocol forbids."""


class BadDescription(ProtocolError):
    """A user-described decoder names something that does not exist or cannot be read."""
