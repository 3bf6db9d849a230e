# SPDX-License-Identifier: Apache-2.0
"""Which decoder a connection gets: services decide, a name alone never does."""

from collections.abc import Sequence

from firmware_protocol.registry import Decoder, best
from tracker.collect.scan import Seen
from tracker.errors import BackstayError, SensorError


class Misfit(BackstayError):
    """The services of a device are not those of its decoder."""


def beacon_of(seen: Seen, extra: Sequence[Decoder]) -> Decoder | None:
    """A decoder that needs no connection; all others are chosen by the services found."""
    choice = best(seen.advert, (), extra)
    return choice[0] if choice is not None and not choice[0].connects else None


def fitting(
    address: str,
    seen: Seen,
    services: Sequence[str],
    wanted: Decoder | None,
    extra: Sequence[Decoder],
) -> Decoder:
    """The wanted decoder if it fits, else the best. Raises Misfit or SensorError."""
    if wanted is not None:
        if wanted.match(seen.advert, services).score > 0:
            return wanted
        raise Misfit(
            f"{address} is no {wanted.title}: its services do not fit. "
            "Choose another decoder or none (`backstay scan` lists them)."
        )
    choice = best(seen.advert, services, extra)
    if choice is None:
        raise SensorError(
            f"no decoder fits {address}: `backstay scan` says what it offers; "
            "a user-described decoder can be added."
        )
    return choice[0]
