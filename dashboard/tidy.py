# SPDX-License-Identifier: Apache-2.0
"""Once at the start and then every hour: shared files go at their expiry, prompts to the diary."""

import logging
import threading

from dashboard import data
from tracker.errors import BackstayError
from tracker.settings import Settings, zone
from tracker.share_desk import sweep

EVERY_S = 3600.0
log = logging.getLogger("backstay.tidy")


def start(settings: Settings) -> threading.Event:
    """Sweep in a thread of this process; the event ends it."""
    stop = threading.Event()

    def run() -> None:
        while True:
            once(settings)
            if stop.wait(data.sources_of(settings).clock.real_s(EVERY_S)):
                return

    threading.Thread(target=run, name="tidy", daemon=True).start()
    return stop


def once(settings: Settings) -> int:
    """One sweep; a store that cannot be used now is tried again at the next one."""
    if not settings.records_url and not settings.app_db.exists():
        return 0
    src = data.sources_of(settings)
    try:
        gone = sweep(settings, src.clock, data.writable(src))
    except BackstayError as error:
        log.warning("shared files could not be swept: %s", error)
        return 0
    if gone:
        log.info("shared files deleted at their expiry", extra={"count": gone})
    _file_prompts(src)
    return gone


def _file_prompts(src: data.Sources) -> None:
    for person in data.writable(src).people(active_only=True):
        if person.wearer is None:
            continue
        try:
            data.file_prompts(src, person, person.wearer, zone(person.zone or src.zone_name))
        except BackstayError as error:
            log.warning("prompts stay in the log for now: %s", error)
