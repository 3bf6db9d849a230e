# SPDX-License-Identifier: Apache-2.0
"""The tab key alone: every page is walked from its first to its last control and out again."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.houses import House, sign_in
from tests.browser.steady import steady
from tracker.report.i18n import language

pytestmark = pytest.mark.browser
PAGES = ("today", "live", "trends", "diary", "advice", "training", "article", "sensor", "settings")
_AT_ONCE = 10  # presses between two looks

# Notes what has to be reached, and at each press how the control looks that is about to be left.
# How it looks includes what stands around it, because some draw their frame there. A group of
# choices is one stop; arrows go on from there. The page that scrolls and a table drawn on a canvas
# are stops too: the one has no frame, the other draws its own inside.
_WATCH = """() => {
  if (window.__walk) window.__walk.end.abort();
  const style = document.createElement('style');
  style.textContent = '* { transition: none !important; }';
  document.head.append(style);
  const shape = e => {
    const near = [e, ...(e.parentElement ? e.parentElement.children : [])];
    for (let p = e.parentElement, i = 0; p && i < 4; p = p.parentElement, i++) near.push(p);
    return near.map(n => {
      const s = getComputedStyle(n);
      return [s.outline, s.boxShadow, s.borderColor, s.backgroundColor, s.color].join();
    }).join('|');
  };
  const name = e => (e.getAttribute('aria-label') || e.innerText || e.title || e.name
    || (e.labels && e.labels[0] && e.labels[0].innerText) || e.className || e.tagName)
    .trim().slice(0, 60);
  const key = e => e.type === 'radio' ? 'radio ' + e.name
    : e.closest('[role=radiogroup], [data-testid=stButtonGroup]') || e;
  const wanted = new Map();
  for (const e of document.querySelectorAll('*')) {
    const box = e.getBoundingClientRect();
    if (e.tabIndex < 0 || e.disabled || !box.width || !box.height) continue;
    if (!e.checkVisibility({ visibilityProperty: true }) || e.closest('[inert]')) continue;
    if (!wanted.has(key(e))) wanted.set(key(e), [e, shape(e)]);
  }
  const w = window.__walk = { reached: new Set(), order: [], plain: new Set(), round: false,
    end: new AbortController() };
  const before = new Map([...document.querySelectorAll('*')]
    .filter(e => e.tabIndex >= 0).map(e => [e, shape(e)]));
  document.addEventListener('keydown', event => {
    const e = document.activeElement;
    if (event.key !== 'Tab' || e === document.body) return;
    if (w.order.length > 5 && e === w.order[0]) w.round = true;
    w.order.push(e);
    w.reached.add(key(e));
    if (!e.matches('main, canvas') && before.get(e) === shape(e))
      w.plain.add(name(e) + ' <' + e.tagName + '>');
  }, { capture: true, signal: w.end.signal });
  w.wanted = () => [...wanted].filter(([k, [e]]) => e.isConnected && !w.reached.has(k))
    .map(([, [e]]) => name(e) + ' <' + e.tagName + '>');
  return wanted.size;
}"""
_LOOK = """() => ({
  round: window.__walk.round || document.activeElement === document.body,
  steps: window.__walk.order.length,
  missed: window.__walk.wanted(),
  plain: [...window.__walk.plain],
})"""


def walk(page: Page) -> list[str]:
    """Press Tab until the focus has left the page or is back at its beginning; what is wrong."""
    page.mouse.move(640, 2)  # what lies below the mouse is coloured already
    page.evaluate("document.activeElement.blur()")
    stops = int(page.evaluate(_WATCH))
    seen: dict[str, Any] = {}
    for _ in range(2 * stops // _AT_ONCE + 3):
        for _ in range(_AT_ONCE):
            page.keyboard.press("Tab")
        seen = page.evaluate(_LOOK)
        if seen["round"]:
            break
    wrong = [f"never reached: {name}" for name in seen["missed"]]
    wrong += [f"looks the same with the focus: {name}" for name in seen["plain"]]
    if not seen["round"]:
        wrong.append(f"the focus does not get out within {seen['steps']} presses")
    assert stops > 8, "the page has a menu and controls"
    return wrong


def arrows(page: Page) -> bool:
    """Whether an arrow moves the focus on within each group of choices that can be seen."""
    moved = []
    for group in page.get_by_test_id("stButtonGroup").all():
        if not group.is_visible():
            continue
        group.locator("button").first.focus()
        begun = page.evaluate("document.activeElement.innerText")
        page.keyboard.press("ArrowRight")
        moved.append(page.evaluate("document.activeElement.innerText") != begun)
        steady(page)
    return bool(moved) and all(moved)


def test_a_trap_an_unseen_focus_and_a_missed_control_are_found(browser: Browser) -> None:
    """The walk itself: it names each of the three faults, and nothing on a sound page."""
    buttons = "".join(f"<button>number {i}</button>" for i in range(10))
    faults = {
        "": [],
        "<button style='outline: none'>unseen</button>": ["looks the same with the focus: unseen"],
        "<button onfocus='this.blur()'>shy</button>": ["never reached: shy <BUTTON>"],
        "<button onkeydown='event.preventDefault()'>trap</button>": ["does not get out"],
    }
    page = browser.new_page()
    for fault, said in faults.items():
        page.set_content(f"<main>{buttons}{fault}{buttons}</main>")
        wrong = walk(page)
        assert bool(wrong) == bool(said), wrong
        assert all(any(one in line for line in wrong) for one in said), wrong
    page.close()


def test_every_control_of_every_page_is_reached_by_the_tab_key(
    visitor: Callable[..., Page], house: House
) -> None:
    """Nine pages of a wearer and the therapist's list: no control missed, no trap, focus seen."""
    page = visitor("Anna Muster", "de-DE")
    found: dict[str, list[str]] = {}
    for name in PAGES:
        title = language("de").t(f"dashboard.page.{name}")
        page.get_by_role("link", name=title, exact=True).click()
        page.wait_for_selector(f'h1:has-text("{title}")')
        steady(page)
        found[name] = walk(page)
        if name in {"trends", "settings"} and not arrows(page):
            found[name].append("arrows do not move within a group of choices")
    page = visitor("", "en-GB")
    sign_in(page, "Tina Therapie")
    page.get_by_test_id("stDataFrame").wait_for()
    found["list"] = walk(page)
    wrong = {name: what for name, what in found.items() if what}
    assert not wrong, "\n".join(f"{n}: {w}" for n, ws in wrong.items() for w in ws)
