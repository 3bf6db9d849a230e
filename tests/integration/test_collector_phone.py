# SPDX-License-Identifier: Apache-2.0
"""A phone through the collector's own HTTPS door into the store."""

import asyncio
import json
import ssl
import time
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np

from tracker.clock import Clock
from tracker.collect.control import ControlClient
from tracker.collect.service import Plan, serve
from tracker.model import SECOND_NS, Placement
from tracker.settings import read_settings
from tracker.store.sqlite import open_reader

FOR_EVER = 1 << 62


def body(number: int, t0_ms: int) -> bytes:
    """One second of movement at 50 Hz, as our page sends it."""
    samples = [[1000.0 * number + 20.0 * i, 0.1, 9.8, 0.2, 1.0, 0.0, 0.0] for i in range(50)]
    at = samples[-1][0] + 5
    return json.dumps(
        {"v": 1, "src": "devicemotion", "session": "s", "batch": number, "t0": t0_ms, "at": at,
         "s": samples}
    ).encode()  # fmt: skip


async def test_phone_to_store(tmp_path: Path) -> None:
    """Pair by the local door, send batches by HTTPS: raw samples and a live row; metrics tell.

    One batch is overtaken by the next: all is stored, and no gap is left where it belongs.
    """
    settings = read_settings(data=tmp_path, http_port=0, zone="UTC")
    finished = asyncio.Event()
    clock = Clock(start_ns=time.time_ns(), origin_ns=time.time_ns())
    plan = Plan(settings=settings, clock=clock, finished=finished)
    running = asyncio.ensure_future(serve(plan))
    client = ControlClient(tmp_path)
    while not await asyncio.to_thread(client.running):
        await asyncio.sleep(0.05)
    while not (port := (await asyncio.to_thread(client.call, "status"))["phone_port"]):
        await asyncio.sleep(0.05)
    paired = await asyncio.to_thread(
        lambda: client.call("pair_phone", name="P", wearer="w1", placement="chest")
    )
    trust = ssl.create_default_context(cafile=str(next(tmp_path.rglob("*cert*.pem"))))

    def ask(path: str, data: bytes | None = None) -> bytes:
        headers = {"authorization": f"Bearer {paired['token']}"} if data else {}
        request = Request(f"https://localhost:{port}{path}", data=data, headers=headers)
        with urlopen(request, timeout=10, context=trust) as answer:  # noqa: S310 - our own door
            return bytes(answer.read())

    t0_ms = clock.now_ns() // 1_000_000 - 3000
    for number in (0, 2, 1, 3):
        answer = json.loads(await asyncio.to_thread(ask, "/phone/batch", body(number, t0_ms)))
        assert answer["ok"]
    reader = open_reader(settings)
    deadline = time.monotonic() + 20
    while len(reader.raw("w1", Placement.CHEST, 0, FOR_EVER)) < 200:
        assert time.monotonic() < deadline, (
            reader.raw("w1", Placement.CHEST, 0, FOR_EVER).t_ns[::10] - clock.now_ns()
        )
        await asyncio.sleep(0.1)
    metrics = (await asyncio.to_thread(ask, "/metrics")).decode()
    assert f'backstay_link_up{{sensor="phone:{paired["id"]}"}} 1' in metrics
    assert json.loads(await asyncio.to_thread(ask, "/health"))["status"] == "ok"
    await asyncio.to_thread(lambda: client.call("revoke_phone", device_id=paired["id"]))
    assert (await asyncio.to_thread(client.call, "status"))["sensors"] == 0
    finished.set()
    await running
    raw = reader.raw("w1", Placement.CHEST, 0, FOR_EVER)
    assert len(raw) == 200
    assert (np.diff(raw.t_ns) < SECOND_NS // 10).all()
    assert reader.gaps("w1", Placement.CHEST, 0, FOR_EVER) == []
    assert raw.gyr_dps is not None
    live = reader.live("w1", Placement.CHEST)
    assert live is not None
    assert live.sensor.startswith("phone:")
    reader.close()
