# SPDX-License-Identifier: Apache-2.0
"""Under which names and addresses this machine can be reached at home."""

import contextlib
import socket


def own_names() -> tuple[str, ...]:
    """Names and addresses under which this machine can be reached at home, loopback included."""
    host = socket.gethostname().split(".")[0].lower() or "localhost"
    names = {"localhost", "127.0.0.1", host, f"{host}.local"}
    with contextlib.suppress(OSError):  # a machine without a resolvable name still has loopback
        names |= {str(info[4][0]) for info in socket.getaddrinfo(host, None, socket.AF_INET)}
    names |= {address for address in (_outgoing_address(),) if address}
    return tuple(sorted(names))


def _outgoing_address() -> str | None:
    """The address of the interface to the home network; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1 (RFC 5737); UDP connect sends no packet
        except OSError:
            return None
        return str(probe.getsockname()[0])
