# SPDX-License-Identifier: Apache-2.0
"""A device's clock fitted to UTC from nothing but arrival times, robust against delay.

A notification never arrives before its last sample was taken, so the true line
``utc = a + (1 + drift) * device`` lies below all arrivals and touches the fastest ones. Fitted is
the supporting line of the lower convex hull over the mean device time, which minimises the summed
distance from above (Moon, Skelly, Towsley: "Estimation and removal of clock skew from network
delay measurements", INFOCOM 1999). Deviations: only the earliest arrival of each bucket is kept;
the slope is shrunk towards zero while the observed span is short, and bounded (crystals stay
within +-500 ppm), so that a burst cannot bend the line.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockParams:
    """How far a clock is trusted.

    bound     largest |drift| (500e-6: bad crystal plus temperature)
    bucket_ns one earliest arrival is kept per bucket of device time
    window_ns arrivals older than this (device time) are forgotten
    hold_ns   only arrivals newer than this hold the line down; older ones give the slope alone
    trust_ns  span at which half of a measured slope is believed
    settle_ns output time approaches the line exponentially with this time constant ...
    slew      ... but never faster than this, seconds per second
    jump_ns   lateness that, lasting `persist_ns`, means a clock jumped
    early_ns  earliness that is impossible without a jump or a reset
    reset_ns  lateness that no link buffers: a jump at once
    """

    bound: float = 500e-6
    bucket_ns: int = 10 * S
    window_ns: int = 1800 * S
    hold_ns: int = 1800 * S
    trust_ns: int = 120 * S
    settle_ns: int = 20 * S
    slew: float = 5e-3
    jump_ns: int = S
    persist_ns: int = 15 * S
    early_ns: int = 2 * S
    reset_ns: int = 60 * S


DEVICE_CLOCK = ClockParams()
# Without device time the "clock" is the running sample count over the nominal rate. The real
# rate may be several percent off (LSM6DS3 data sheet: ODR tolerance; micro:bit-dal #355: 18 ms
# for a nominal 20), and each lost packet shifts the count, so: wide bound, short memory.
SAMPLE_COUNT = ClockParams(
    bound=0.25,
    bucket_ns=S,
    window_ns=30 * S,
    hold_ns=8 * S,
    trust_ns=S,
    settle_ns=4 * S,
    slew=0.2,
    jump_ns=2 * S // 5,
    persist_ns=5 * S,
    early_ns=10 * S,
    reset_ns=10 * S,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFit:
    """The line and what it was fitted to. Times are int ns; `drift` is utc per device minus 1."""

    dev_ns: int
    utc_ns: int
    drift: float = 0.0
    points: tuple[tuple[int, int], ...] = ()
    best: tuple[int, int] = (0, 0)
    late_since_ns: int | None = None
    late_least_ns: int = 0

    def utc(self, dev_ns: int) -> int:
        """UTC of a device time."""
        passed = dev_ns - self.dev_ns
        return self.utc_ns + passed + round(passed * self.drift)

    def device(self, utc_ns: int) -> int:
        """Device time of a UTC."""
        return self.dev_ns + round((utc_ns - self.utc_ns) / (1.0 + self.drift))


def begin(dev_ns: int, arrival_ns: int, drift: float = 0.0) -> ClockFit:
    """A line through the first arrival."""
    return ClockFit(dev_ns=dev_ns, utc_ns=arrival_ns, drift=drift, best=(dev_ns, arrival_ns))


def observe(
    fit: ClockFit, dev_ns: int, arrival_ns: int, params: ClockParams
) -> tuple[ClockFit, bool]:
    """Add one arrival. Returns the new line and whether a jump made it start anew."""
    late = arrival_ns - fit.utc(dev_ns)
    if late < -params.early_ns or late > params.reset_ns:
        return begin(dev_ns, arrival_ns, fit.drift), True
    if late < 0:
        fit = replace(fit, utc_ns=fit.utc_ns + late, late_since_ns=None)
    elif late <= params.jump_ns:
        if fit.late_since_ns is not None:
            fit = replace(fit, late_since_ns=None)
    elif fit.late_since_ns is None:
        fit = replace(fit, late_since_ns=dev_ns, late_least_ns=late)
    elif dev_ns - fit.late_since_ns > params.persist_ns:
        return begin(dev_ns, arrival_ns, fit.drift), True

    best_dev, best_utc = fit.best
    if dev_ns // params.bucket_ns != best_dev // params.bucket_ns:
        return _refit(fit, (dev_ns, arrival_ns), params), False
    if arrival_ns - fit.utc(dev_ns) < best_utc - fit.utc(best_dev):
        fit = replace(fit, best=(dev_ns, arrival_ns))
    return fit, False


def _refit(fit: ClockFit, newest: tuple[int, int], params: ClockParams) -> ClockFit:
    """Close a bucket and lay the line under all kept arrivals."""
    oldest = newest[0] - params.window_ns
    points = (*(p for p in fit.points if p[0] >= oldest), fit.best)
    dev0 = points[0][0]
    base = fit.points[0][1] - fit.points[0][0] if fit.points else fit.best[1] - fit.best[0]
    # Delays in ns against a clock without drift; floats are exact enough here (below 2^53).
    xy = [(float(d - dev0), float(u - d - base)) for d, u in points]
    span = xy[-1][0]
    slope = _hull_slope(xy)
    slope *= span * span / (span * span + float(params.trust_ns) ** 2)
    slope = min(max(slope, -params.bound), params.bound)
    held = max(0.0, xy[-1][0] - params.hold_ns)
    offset = min(y - slope * x for x, y in xy if x >= held)
    dev = points[-1][0]
    utc = dev + base + round(offset + slope * float(dev - dev0))
    return replace(fit, dev_ns=dev, utc_ns=utc, drift=slope, points=points, best=newest)


def _hull_slope(xy: list[tuple[float, float]]) -> float:
    """Slope of the lower convex hull over the mean x; 0 for a single point."""
    hull: list[tuple[float, float]] = []
    for x, y in xy:
        while len(hull) >= 2:
            (x1, y1), (x2, y2) = hull[-2], hull[-1]
            if (x2 - x1) * (y - y1) > (y2 - y1) * (x - x1):
                break
            hull.pop()
        hull.append((x, y))
    mean = sum(x for x, _ in xy) / len(xy)
    for (x1, y1), (x2, y2) in pairwise(hull):
        if x2 >= mean and x2 > x1:
            return (y2 - y1) / (x2 - x1)
    return 0.0
