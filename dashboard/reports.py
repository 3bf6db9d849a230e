# SPDX-License-Identifier: Apache-2.0
"""Reports as files: `/reports/WEARER.pdf` and `.json`, with the gate asked on every request.

Streamlit's own downloads are open to anyone who has the link (its issue 8148); here the link is
worth nothing without a sign-in whose grant holds at this moment.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dashboard import data
from dashboard.auth import COOKIE
from tracker.diary import Kind
from tracker.errors import AccessDenied, BackstayError, InputError
from tracker.report.i18n import language
from tracker.report.report import twin

_KINDS = {"pdf": "application/pdf", "json": "application/json"}


def routes() -> list[Route]:
    """The route of the reports."""
    return [Route("/reports/{name}", _report, methods=["GET"])]


async def _report(request: Request) -> Response:
    wearer, _, kind = str(request.path_params["name"]).rpartition(".")
    if kind not in _KINDS:
        return _no("There is no such file.", 404)
    secret = request.cookies.get(COOKIE)
    try:
        body, name = await run_in_threadpool(_make, secret, wearer, kind, request.query_params)
    except AccessDenied as error:
        return _no(str(error), 403)
    except InputError as error:
        return _no(str(error), 400)
    except BackstayError as error:
        return _no(str(error), 503)
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "no-store",
    }
    return Response(body, media_type=_KINDS[kind], headers=headers)


def _make(
    secret: str | None, wearer: str, kind: str, query: Mapping[str, str]
) -> tuple[bytes, str]:
    src, viewer = data.enter(secret)
    report = data.report(
        src,
        viewer,
        wearer,
        _day(query, "from"),
        _day(query, "to"),
        before_last=_day(query, "before"),
    )
    name = f"backstay-{report.first}-{report.last}.{kind}"
    if kind == "json":
        return json.dumps(twin(report), ensure_ascii=False, indent=1).encode(), name
    from tracker.report.extras import effect_lines, safety_lines
    from tracker.report.pdf import Extras, write_pdf

    first, last = report.first, report.last
    lang = language(query.get("lang") or viewer.language or "en")
    safety: Sequence[str] = ()
    if "screening" in report.scopes:
        answers, talks = (
            data.entries(src, viewer, wearer, [kind]) for kind in (Kind.SCREENING, Kind.DISCUSSED)
        )
        safety = safety_lines(answers, talks, lang, last)
    extras = Extras(
        minutes=data.minutes(src, viewer, wearer, first, last),
        effect=effect_lines(report, lang),
        safety=safety,
    )
    return write_pdf(report, lang, src.clock.now_ns(), extras), name


def _day(query: Mapping[str, str], name: str) -> date | None:
    text = query.get(name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{name}={text[:20]!r} is no date: write 2026-11-23.") from error


def _no(sentence: str, status: int) -> Response:
    return PlainTextResponse(sentence, status, {"cache-control": "no-store"})
