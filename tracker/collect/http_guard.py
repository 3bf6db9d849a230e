# SPDX-License-Identifier: Apache-2.0
"""What stands before the phone door: token, size, patience, rate. Every refusal is counted.

Limits are generous for a phone (two batches a second of a few kB) and tight for everything else.
"""

import asyncio
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import Protocol

from starlette.requests import ClientDisconnect, Request

from tracker.clock import Clock
from tracker.collect.devices import Device


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of the door; seconds are real ones, because they guard against real clients."""

    body_bytes: int = 2_000_000  # ten minutes of an offline phone in one body
    body_s: float = 10.0
    per_s: float = 20.0  # requests a second of one device, with a burst of three times as many
    failures: int = 10  # wrong tokens from one address before it has to wait ...
    failures_s: float = 60.0  # ... so long


class Tokens(Protocol):
    """A register that knows whose token it is."""

    def of_token(self, token: str) -> Device | None:
        """The device of a token, or None."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer that is no: status, machine-readable reason, sentence for the person."""

    status: int
    reason: str
    text: str
    retry_s: int | None = None


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_s: float


@dataclass(slots=True)
class Guard:
    """Checks requests against the register of devices and the limits."""

    devices: Tokens
    clock: Clock
    limits: Limits = field(default_factory=Limits)
    refused: Counter[str] = field(default_factory=Counter)
    _buckets: "OrderedDict[str, _Bucket]" = field(default_factory=OrderedDict)
    _failures: "OrderedDict[str, _Bucket]" = field(default_factory=OrderedDict)

    def admit(self, request: Request, now_s: float) -> Device | Refused:
        """The device whose token the request carries, or why not."""
        address = request.client.host if request.client else "?"
        if not _take(self._failures, address, now_s, 0.0, self._fail_rate, self.limits.failures):
            return self._no(429, "too_many_failures", "Too many wrong tokens: wait a minute.", 60)
        device = self.devices.of_token(_token(request))
        if device is None:
            _take(self._failures, address, now_s, 1.0, self._fail_rate, self.limits.failures)
            if not _token(request):
                return self._no(401, "no_token", "This door needs the phone's own token.")
            return self._no(401, "wrong_token", "This token is not valid: pair the phone again.")
        burst = 3 * self.limits.per_s
        if not _take(self._buckets, device.id, now_s, 1.0, self.limits.per_s, burst):
            return self._no(429, "too_fast", "Too many requests: send larger batches.", 1)
        return device

    @property
    def _fail_rate(self) -> float:
        return self.limits.failures / self.limits.failures_s

    async def body(self, request: Request) -> bytes | Refused:
        """The whole body within size and time."""
        announced = request.headers.get("content-length", "0")
        if announced.isdigit() and int(announced) > self.limits.body_bytes:
            return self._too_large()
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self.limits.body_s):
                async for part in request.stream():
                    size += len(part)
                    if size > self.limits.body_bytes:
                        return self._too_large()
                    parts.append(part)
        except TimeoutError:
            return self._no(408, "slow_body", "The body came too slowly: try again.")
        except ClientDisconnect:
            return self._no(400, "broken_off", "The connection ended before the body did.")
        return b"".join(parts)

    def _too_large(self) -> Refused:
        mb = self.limits.body_bytes / 1e6
        return self._no(413, "too_large", f"At most {mb:.0f} MB at once: send smaller batches.")

    def refuse(self, status: int, reason: str, text: str) -> Refused:
        """Count a refusal that another part of the door decided on."""
        return self._no(status, reason, text)

    def _no(self, status: int, reason: str, text: str, retry_s: int | None = None) -> Refused:
        self.refused[reason] += 1
        return Refused(status, reason, text, retry_s)


def _token(request: Request) -> str:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and value:
        return value.strip()
    # Sensor Logger has one field for the address; its token rides in it, inside HTTPS.
    return request.query_params.get("token", "")


def _take(
    buckets: "OrderedDict[str, _Bucket]",
    key: str,
    now_s: float,
    cost: float,
    per_s: float,
    burst: float,
) -> bool:
    """Token bucket: whether `cost` may be taken now (`cost` 0 only looks)."""
    bucket = buckets.pop(key, None) or _Bucket(tokens=burst, at_s=now_s)
    bucket.tokens = min(burst, bucket.tokens + (now_s - bucket.at_s) * per_s)
    bucket.at_s = now_s
    buckets[key] = bucket
    while len(buckets) > 1000:  # addresses come and go; the oldest are forgotten
        buckets.popitem(last=False)
    if bucket.tokens < max(cost, 1.0):
        return False
    bucket.tokens -= cost
    return True
