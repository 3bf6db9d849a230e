# SPDX-License-Identifier: Apache-2.0
"""Who is prompted, by which ways, and who may not use which; on a real store, without a process."""

import asyncio
import http.client
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from firmware_protocol.registry import Step, Wish, decoders
from tracker.clock import Clock, clock_from
from tracker.collect.devices import Devices
from tracker.collect.prompt_address import Address
from tracker.collect.prompt_desktop import Desktop
from tracker.collect.prompt_people import People, Prompted
from tracker.collect.prompt_phone import routes
from tracker.collect.prompt_sensor import SensorPulse
from tracker.collect.prompter import Prompter
from tracker.collect.prompts_here import PromptsHere
from tracker.diary import Kind, Person, Role
from tracker.errors import InputError
from tracker.model import Placement
from tracker.prompt_log import PromptLog, Told
from tracker.prompt_words import Notice
from tracker.prompts import Cause
from tracker.report.i18n import language
from tracker.settings import Settings
from tracker.store.records import open_records
from tracker.store.sqlite import SqliteStore, open_store

SIX = clock_from(datetime(2026, 11, 23, 18, 5, tzinfo=UTC).isoformat() + "@0.000001")


@dataclass
class Ear:
    """A channel that remembers."""

    name: str = "desktop"
    heard: list[Notice] = field(default_factory=list)
    inhibited: bool = False
    why: str = ""

    async def tell(self, to: Prompted, notice: Notice) -> str:
        """Remember it."""
        self.heard.append(notice)
        return self.why

    async def quiet(self) -> bool:
        """As set."""
        return self.inhibited

    async def close(self) -> None:
        """Nothing is held."""


class House:
    """A store, records, and a hub that is only those."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.settings = Settings(data=folder, zone="UTC")
        self.store: SqliteStore = open_store(self.settings)
        self.people = People(self.settings, clock)
        self.clock = clock
        self.hub: Any = SimpleNamespace(
            store=self.store, clock=clock, at_rest=self._at_rest, sensors={}
        )

    @staticmethod
    async def _at_rest(work: Callable[[], object]) -> object:
        return await asyncio.to_thread(work)

    def add(self, wearer: str, *roles: Role, **prompts: object) -> None:
        """A person who chose these prompts."""
        records = open_records(self.settings)
        chosen = {"channels": ["page", "phone", "desktop"], **prompts}
        records.put_person(
            Person(
                id=f"id-{wearer}", name=wearer, roles=frozenset({Role.WEARER, *roles}),
                wearer=wearer, language="de", zone="UTC", settings={"prompts": chosen},
            )
        )  # fmt: skip
        records.close()

    def prompter(self, *channels: Any) -> Prompter:
        """With these channels."""
        return Prompter(self.hub, self.people, channels)

    def close(self) -> None:
        """Release the files."""
        self.people.close()
        self.store.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Monday, five past six in the evening."""
    made = House(tmp_path / "data", SIX)
    yield made
    made.close()


async def test_the_evening_reminder_needs_no_sensor_and_comes_once(house: House) -> None:
    """At the chosen hour, in the wearer's language, by the same channels; looked at twice, once."""
    house.add("w1", evening=True)
    ear = Ear()
    prompter = house.prompter(ear)
    await prompter.look()
    await prompter.look()
    assert [n.text for n in ear.heard] == ["Wie war der Rücken heute? Ein Tipp genügt."]
    (told,) = prompter.log_of("w1").told
    assert told.prompt.cause is Cause.EVENING
    assert told.channels == ("page", "phone", "desktop")


async def test_who_told_the_evening_is_not_reminded(house: House) -> None:
    """The entry is there already: silence."""
    house.add("w1", evening=True)
    records = open_records(house.settings)
    day = "2026-11-23"
    records.put_entry("w1", Kind.EVENING, {"tension": 3}, at_ns=1, day=day, author="id-w1")
    records.close()
    ear = Ear()
    await house.prompter(ear).look()
    assert ear.heard == []


async def test_a_channel_that_fails_is_not_said_to_have_told(house: House) -> None:
    """The others go on, and the log names those that took it."""
    house.add("w1", evening=True, channels=["desktop", "sensor"])
    deaf = Ear(name="sensor", why="no_motor")
    prompter = house.prompter(Ear(), deaf)
    await prompter.look()
    assert prompter.log_of("w1").told[0].channels == ("desktop",)
    assert await prompter.attempt("w1") == {"taken": ["desktop"], "refused": {"sensor": "no_motor"}}


async def test_the_desktop_is_its_owners_alone(house: House) -> None:
    """In a practice another person's prompts never appear on the operator's screen or network."""
    house.add("w1", evening=True, channels=["desktop", "address", "page"])
    house.add("w2", Role.OPERATOR, evening=True, channels=["desktop"])
    ear = Ear()
    prompter = house.prompter(ear, Ear(name="address"))
    await prompter.look()
    assert len(ear.heard) == 1
    assert prompter.log_of("w1").told[0].channels == ("page",)
    assert prompter.log_of("w2").told[0].channels == ("desktop",)


async def test_rest_until_tomorrow_and_its_limits(house: House) -> None:
    """Quiet ends at the wearer's midnight or after the minutes; nonsense is refused."""
    house.add("w1")
    prompter = house.prompter()
    methods = PromptsHere(prompter, house.people, house.clock).methods()
    answer: Any = await methods["prompt_rest"](wearer="w1", minutes=None)
    assert answer["until_ns"] == 1_795_392_000_000_000_000 + 24 * 3600 * 10**9
    assert prompter.log_of("w1").rest.until_ns == answer["until_ns"]
    for wrong in (0, -5, 10_000):
        with pytest.raises(InputError, match="1 to 1440"):
            await prompter.rest("w1", wrong)
    with pytest.raises(InputError, match="nobody"):
        await prompter.attempt("w9")


def _said(house: House, prompter: Prompter, **choice: object) -> tuple[Prompted, Notice]:
    house.add("w1", **choice)
    one = house.people.of("w1")
    assert one is not None
    from tracker.prompt_words import notice
    from tracker.prompts import Prompt

    prompt = Prompt(
        at_ns=house.clock.now_ns(), cause=Cause.SITTING, minutes=50, since_ns=0,
        tone=one.choice.tone,
    )  # fmt: skip
    return one, notice(language("en"), prompt)


@pytest.mark.parametrize(("tone", "pulses"), [("plain", 1), ("silent", 0)])
async def test_the_sensor_vibrates_unless_silence_was_chosen(
    house: House, tone: str, pulses: int
) -> None:
    """The steps go to the radio's supervisor of the wearer's own sensor."""
    one, said = _said(house, house.prompter(), tone=tone)
    done: list[Step] = []
    taker = SimpleNamespace(todo=lambda _session, steps: done.extend(steps))
    for wearer, decoder in (("w2", "metamotion"), ("w1", "polar"), ("w1", "metamotion")):
        session = decoders()[decoder].open(Wish(), None)
        house.hub.sensors[wearer + decoder] = SimpleNamespace(
            config=SimpleNamespace(wearer=wearer), intake=SimpleNamespace(session=session),
            taker=taker,
        )  # fmt: skip
    assert await SensorPulse(house.hub).tell(one, said) == ""
    assert len(done) == pulses


async def test_no_motor_is_said(house: House) -> None:
    """Without such a sensor the channel says why."""
    one, said = _said(house, house.prompter())
    assert await SensorPulse(house.hub).tell(one, said) == "no_motor"


class _Web(BaseHTTPRequestHandler):
    posts: list[str] = []  # noqa: RUF012 - the one list of a test server

    def do_POST(self) -> None:
        """Redirect, fail, or take it."""
        self.rfile.read(int(self.headers["content-length"]))
        self.posts.append(self.path)
        code = {"/moved": 307, "/broken": 500}.get(self.path, 200)
        self.send_response(code)
        self.send_header("location", "/other")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def web() -> Iterator[int]:
    """A small web server; its port."""
    _Web.posts.clear()
    server = HTTPServer(("127.0.0.1", 0), _Web)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


async def test_an_address_is_posted_to_and_never_followed_elsewhere(
    house: House, web: int, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken with 200; a redirect, an error, a closed port and a name that leads outside are not.

    A proxy of the environment is not used: what the prompt says goes to the address or nowhere.
    """
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    here = f"http://127.0.0.1:{web}"
    cases = {
        f"{here}/ok": "",
        f"{here}/moved": "no_answer",
        f"{here}/broken": "no_answer",
        f"http://127.0.0.1:{free_port()}/": "no_answer",
        "": "no_address",
        "mqtt://127.0.0.1:1/topic": "no_answer",
    }
    for address, why in cases.items():
        one, said = _said(house, house.prompter(), address=address)
        assert await Address().tell(one, said) == why, address
    assert _Web.posts == ["/ok", "/moved", "/broken"]


async def test_a_name_outside_gets_nothing(house: House, web: int) -> None:
    """The name is looked up before anything is sent."""
    one, said = _said(house, house.prompter(), address=f"http://far.example:{web}/ok")
    loop = asyncio.get_running_loop()

    async def outside(*_: object, **__: object) -> list[tuple[Any, ...]]:
        return [(2, 1, 6, "", ("93.184.216.34", web))]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "getaddrinfo", outside)
        assert await Address().tell(one, said) == "far"
    assert _Web.posts == []


async def test_no_desktop_session_is_said(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service outside of a desktop, or with a bus that is gone, says so and goes on."""

    async def asked(wearer: str, minutes: float | None) -> None:
        """Nobody presses."""

    one, said = _said(house, house.prompter())
    channel = Desktop(asked)
    monkeypatch.setattr("tracker.collect.prompt_desktop.bus_address", lambda: "")
    assert await channel.tell(one, said) == "no_session"
    monkeypatch.setattr("tracker.collect.prompt_desktop.bus_address", lambda: "unix:path=/nowhere")
    assert await channel.tell(one, said) == "no_answer"
    assert await channel.quiet() is False
    await channel.close()


def test_the_phone_reads_the_same_log(house: House) -> None:
    """With its token it sees its wearer's prompt, asks for quiet, and then sees none."""
    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    devices = Devices(house.settings.data)
    _, token = devices.add(name="a", wearer="w1", placement=Placement.CHEST, now_ns=1)
    prompter = house.prompter()
    _, said = _said(house, prompter)
    log = PromptLog().with_told(Told(prompt=said.prompt, channels=("phone",)))
    house.store.put_wearer_setting("w1", "prompt_log", log.as_json())
    app = Starlette(routes=routes(devices, house.clock, prompter, house.people))
    with TestClient(app) as client:
        assert client.get("/phone/prompt").status_code == http.client.UNAUTHORIZED
        client.headers["authorization"] = f"Bearer {token}"
        shown = client.get("/phone/prompt").json()["result"]
        assert shown["text"].startswith("Sie sitzen seit 50")
        assert [b["minutes"] for b in shown["buttons"]] == [30, 60, None]
        assert client.post("/phone/quiet", json={"minutes": "x"}).status_code == 422
        assert client.post("/phone/quiet", json={"minutes": 9999}).status_code == 422
        assert client.post("/phone/quiet", json={"minutes": 30}).status_code == 200
        assert client.get("/phone/prompt").json()["result"] is None
    assert prompter.log_of("w1").rest.until_ns > house.clock.now_ns()
