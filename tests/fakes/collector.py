# SPDX-License-Identifier: Apache-2.0
"""The collector as a real process on a data folder: started, asked, signalled."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from tracker.clock import Clock
from tracker.collect.control import ControlClient
from tracker.model import SECOND_NS, Samples

ROOT = Path(__file__).resolve().parents[2]


class Collector:
    """`python -m tracker collect` on a data folder."""

    def __init__(self, data: Path, clock: Clock, **settings: str) -> None:
        self.data, self.clock, self.settings = data, clock, settings
        self.client = ControlClient(data)
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, *options: str) -> None:
        """Start and wait until its local door answers."""
        await self.spawn("collect", *options)
        await self.answers()

    async def answers(self) -> None:
        """Wait until its local door answers."""
        for _ in range(600):
            if await asyncio.to_thread(self.client.running):
                return
            assert self.process is not None
            if self.process.returncode is not None:
                break
            await asyncio.sleep(0.05)
        raise AssertionError(await self.error())

    async def spawn(self, *words: str, program: tuple[str, ...] = ("-m", "tracker")) -> None:
        """Start a command of ours (or another program) with this data folder and clock."""
        environment = {
            **os.environ, **self.clock.environment(), "BACKSTAY_DATA": str(self.data),
            "BACKSTAY_LOG": "INFO", "BACKSTAY_ZONE": "UTC", "BACKSTAY_HTTP_PORT": "0",
            **{f"BACKSTAY_{name.upper()}": value for name, value in self.settings.items()},
        }  # fmt: skip
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, *program, *words, cwd=ROOT, env=environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    async def end(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Signal, wait; code, stdout and stderr."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(number)
        out, err = await self.process.communicate()
        return int(self.process.returncode or 0), out.decode(), err.decode()

    async def error(self) -> str:
        """What it said before it ended."""
        return (await self.end())[2]

    async def ask(self, method: str, **params: object) -> object:
        """Ask its local door."""
        return await asyncio.to_thread(lambda: self.client.call(method, **params))


def shifted(motion: Samples, times: int) -> Samples:
    """The same motion, later."""
    step = int(motion.t_ns[-1]) - int(motion.t_ns[0]) + SECOND_NS // 50
    return Samples(t_ns=motion.t_ns + times * step, acc_g=motion.acc_g, gyr_dps=motion.gyr_dps)


async def until(clock: Clock, what: Callable[[], bool], seconds: float = 200.0) -> None:
    """Wait (seconds of the clock)."""
    deadline = clock.monotonic_s() + seconds
    while not what():
        assert clock.monotonic_s() < deadline
        await asyncio.sleep(0.02)
