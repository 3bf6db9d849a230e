# SPDX-License-Identifier: Apache-2.0
"""The fake `org.bluez` as a process of its own, for end-to-end tests with a real collector.

    python tests/fakes/bluez_process.py --bus unix:path=... [--sensors FILE.json]

The clock comes from BACKSTAY_CLOCK / BACKSTAY_CLOCK_ORIGIN, as for every process of ours. FILE
holds a list of sensors; stdin takes one JSON object a line, stdout answers one a line:

    {"do": "add", "address": "C0:..", "decoder": "reference", "recording": "x.csv",
     "rate_hz": 50, "seg": null, "model": "H10", "ring": 40000, "start_s": 2, "play": true}
    {"do": "play", "address": ..., "start_s": 0}     begin to move (seconds from now, by the clock)
    {"do": "lose_link" | "status", "address": ...}
    {"do": "set", "address": ..., "in_range": false, "silent": true, "rssi_dbm": -90, ...}
    {"do": "power", "on": false} {"do": "unplug"} {"do": "plug"}
    {"do": "crash"} {"do": "terminate"} {"do": "start"} {"do": "quit"}

It says {"ready": true} at first and {"ended": ADDRESS} when a sensor's motion is over. `status`
tells how many samples were played and whether the sensor is connected.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from firmware_protocol.registry import decoders
from tests.fakes.bluez import FakeBluez, Sensor
from tests.fakes.player import Player, load
from tracker.clock import clock_from_environment
from tracker.model import SECOND_NS

FIELDS = ("in_range", "silent", "rssi_dbm", "resolve", "handle_shift", "connect_errors")


class World:
    """The fake, its sensors and their players."""

    def __init__(self, bus: str) -> None:
        self.clock = clock_from_environment()
        self.fake = FakeBluez(bus, clock=self.clock)
        self.players: dict[str, Player] = {}
        self.moves: dict[str, dict[str, Any]] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    async def do(self, order: dict[str, Any]) -> dict[str, Any]:  # noqa: C901 - one list of orders
        """Carry out one order."""
        what = order.pop("do")
        address = str(order.get("address", ""))
        if what == "add":
            options = {k: order[k] for k in ("model", "ring") if order.get(k)}
            made = decoders()[order.get("decoder", "reference")].peripheral()
            device = type(made)(**options)
            self.fake.add(Sensor(address, device))
            self.moves[address] = order
            if order.get("play", True) and order.get("recording"):
                self.play(address, float(order.get("start_s", 0)))
        elif what == "play":
            self.play(address, float(order.get("start_s", 0)))
        elif what == "lose_link":
            self.fake.lose_link(address)
        elif what == "set":
            for key in FIELDS:
                if key in order:
                    setattr(self.fake.sensors[address], key, order[key])
        elif what == "power":
            self.fake.power(on=bool(order["on"]))
        elif what in ("unplug", "plug"):
            getattr(self.fake, what)()
        elif what in ("crash", "terminate", "start"):
            await getattr(self.fake, what)()
        elif what == "status":
            return self.status(address)
        else:
            return {"error": f"unknown order {what}"}
        return {"done": what}

    def play(self, address: str, start_s: float) -> None:
        """Begin the motion of a sensor."""
        move = self.moves[address]
        path = Path(move["recording"])
        samples = load(path, rate_hz=float(move.get("rate_hz") or 0), seg=move.get("seg"))
        start_ns = self.clock.now_ns() + int(start_s * SECOND_NS)
        start_ns -= start_ns % (5 * SECOND_NS)
        player = Player(self.fake, self.fake.sensors[address], samples, self.clock, start_ns)
        self.players[address] = player

        async def run() -> None:
            await player.run()
            say({"ended": address})

        task = asyncio.ensure_future(run())
        self.tasks.add(task)

    def status(self, address: str) -> dict[str, Any]:
        """What a test can ask about a sensor."""
        sensor, player = self.fake.sensors[address], self.players.get(address)
        return {
            "connected": sensor.connected,
            "connects": sensor.connects,
            "played": player.played if player else 0,
            "of": len(player.samples) if player else 0,
            "registrations": {u: len(c) for u, c in sensor.registrations.items()},
        }


def say(answer: dict[str, Any]) -> None:
    """One line on stdout."""
    print(json.dumps(answer), flush=True)


async def main() -> None:
    """Serve until stdin ends or `quit`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bus", required=True)
    parser.add_argument("--sensors", type=Path)
    args = parser.parse_args()
    world = World(args.bus)
    await world.fake.start()
    for order in json.loads(args.sensors.read_text()) if args.sensors else []:
        await world.do({"do": "add", **order})
    say({"ready": True})
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        if order.get("do") == "quit":
            break
        say(await world.do(order))
    for task in world.tasks:
        task.cancel()
    await world.fake.stop()


if __name__ == "__main__":
    asyncio.run(main())
