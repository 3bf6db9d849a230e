# SPDX-License-Identifier: Apache-2.0
"""The phone page in a real Chromium at phone size: motion in, samples in the store, no one else.

The collector process, its store and its HTTPS door are real; only the motion is the test's own.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, sync_playwright

from tracker.clock import SYSTEM_CLOCK
from tracker.collect.control import ControlClient
from tracker.model import Placement, Samples
from tracker.settings import Settings
from tracker.store.sqlite import open_reader

pytestmark = pytest.mark.browser
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
# A phone at rest that leans forward: 60 events a second, as phones send them.
EVENTS = """
(lean) => {
  window.__lean = lean;
  if (window.__motion) return;
  window.__motion = setInterval(() => {
    const a = window.__lean * Math.PI / 180;
    window.dispatchEvent(new DeviceMotionEvent("devicemotion", {
      accelerationIncludingGravity: { x: 0.01, y: 9.80665 * Math.cos(a), z: 9.80665 * Math.sin(a) },
      rotationRate: { alpha: 0.1, beta: 0, gamma: 0 }, interval: 16.7 }));
  }, 16);
}
"""


@dataclass(slots=True)
class Service:
    """A collector process with a door."""

    url: str
    settings: Settings
    token: str

    def samples(self) -> Samples:
        """What is in the store."""
        reader = open_reader(self.settings)
        try:
            return reader.raw("w", Placement.UPPER_BACK, 0, 2**62)
        finally:
            reader.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A real collector process with one phone that was paired through its control door."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = Settings(data=tmp_path_factory.mktemp("phone"), http_port=port)
    process = subprocess.Popen(
        [sys.executable, "-m", "tracker", "collect"],
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, **settings.environment()},
        stderr=subprocess.DEVNULL,
    )
    client = ControlClient(settings.data)
    try:
        for _ in range(200):
            if client.running() and client.call("status")["phone_port"] == port:
                break
            assert process.poll() is None, "the collector ended"
            time.sleep(0.1)
        paired = client.call("pair_phone", name="Phone", wearer="w", placement="upper-back")
        yield Service(url=f"https://127.0.0.1:{port}", settings=settings, token=paired["token"])
    finally:
        process.terminate()
        assert process.wait(20) == 0, "the collector did not stop cleanly"


@pytest.fixture(scope="module")
def phone(service: Service) -> Iterator[BrowserContext]:
    """A phone-sized browser; requests to other hosts fail the test that made them."""
    import shutil

    path = shutil.which("chromium")
    if path is None:
        pytest.fail("chromium is missing: apt-get install chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        context = browser.new_context(
            viewport={"width": 390, "height": 844}, device_scale_factor=2, is_mobile=True,
            has_touch=True, ignore_https_errors=True, locale="de-DE",
        )  # fmt: skip
        yield context
        browser.close()


def _open(phone: BrowserContext, service: Service, token: str | None = None) -> Page:
    page = phone.new_page()
    foreign: list[str] = []
    page.on("request", lambda r: foreign.append(r.url) if service.url not in r.url else None)
    page.goto(f"{service.url}/phone#token={token or service.token}")
    page.foreign = foreign  # type: ignore[attr-defined]
    return page


def _wait(condition: Callable[[], bool], page: Page, what: str) -> None:
    for _ in range(100):
        if condition():
            return
        page.wait_for_timeout(100)
    raise AssertionError(what)


@pytest.mark.usefixtures("chromium")
def test_motion_of_the_phone_reaches_the_store(phone: BrowserContext, service: Service) -> None:
    """Start, move, look: the store holds the phone's own values in g and deg/s; axe is content."""
    page = _open(phone, service)
    assert "token" not in page.url
    assert Axe().run(page).violations_count == 0
    page.evaluate(EVENTS, 20)
    page.get_by_role("button", name="Messung starten").click()
    page.get_by_text("verbunden").wait_for()
    _wait(lambda: len(service.samples()) > 120, page, "no samples arrived in the store")
    samples = service.samples()
    lean = np.deg2rad(20)
    assert np.allclose(samples.acc_g.mean(0), [0.001, np.cos(lean), np.sin(lean)], atol=0.01)
    assert samples.gyr_dps is not None
    assert np.allclose(samples.gyr_dps.mean(0), [0.1, 0, 0], atol=0.02)
    rate = 1e9 / float(np.median(np.diff(samples.t_ns)))
    assert 40 < rate < 75
    now_ns = SYSTEM_CLOCK.now_ns()
    assert abs(now_ns - int(samples.t_ns[-1])) < 5e9
    assert Axe().run(page).violations_count == 0
    assert page.foreign == []  # type: ignore[attr-defined]
    page.get_by_role("button", name="Messung beenden").click()
    page.close()


@pytest.mark.usefixtures("chromium")
def test_offline_values_are_kept_and_sent_later(phone: BrowserContext, service: Service) -> None:
    """Away for three seconds: the page says so, keeps the values, and nothing is missing after."""
    page = _open(phone, service)
    page.evaluate(EVENTS, 0)
    page.get_by_role("button", name="Messung starten").click()
    page.get_by_text("verbunden", exact=True).wait_for()
    begin_ns = SYSTEM_CLOCK.now_ns()
    phone.set_offline(True)
    page.get_by_text("getrennt, Werte werden gesammelt").wait_for()
    page.wait_for_timeout(3000)
    assert int(page.locator("#waiting").inner_text().split()[0]) > 60
    phone.set_offline(False)
    _wait(
        lambda: int(page.locator("#waiting").inner_text().split()[0]) < 80,
        page,
        "nothing was sent later",
    )
    end_ns = SYSTEM_CLOCK.now_ns()
    page.get_by_role("button", name="Messung beenden").click()
    _wait(
        lambda: int(service.samples().t_ns[-1]) > end_ns - 1_000_000_000, page, "the end is missing"
    )
    t_ns = service.samples().t_ns
    t_ns = t_ns[(t_ns > begin_ns) & (t_ns < end_ns)]
    assert np.diff(t_ns).max() < 400_000_000, "a hole in time"
    page.close()


@pytest.mark.usefixtures("chromium")
def test_a_stranger_is_told_what_to_do(phone: BrowserContext, service: Service) -> None:
    """A wrong token: the sentence in German, nothing in the store."""
    before = len(service.samples())
    page = _open(phone, service, token="wrong")
    page.evaluate(EVENTS, 0)
    page.get_by_role("button", name="Messung starten").click()
    page.get_by_role("alert").get_by_text("scannen Sie den QR-Code").wait_for()
    page.close()
    assert len(service.samples()) == before


@pytest.mark.usefixtures("chromium")
def test_page_at_phone_size(phone: BrowserContext, service: Service, tmp_path: Path) -> None:
    """Nothing is cut off at 390 pixels and buttons are large enough for a thumb."""
    page = _open(phone, service)
    page.screenshot(path=tmp_path / "phone.png")
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    box = page.get_by_role("button", name="Messung starten").bounding_box()
    assert box is not None
    assert box["height"] >= 44
    page.close()


@pytest.mark.usefixtures("chromium")
@pytest.mark.parametrize("lang", ["de", "en"])
def test_settings_for_a_whole_day_with_the_app(
    phone: BrowserContext, service: Service, tmp_path: Path, lang: str
) -> None:
    """The second QR code: the address for Sensor Logger, to copy; accessible, nothing cut off.

    What the app would send to that very address is taken.
    """
    page = phone.new_page()
    page.goto(f"{service.url}/phone/sensor-logger?lang={lang}#token={service.token}")
    address = page.locator("#address").inner_text()
    assert address == f"{service.url}/in/sensor-logger?token={service.token}"
    assert "{{" not in page.content()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.get_by_role("button").count() == 1
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.screenshot(path=tmp_path / f"logger-{lang}.png", full_page=True)
    answer = page.evaluate(
        """(url) => fetch(url, {method: "POST", body: JSON.stringify({
          messageId: 0, sessionId: "s", deviceId: "d", payload: []})}).then((r) => r.status)""",
        address,
    )
    assert answer == 200
    page.goto(f"{service.url}/phone/sensor-logger?lang={lang}")
    page.reload()  # the same address without a key
    assert page.locator("#missing").is_visible()
    assert page.locator("#steps").is_hidden()
    page.close()
