# SPDX-License-Identifier: Apache-2.0
"""The collector runs on the base install: nothing of the extras is imported by it."""

import subprocess
import sys


def test_collect_needs_no_extra() -> None:
    """With every package of the extras forbidden, the collector, scan and replay still import."""
    extras = ("starlette", "uvicorn", "streamlit", "pandas", "pyarrow", "altair", "httpx",
              "influxdb_client", "aiomqtt", "cryptography", "websockets")  # fmt: skip
    code = (
        "import sys\n"
        f"for name in {extras!r}: sys.modules[name] = None\n"
        "import tracker.collect.service, tracker.collect.replay, tracker.collect.simulate\n"
        "import tracker.commands.collect, tracker.commands.scan, tracker.commands.replay\n"
        "from tracker.collect.phone_door import available\n"
        "assert not available()\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
