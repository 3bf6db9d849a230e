# SPDX-License-Identifier: Apache-2.0
"""Viewers of *Live* without a browser: the websocket of Streamlit's own page, spoken in Python.

Ten Chromium tabs on two cores measure Chromium. These clients do what the page's script does (run
the page, then run each fragment again at the interval that the server names) and time the answers,
so that what is measured is the server.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect


@dataclass(slots=True)
class Seen:
    """Seconds until each page stood and of each redraw; cores that the server used for redraws."""

    first_s: list[float] = field(default_factory=list)
    redraw_s: list[float] = field(default_factory=list)
    cores: float = 0.0


async def watch(url: str, viewers: int, seconds: float, cpu_s: Callable[[], float]) -> Seen:
    """`viewers` pages of *Live* at once, for so many seconds after all of them stand."""
    seen = Seen()
    standing = asyncio.Barrier(viewers)
    stop = asyncio.Event()
    tasks = [asyncio.create_task(_viewer(url, seen, standing, stop)) for _ in range(viewers)]
    while len(seen.first_s) < viewers:
        for task in tasks:
            if task.done():
                task.result()  # raises what went wrong
        await asyncio.sleep(0.1)
    seen.redraw_s.clear()
    before, begun = cpu_s(), time.perf_counter()
    await asyncio.sleep(seconds)
    seen.cores = (cpu_s() - before) / (time.perf_counter() - begun)
    stop.set()
    await asyncio.gather(*tasks)
    return seen


async def _viewer(url: str, seen: Seen, standing: asyncio.Barrier, stop: asyncio.Event) -> None:
    address = url.replace("http", "ws", 1) + "/_stcore/stream"
    async with connect(
        address, origin=url, subprotocols=["streamlit"], max_size=None, open_timeout=120
    ) as socket:  # type: ignore[arg-type]  # a plain string is a valid origin and subprotocol
        begun = time.perf_counter()
        await socket.send(_run())
        fragments = await _answer(socket)
        seen.first_s.append(time.perf_counter() - begun)
        await standing.wait()
        due = {name: time.perf_counter() + every for name, every in fragments.items()}
        while not stop.is_set() and due:
            name = min(due, key=lambda k: due[k])
            await asyncio.sleep(max(0.0, due[name] - time.perf_counter()))
            begun = time.perf_counter()
            await socket.send(_run(name))
            fragments |= await _answer(socket)
            seen.redraw_s.append(time.perf_counter() - begun)
            due[name] = begun + fragments[name]


def _run(fragment: str = "") -> bytes:
    message = BackMsg()
    message.rerun_script.page_name = "live"
    if fragment:
        message.rerun_script.fragment_id = fragment
        message.rerun_script.is_auto_rerun = True
    return message.SerializeToString()


async def _answer(socket: ClientConnection) -> dict[str, float]:
    """Read until the run is over; the fragments that want to be run again, and how often."""
    wanted: dict[str, float] = {}
    while True:
        data = await asyncio.wait_for(socket.recv(), 120)
        assert isinstance(data, bytes)
        message = ForwardMsg.FromString(data)
        kind = message.WhichOneof("type")
        if kind == "auto_rerun":
            wanted[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "script_finished":
            return wanted
