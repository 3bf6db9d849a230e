# SPDX-License-Identifier: Apache-2.0
"""The processes of the long day, a phone as it behaves, and the faults that happen to them."""

import itertools
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.fakes.influx_shim import Influxd
from tracker.clock import Clock
from tracker.collect.control import ControlClient
from tracker.model import SECOND_NS, Placement, Samples
from tracker.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SPEED = float(os.environ.get("BACKSTAY_SOAK_SPEED", "60"))
HOURS = float(os.environ.get("BACKSTAY_SOAK_HOURS", "8"))
TAIL_HOURS = SPEED / 60  # motion goes on for a real minute, so that the day's end can be delivered
RING = 200_000  # the board's memory: more than an hour at 50 Hz
CLOCK_START_NS = 1_795_420_800_000_000_000  # Monday 2026-11-23 08:00 UTC
OWN, POLAR = "C0:00:00:00:00:02", "C0:00:00:00:00:01"
PLACES = {OWN: Placement.UPPER_BACK, POLAR: Placement.WAIST, "phone": Placement.CHEST}


@dataclass(slots=True)
class World:
    """Every process of the day and what was seen of it."""

    settings: Settings
    clock: Clock
    environment: dict[str, str]
    radio: "subprocess.Popen[str]"
    influxd: Influxd
    processes: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)
    memory: list[tuple[float, str, int, float]] = field(default_factory=list)
    start_ns: int = CLOCK_START_NS  # when the first sample is taken; set once all are connected
    faults: Counter[str] = field(default_factory=Counter)
    looks: Counter[str] = field(default_factory=Counter)

    @property
    def control(self) -> ControlClient:
        """The collector's local door."""
        return ControlClient(self.settings.data)

    def hour(self) -> float:
        """Hours since the day began."""
        return (self.clock.now_ns() - self.start_ns) / SECOND_NS / 3600

    @property
    def end_ns(self) -> int:
        """When the day ends; motion goes on a little longer."""
        return self.start_ns + int(HOURS * 3600) * SECOND_NS

    def start(self, name: str) -> None:
        """Start the collector or the dashboard."""
        words = {"collector": ["tests.soak.collector"], "dashboard": ["dashboard.serve"]}[name]
        with (self.settings.data.parent / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *words], cwd=ROOT, env=self.environment, stdout=log,
                stderr=log,
            )  # fmt: skip

    def tell_radio(self, **order: Any) -> dict[str, Any]:
        """One order to the fake radio, one answer."""
        assert self.radio.stdin is not None
        assert self.radio.stdout is not None
        self.radio.stdin.write(json.dumps(order) + "\n")
        self.radio.stdin.flush()
        while True:
            answer = json.loads(self.radio.stdout.readline())
            if "ended" not in answer:
                return dict(answer)

    def look_at_memory(self) -> None:
        """Resident megabytes of both processes now."""
        for name, process in self.processes.items():
            try:
                pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
            except (OSError, IndexError):
                continue
            megabytes = pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
            self.memory.append((self.hour(), name, process.pid, megabytes))


def until(condition: Callable[[], object], what: str, seconds: float = 120) -> None:
    """Wait (machine seconds) until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.1)


class Phone(threading.Thread):
    """Our phone page as it behaves: numbered batches, kept while offline, some sent twice."""

    def __init__(self, world: World, samples: Samples, token: str) -> None:
        super().__init__(name="phone")
        self.world, self.token = world, token
        self.samples = replace(samples, t_ns=samples.t_ns - samples.t_ns[0] + world.start_ns)
        self.offline = False
        self.ended = False
        self.sent = self.refused = 0
        self._url = f"https://127.0.0.1:{world.settings.http_port}/phone/batch"
        self._context = ssl._create_unverified_context()  # noqa: S323

    def run(self) -> None:
        """Ten seconds of motion a batch, in order, until the motion is over and all is taken."""
        waiting: list[tuple[slice, int]] = []
        times = self.samples.t_ns
        taken, number = 0, 0
        while not self.ended and (taken < len(times) or waiting):
            now_ns = self.world.clock.now_ns()
            while taken < len(times) and times[min(taken + 500, len(times)) - 1] <= now_ns:
                part = slice(taken, min(taken + 500, len(times)))
                taken, number = part.stop, number + 1
                waiting.append((part, number))
                if number % 20 == 0:
                    waiting.append(waiting[-1])
            if waiting and not self.offline and self._post(self._body(*waiting[0])):
                waiting.pop(0)
                self.sent += 1
                continue
            time.sleep(0.06)

    def _body(self, part: slice, number: int) -> bytes:
        origin_ns = self.world.start_ns
        t_ms = (self.samples.t_ns[part] - origin_ns) / 1e6
        acc = np.round(self.samples.acc_g[part].astype(float) * 9.80665, 4)
        rows = [[round(t, 3), *a] for t, a in zip(t_ms.tolist(), acc.tolist(), strict=True)]
        body = {
            "v": 1, "src": "devicemotion", "session": "soak", "batch": number,
            "t0": origin_ns // 1_000_000, "s": rows,
            "at": (self.world.clock.now_ns() - origin_ns) / 1e6,
        }  # fmt: skip
        return json.dumps(body).encode()

    def _post(self, body: bytes) -> bool:
        request = urllib.request.Request(self._url, data=body)  # noqa: S310 - loopback
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=20, context=self._context) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except urllib.error.HTTPError as error:
            with error:
                self.refused += error.code not in (429, 503)
            time.sleep(0.2)
        except OSError:
            time.sleep(0.2)
        return False


class Faults:
    """One fault after the other; each ends before the next begins."""

    def __init__(self, world: World, phone: Phone) -> None:
        self.world, self.phone = world, phone
        self._order = itertools.cycle(
            [self.links, self.influx_freezes, self.adapter, self.phone_offline, self.links,
             self.away, self.bluetoothd, self.influx_killed, self.silent]
        )  # fmt: skip
        self._kills = [0.1 * HOURS, 0.3 * HOURS]

    def one(self) -> None:
        """The next fault."""
        if self._kills and self.world.hour() > self._kills[0]:
            self._kills.pop(0)
            fault = self.collector_killed
        else:
            fault = next(self._order)
        fault()
        self.world.faults[fault.__name__] += 1

    def _sleep(self, seconds: float) -> None:
        time.sleep(self.world.clock.real_s(seconds))

    def links(self) -> None:
        """Both links break."""
        for address in (OWN, POLAR):
            self.world.tell_radio(do="lose_link", address=address)

    def away(self) -> None:
        """The wearer goes for a coffee: out of reach for a minute and a half."""
        for reach in (False, True):
            for address in (OWN, POLAR):
                self.world.tell_radio(do="set", address=address, in_range=reach)
                if not reach:
                    self.world.tell_radio(do="lose_link", address=address)
            self._sleep(90 if not reach else 0)

    def silent(self) -> None:
        """Connected, but nothing comes."""
        for silent in (True, False):
            self.world.tell_radio(do="set", address=OWN, silent=silent)
            self._sleep(max(10, 2 * SPEED))

    def adapter(self) -> None:
        """Bluetooth is switched off for ten seconds."""
        self.world.tell_radio(do="power", on=False)
        self._sleep(10)
        self.world.tell_radio(do="power", on=True)

    def bluetoothd(self) -> None:
        """The Bluetooth daemon crashes and comes back."""
        self.world.tell_radio(do="crash")
        self._sleep(10)
        self.world.tell_radio(do="start")

    def influx_freezes(self) -> None:
        """InfluxDB hangs for two minutes."""
        self.world.influxd.freeze()
        self._sleep(120)
        self.world.influxd.thaw()

    def influx_killed(self) -> None:
        """InfluxDB is killed and started again."""
        self.world.influxd.kill()
        self._sleep(60)
        self.world.influxd.start()

    def phone_offline(self) -> None:
        """The phone leaves the network for eight minutes; the day goes on."""
        self.phone.offline = True
        threading.Timer(self.world.clock.real_s(480), self._phone_back).start()

    def _phone_back(self) -> None:
        self.phone.offline = False

    def collector_killed(self) -> None:
        """`kill -9` of the collector."""
        self.world.processes["collector"].send_signal(signal.SIGKILL)
        self.world.processes["collector"].wait()
        self.world.start("collector")
        until(self.world.control.running, "the collector does not come back")
