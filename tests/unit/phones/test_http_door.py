# SPDX-License-Identifier: Apache-2.0
"""The phone door: every refusal has a status, a reason and a count; what is valid is kept once."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from tracker.clock import SYSTEM_CLOCK
from tracker.collect.devices import Device, Devices
from tracker.collect.http import Door, build
from tracker.collect.http_guard import Guard, Limits
from tracker.collect.inbox import Arrival, Inbox
from tracker.collect.phone_source import PhoneSource
from tracker.errors import InputError, StoreError
from tracker.model import Placement


class TestClient:
    """HTTP requests into the app without a socket; one loop per request."""

    __test__ = False

    def __init__(self, app: Starlette) -> None:
        self._app = app

    def get(self, path: str, **options: Any) -> httpx.Response:
        """GET."""
        return asyncio.run(self._request("GET", path, options))

    def post(self, path: str, **options: Any) -> httpx.Response:
        """POST."""
        return asyncio.run(self._request("POST", path, options))

    async def _request(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(app=self._app)
        async with httpx.AsyncClient(transport=transport, base_url="https://door") as client:
            return await client.request(method, path, **options)


class World:
    """A door with two phones and the queues behind it."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.devices = Devices(folder)
        self.ours, self.token = self._pair("ours", "w1")
        self.other, self.other_token = self._pair("other", "w2")
        self.inboxes: dict[str, Inbox] = defaultdict(Inbox)
        self.guard = Guard(devices=self.devices, clock=SYSTEM_CLOCK, limits=limits)
        self.served = True
        self.phones = PhoneSource(
            inbox_of=lambda d: self.inboxes[d.wearer] if self.served else None
        )
        self.app = build(
            Door(
                clock=SYSTEM_CLOCK,
                guard=self.guard,
                phones=self.phones,
                live=lambda d: {"state": "sitting", "since_ns": 1, "wearer_is": d.wearer},
                metrics=lambda: "backstay_up 1\n",
                health=lambda: {"status": "ok"},
            )
        )

    def _pair(self, name: str, wearer: str) -> tuple[Device, str]:
        return self.devices.add(name=name, wearer=wearer, placement=Placement.UPPER_BACK, now_ns=1)

    def arrived(self, wearer: str = "w1") -> list[float]:
        """Values x of the acceleration that reached a wearer's queue, in order, in m/s2."""
        found = []
        for item in self.inboxes[wearer].get_nowait():
            if isinstance(item, Arrival):
                packets = item.session.feed(item.frame)
                found += [round(float(p.values[0, 0]) * 9.80665) for p in packets if p.n]
        return found


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A door with tight limits."""
    return World(tmp_path, Limits(body_bytes=20_000, body_s=0.3, per_s=50.0, failures=4))


@pytest.fixture
def client(world: World) -> TestClient:
    """An HTTP client of the door."""
    return TestClient(world.app)


def batch(number: int, x: float = 0.0, session: str = "s", **changes: object) -> dict[str, object]:
    """One batch of our page with one sample whose x is `x`."""
    body: dict[str, object] = {
        "v": 1, "src": "devicemotion", "session": session, "batch": number,
        "t0": 1_700_000_000_000, "s": [[1000.0 * number, x, 0, 9.8]],
    }  # fmt: skip
    return body | changes


def send(
    client: TestClient, token: str | None, body: object, path: str = "/phone/batch"
) -> httpx.Response:
    """Post one body with a token."""
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(path, content=content, headers=headers)


def test_a_batch_reaches_its_own_wearer_only(world: World, client: TestClient) -> None:
    """The token alone decides whose movement it is; the other wearer's queue stays empty."""
    answer = send(client, world.token, batch(0, 3))
    assert (answer.status_code, answer.json()["verdict"]) == (200, "stored")
    assert send(client, world.other_token, batch(0, 5)).json()["wearer_is"] == "w2"
    assert world.arrived("w1") == [3]
    assert world.arrived("w2") == [5]


@pytest.mark.parametrize(
    ("token", "reason"), [(None, "no_token"), ("", "no_token"), ("wrong", "wrong_token")]
)
def test_without_a_valid_token_nothing_enters(
    world: World, client: TestClient, token: str | None, reason: str
) -> None:
    """401, a counted reason, and nothing in any queue."""
    answer = send(client, token, batch(0))
    assert (answer.status_code, answer.json()["reason"]) == (401, reason)
    assert world.guard.refused[reason] == 1
    assert world.arrived() == []


def test_a_revoked_token_opens_nothing(world: World, client: TestClient) -> None:
    """Revocation acts on the next request."""
    world.devices.revoke(world.ours.id, 5)
    assert send(client, world.token, batch(0)).status_code == 401


def test_guessing_tokens_is_throttled(world: World, client: TestClient) -> None:
    """After a few wrong tokens the address waits, even with a right one."""
    for _ in range(4):
        assert send(client, "wrong", batch(0)).status_code == 401
    answer = send(client, world.token, batch(0))
    assert (answer.status_code, answer.json()["reason"]) == (429, "too_many_failures")
    assert answer.headers["retry-after"] == "60"


def test_one_device_cannot_flood(tmp_path: Path) -> None:
    """A device that sends too fast is told to wait; another device is not affected."""
    world = World(tmp_path, Limits(per_s=0.001, failures=4))
    world.guard.limits = Limits(per_s=1.0)
    client = TestClient(world.app)
    codes = [send(client, world.token, batch(n)).status_code for n in range(6)]
    assert codes[:3] == [200, 200, 200]
    assert 429 in codes
    assert send(client, world.other_token, batch(0)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"null", b"{", b"\xff\xfe", b'{"v":1}', batch(0, s=None), batch(0, s={}),
        batch(0, s=[1]), batch(0, v=2), batch(-1), batch(0, session=7), batch(0, t0="x"),
        json.dumps(batch(0)).replace("9.8", "NaN").encode(),
        json.dumps(batch(0)).replace("9.8", "Infinity").encode(),
    ],
    ids=str,
)  # fmt: skip
def test_wrong_shapes_are_refused_whole(world: World, client: TestClient, body: object) -> None:
    """422 with a sentence; the same number can be sent again in a good shape and is stored."""
    answer = send(client, world.token, body)
    assert (answer.status_code, answer.json()["reason"]) == (422, "bad_body")
    assert world.arrived() == []
    assert send(client, world.token, batch(0, 2)).json()["verdict"] == "stored"
    assert world.arrived() == [2]


def test_a_bad_sample_costs_only_itself(world: World, client: TestClient) -> None:
    """In a good batch a row with a text or absurd value is left out, the others are kept."""
    rows = [[0, 1, 0, 9.8], [16, "x", 0, 9.8], [32, 1e9, 0, 9.8], [48, 4, 0, 9.8], [64, 0]]
    assert send(client, world.token, batch(0, s=rows)).status_code == 200
    assert world.arrived() == [1, 4]


def test_huge_bodies_are_refused_announced_or_not(world: World, client: TestClient) -> None:
    """413 for a body that says its size and for one that does not."""
    huge = b"x" * 30_000
    assert send(client, world.token, huge).status_code == 413

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield huge[:7000]

    answer = client.post(
        "/phone/batch", content=chunks(), headers={"authorization": f"Bearer {world.token}"}
    )
    assert (answer.status_code, answer.json()["reason"]) == (413, "too_large")


async def test_a_slow_body_is_ended(world: World) -> None:
    """A client that trickles its body is answered 408 and does not hold a place for ever."""

    async def trickle() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(3)
        yield b"}"

    transport = httpx.ASGITransport(app=world.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://testserver") as client:
        answer = await client.post(
            "/phone/batch", content=trickle(), headers={"authorization": f"Bearer {world.token}"}
        )
    assert (answer.status_code, answer.json()["reason"]) == (408, "slow_body")


def test_repeated_batches_are_stored_once(world: World, client: TestClient) -> None:
    """A phone that missed the answer sends again: acknowledged, not stored twice."""
    for verdict in ("stored", "duplicate", "duplicate"):
        assert send(client, world.token, batch(0, 1)).json()["verdict"] == verdict
    assert world.arrived() == [1]


def test_a_phone_that_is_not_served_keeps_its_batch(world: World, client: TestClient) -> None:
    """409 instead of an empty promise; once it is served the same batch is stored."""
    world.served = False
    assert send(client, world.token, batch(0, 1)).json()["reason"] == "not_served"
    world.served = True
    assert send(client, world.token, batch(0, 1)).json()["verdict"] == "stored"
    assert world.arrived() == [1]


def test_what_overtook_waits_for_nobody(world: World, client: TestClient) -> None:
    """An acknowledged batch is in the queue at once; the overtaken one follows as late, once."""
    verdicts = [send(client, world.token, batch(n, n)).json()["verdict"] for n in (0, 2, 3, 1, 4)]
    assert verdicts == ["stored", "stored", "stored", "late", "stored"]
    arrivals = [i for i in world.inboxes["w1"].get_nowait() if isinstance(i, Arrival)]
    late = ["REPLAY" in str(i.session.feed(i.frame)[0].flags) for i in arrivals]
    assert late == [False, False, False, True, False]
    assert send(client, world.token, batch(1, 1)).json()["verdict"] == "duplicate"


def test_a_reloaded_page_begins_anew(world: World, client: TestClient) -> None:
    """A new session may start at any number; both sessions' samples arrive."""
    send(client, world.token, batch(7, 1, session="first"))
    send(client, world.token, batch(0, 2, session="second"))
    assert world.arrived() == [1, 2]


def test_sensor_logger_pushes_with_the_token_in_its_address(
    world: World, client: TestClient
) -> None:
    """The app has one address field: its token rides in the query, inside HTTPS."""
    time_ns = 1698501144401773000
    payload = [
        {"name": "gravity", "time": time_ns, "values": {"x": 0, "y": 0, "z": 9.8}},
        {"name": "accelerometer", "time": time_ns, "values": {"x": 6.0, "y": 0, "z": 0}},
    ]
    body = {"messageId": 0, "sessionId": "s", "deviceId": "d", "payload": payload}
    answer = send(client, None, body, f"/in/sensor-logger?token={world.token}")
    assert answer.status_code == 200
    assert world.arrived() == [6]


def test_health_and_metrics_name_nobody(world: World, client: TestClient) -> None:
    """Both answer without a token and hold counts only."""
    send(client, "wrong", batch(0))
    assert client.get("/health").json() == {"status": "ok"}
    text = client.get("/metrics").text
    assert 'backstay_http_refused_total{reason="wrong_token"} 1' in text
    assert "w1" not in text


@pytest.mark.parametrize(("lang", "word"), [("de", "Messung starten"), ("en", "Start measuring")])
def test_page_is_complete_in_both_languages(client: TestClient, lang: str, word: str) -> None:
    """Every placeholder of the page is filled, and nothing of it comes from another host."""
    answer = client.get("/phone", headers={"accept-language": f"{lang}-XX"})
    assert word in answer.text
    assert f'lang="{lang}"' in answer.text
    assert "{{" not in answer.text
    for name in ("page.js", "page.css", "icon.svg"):
        assert client.get(f"/phone/{name}").status_code == 200
    assert client.get("/phone/secret.txt").status_code == 404
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_register_survives_and_never_holds_the_token(tmp_path: Path) -> None:
    """A new process knows the phone; the file cannot be turned back into the token."""
    _, token = Devices(tmp_path).add(
        name="Telefon", wearer="w1", placement=Placement.LOWER_BACK, now_ns=1
    )
    again = Devices(tmp_path)
    found = again.of_token(token)
    assert found is not None
    assert found.placement is Placement.LOWER_BACK
    assert token not in (tmp_path / "devices.json").read_text()
    assert (tmp_path / "devices.json").stat().st_mode & 0o077 == 0
    assert again.forget("w1") == 1
    assert Devices(tmp_path).of_token(token) is None


def test_register_faults_are_sentences(tmp_path: Path) -> None:
    """A damaged file, an unknown phone and an empty name are refused with what to do."""
    devices = Devices(tmp_path)
    with pytest.raises(InputError, match="1 to 60"):
        devices.add(name="  ", wearer="w", placement=Placement.CHEST, now_ns=1)
    with pytest.raises(InputError, match="no phone 'x'"):
        devices.revoke("x", 1)
    (tmp_path / "devices.json").write_text("{")
    with pytest.raises(StoreError, match="pair the phones again"):
        Devices(tmp_path)
