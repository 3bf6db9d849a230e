# SPDX-License-Identifier: Apache-2.0
"""A real collector whose analysis is starved: every step of the chain takes SECONDS of real time.

    python tests/fakes/slow_collector.py SECONDS

Only the chain is slow; what it is handed, and everything else, is as it ships.
"""

import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tracker import chain
from tracker.clock import clock_from_environment
from tracker.collect.service import Plan, run
from tracker.log import set_up_logging
from tracker.settings import read_settings

_advance = chain.advance


def main() -> None:
    """Serve all configured sensors until SIGTERM."""
    slow_s = float(sys.argv[1])

    def advance(*given: Any) -> Any:
        time.sleep(slow_s)
        return _advance(*given)

    chain.advance = advance
    settings = read_settings()
    set_up_logging(settings.log)
    run(Plan(settings=settings, clock=clock_from_environment(), doors=False))


if __name__ == "__main__":
    main()
