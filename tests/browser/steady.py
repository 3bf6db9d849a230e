# SPDX-License-Identifier: Apache-2.0
"""When a page stands still: only then is a click where a person would see it land.

Streamlit says "not running" while parts of the page are still grey boxes: each kind of widget is
loaded when it is first drawn, and takes another height than its box. A click between the two was
lost now and then, because the button moved away between press and release.
"""

from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

# Streamlit closes its menu after a choice on what calls itself a phone.
PHONE_AGENT = (
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Mobile Safari/537.36"
)

# True once the script has ended, no grey box is left, and three looks found the same page.
_STANDS = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  const main = document.querySelector('[data-testid="stMain"]');
  const ready = app && main && main.querySelector('h1')
    && app.getAttribute('data-test-script-state') === 'notRunning'
    && app.getAttribute('data-test-connection-state') === 'CONNECTED'
    && !document.querySelector('[data-testid="stSkeleton"], [data-stale="true"]');
  const size = ready ? [main.scrollHeight, main.querySelectorAll('*').length] : [];
  const sign = ready ? [location.pathname, ...size].join(' ') : '';
  const held = window.__backstayStands || { sign: '', looks: 0 };
  window.__backstayStands = { sign, looks: sign && sign === held.sign ? held.looks + 1 : 0 };
  return window.__backstayStands.looks >= 3;
}"""


def steady(page: Page) -> None:
    """Wait until the page stands ; a busy machine gets a minute."""
    page.wait_for_function(_STANDS, polling=80, timeout=60_000)


def context_of(browser: Browser, lang: str, size: tuple[int, int], **more: Any) -> BrowserContext:
    """A fresh browser of this language and size; a small one says that it is a phone."""
    if size[0] < 500:
        more = {"user_agent": PHONE_AGENT, "has_touch": True, "is_mobile": True, **more}
    return browser.new_context(
        locale=lang,
        viewport={"width": size[0], "height": size[1]},
        reduced_motion="reduce",
        **more,
    )


def sideways(page: Page) -> int:
    """How many pixels the page scrolls sideways; a page that fits has none."""
    return int(
        page.evaluate(
            "(() => { const m = document.querySelector('[data-testid=stMain]');"
            " return m.scrollWidth - m.clientWidth; })()"
        )
    )
