# SPDX-License-Identifier: Apache-2.0
"""One request to a practice's server; the certificate is checked before the token leaves."""

import hashlib
import http.client
import json
import ssl
from urllib.parse import urlsplit

from tracker.collect.practice_list import Practice
from tracker.errors import AccessDenied, ServiceError

TIMEOUT_S = 30.0


def post_https(practice: Practice, body: bytes) -> None:
    """One request; the certificate is checked before a byte of the token leaves."""
    parts = urlsplit(practice.url)
    context = ssl.create_default_context()
    if practice.sha256:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the print below is compared instead
    link = http.client.HTTPSConnection(
        str(parts.hostname), parts.port or 443, timeout=TIMEOUT_S, context=context
    )
    try:
        link.connect()
        if practice.sha256:
            _compare(link, practice.sha256)
        headers = {
            "authorization": f"Bearer {practice.token}",
            "content-type": "application/gzip",
        }
        link.request("POST", f"{parts.path.rstrip('/')}/practice/hours", body, headers)
        reply = link.getresponse()
        said = reply.read(10_000)
    except (OSError, http.client.HTTPException) as error:
        raise ServiceError(f"the practice at {parts.hostname} does not answer ({error})") from error
    finally:
        link.close()
    if reply.status in (401, 403):
        raise AccessDenied("the practice refuses this token: ask for a new one and join again")
    if reply.status != 200:
        raise ServiceError(f"the practice answered {reply.status}: {_reason(said)}")


def _compare(link: http.client.HTTPSConnection, wanted: str) -> None:
    assert isinstance(link.sock, ssl.SSLSocket)  # noqa: S101 - connected above
    shown = hashlib.sha256(link.sock.getpeercert(binary_form=True) or b"").hexdigest()
    if shown != wanted.replace(":", "").lower():
        raise AccessDenied("the practice shows another certificate than agreed: nothing was sent")


def _reason(said: bytes) -> str:
    try:
        return str(json.loads(said)["text"])[:200]
    except (ValueError, KeyError, TypeError):
        return "no reason given"
