# SPDX-License-Identifier: Apache-2.0
"""Therapists' lists are worked out in the background, so that the first look finds them ready."""

import logging
import threading

from dashboard import data
from dashboard.data.overview import warm_lines
from tracker.errors import BackstayError
from tracker.settings import Settings

EVERY_S = 60.0
PAUSE_S = 0.05  # between two lines, so that pages are served meanwhile
log = logging.getLogger("backstay.warm")


def start(settings: Settings, stop: threading.Event) -> None:
    """Do it now and then every minute in a thread of this process, until `stop`."""

    def run() -> None:
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
