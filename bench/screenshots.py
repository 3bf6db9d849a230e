# SPDX-License-Identifier: Apache-2.0
"""The pictures of the README, taken from the demo by a real Chromium.

    python bench/screenshots.py [--out docs/screenshots]

Starts `backstay demo` on a free port in a folder of its own, opens each page in both sizes and
writes PNG files. Run it again whenever a page changes, and look at what it wrote.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tracker.clock import clock_from
from tracker.report.i18n import language

AFTERNOON = "2026-11-23T15:30:00+00:00@1"  # the demo as it looks in the afternoon
SIZES = {"desktop": (1200, 860), "phone": (390, 844)}
SHOTS: tuple[tuple[str, ...], ...] = (
    ("today", "de", "desktop"),
    ("today", "en", "desktop"),
    ("today", "en", "phone"),
    ("live", "en", "desktop"),
    ("trends", "en", "desktop"),
    ("advice", "en", "desktop"),
    ("training", "en", "phone"),
    ("today", "de", "desktop", "dark"),
    ("today", "en", "desktop", "dark"),
)
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


def settle(page: Page) -> None:
    """Wait until the script ran and charts are drawn."""
    page.wait_for_selector("h1", timeout=60_000)
    page.wait_for_selector(
        '[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=60_000
    )
    page.wait_for_timeout(1500)


def shoot(url: str, out: Path, chromium: str) -> None:
    """All pictures, one screen each."""
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=list(FLAGS))
        for name, lang, size, *look in SHOTS:
            width, height = SIZES[size]
            tone = look[0] if look else "light"
            context = browser.new_context(
                locale={"de": "de-DE", "en": "en-GB"}[lang],
                viewport={"width": width, "height": height},
                device_scale_factor=1,
                color_scheme="dark" if tone == "dark" else "light",
            )
            page = context.new_page()
            page.goto(url)
            settle(page)
            later = language(lang).t("pages.evening.later")
            if page.get_by_role("button", name=later).is_visible():
                page.get_by_role("button", name=later).click()
                settle(page)
            if name != "today":
                page.goto(f"{url}/{name}")
                settle(page)
            path = out / f"{name}-{lang}-{size}{'-dark' if tone == 'dark' else ''}.png"
            page.screenshot(path=path)
            print(path)
            context.close()
        browser.close()


def main() -> None:
    """Start the demo, take the pictures, stop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"))
    parser.add_argument("--url", help="a dashboard that runs already")
    given = parser.parse_args()
    chromium = os.environ.get("BACKSTAY_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        raise SystemExit("chromium is missing: apt-get install chromium")
    if given.url:
        shoot(given.url, given.out, chromium)
        return
    with tempfile.TemporaryDirectory() as folder:
        demo = subprocess.Popen(
            [sys.executable, "-m", "tracker", "demo", "--port", "0"],
            env={
                **os.environ,
                **clock_from(AFTERNOON).environment(),
                "BACKSTAY_DATA": folder,
                "BACKSTAY_ZONE": "Europe/Berlin",
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert demo.stdout is not None
            shoot(demo.stdout.readline().strip(), given.out, chromium)
        finally:
            demo.terminate()
            demo.wait(20)


if __name__ == "__main__":
    main()
