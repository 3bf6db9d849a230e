# SPDX-License-Identifier: Apache-2.0
"""What is done before anybody looks: imports set aside, therapists' lists worked out.

Streamlit runs a full collection of cycles after every run of a page and every redraw of a part of
it (`script_runner._on_script_finished`). Walking through all that libraries have made took some
85 ms each time, nine tenths of a redraw of *Live*; what is frozen is not walked through.
"""

import gc
import importlib
import logging
import threading

from dashboard import data
from dashboard.data.overview import warm_lines
from tracker.errors import BackstayError
from tracker.settings import Settings

_NEEDED = ("pandas", "pyarrow", "dashboard.cards", "dashboard.evening", "dashboard.live_charts")
EVERY_S = 60.0
PAUSE_S = 0.05  # between two lines, so that pages are served meanwhile
log = logging.getLogger("backstay.warm")


def settle() -> None:
    """Import what pages need and set it aside: it lives as long as the process anyway."""
    for name in _NEEDED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def start(settings: Settings, stop: threading.Event) -> None:
    """Settle, then the lists: now and every minute in a thread of this process, until `stop`."""

    def run() -> None:
        settle()
        while not stop.is_set():
            once(settings, stop)
            stop.wait(data.sources_of(settings).clock.real_s(EVERY_S))

    threading.Thread(target=run, name="warm", daemon=True).start()


def once(settings: Settings, stop: threading.Event) -> None:
    """One round; a store that cannot be read now is tried again at the next one."""
    if not settings.records_url and not settings.app_db.exists():
        return
    try:
        warm_lines(data.sources_of(settings), lambda: stop.wait(PAUSE_S))
    except BackstayError as error:
        log.warning("the lists could not be worked out ahead: %s", error)
