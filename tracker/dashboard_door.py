# SPDX-License-Identifier: Apache-2.0
"""Asks the running dashboard of a data folder, for commands that change people or sharing.

`app.db` has one writing process. While the dashboard runs it is the dashboard, and a command asks
it here; otherwise the command opens the file itself.
"""

import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import tracker.errors as errors_module
from tracker.errors import BackstayError, ServiceError, UsageError
from tracker.settings import Settings

FILE = "dashboard.json"


class DashboardClient:
    """One short request per call; ServiceError where no dashboard runs."""

    def __init__(self, settings: Settings, timeout_s: float = 600.0) -> None:
        self._path = settings.data / FILE
        self._certificate = settings.data / "certificate"
        self._timeout_s = timeout_s

    def call(self, method: str, **params: object) -> Any:
        """The method's result, or the dashboard's own error."""
        try:
            where = json.loads(self._path.read_text(encoding="utf-8"))
            request = urllib.request.Request(  # noqa: S310 - our own address of this machine
                f"{where['url']}/local",
                json.dumps({"method": method, "params": params}).encode(),
                {"authorization": f"Bearer {where['token']}", "content-type": "application/json"},
            )
            with urllib.request.urlopen(  # noqa: S310 - our own address of this machine
                request, timeout=self._timeout_s, context=self._context(where["url"])
            ) as reply:
                answer = json.loads(reply.read())
        except urllib.error.HTTPError as error:
            answer = _body(error)
        except (OSError, ValueError, KeyError) as error:
            raise ServiceError(
                "the dashboard holds the data but does not answer: stop it, or start it again"
            ) from error
        if answer.get("ok"):
            return answer.get("result")
        raise _error(str(answer.get("kind")), str(answer.get("error")))

    def _context(self, url: str) -> ssl.SSLContext | None:
        if not url.startswith("https"):
            return None
        files = sorted(Path(self._certificate).glob("*.pem")) + sorted(
            Path(self._certificate).glob("*.crt")
        )
        context = ssl.create_default_context()
        context.check_hostname = False  # it names the machine, and we ask on loopback
        for file in files:
            try:
                context.load_verify_locations(str(file))
            except ssl.SSLError:
                continue  # the key lies beside it
        return context


def _body(error: urllib.error.HTTPError) -> dict[str, Any]:
    try:
        found = json.loads(error.read())
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    return {"kind": "ServiceError", "error": f"the dashboard answered {error.code}"}


def _error(kind: str, sentence: str) -> BackstayError:
    found = getattr(errors_module, kind, None)
    if isinstance(found, type) and issubclass(found, BackstayError):
        return found(sentence)
    return UsageError(sentence)
