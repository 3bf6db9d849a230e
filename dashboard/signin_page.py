# SPDX-License-Identifier: Apache-2.0
"""The sign-in's two forms as plain HTML: no script, so that password managers work."""

import html
from pathlib import Path
from string import Template
from urllib.parse import quote

from starlette.responses import HTMLResponse

from tracker.report.i18n import Language

_PAGE = Template((Path(__file__).resolve().parent / "signin.html").read_text("utf-8"))


def login_page(
    lang: Language, target: str, problem: str = "", status: int = 200, *, provider: str = ""
) -> HTMLResponse:
    """Name and password, and the way through `provider` where there is one."""
    fields = _field(lang, "name", "text", "username")
    fields += _field(lang, "password", "password", "current-password")
    back = quote(target, safe="/")
    other = ""
    if provider:
        words = html.escape(lang.t("signin.provider", name=provider))
        other = f'<p><a class="provider" href="/auth/oidc?next={back}">{words}</a></p>'
    return _render(lang, "login", f"/auth/login?next={back}", fields, problem, status, other)


def first_page(
    lang: Language, problem: str = "", status: int = 200, *, code: bool = False
) -> HTMLResponse:
    """Name and password of the first account, and the setup code where one is asked for."""
    fields = _field(lang, "code", "text", "one-time-code") if code else ""
    fields += _field(lang, "name", "text", "username")
    fields += _field(lang, "password", "password", "new-password")
    return _render(lang, "first", "/auth/first", fields, problem, status)


def _field(lang: Language, name: str, kind: str, complete: str) -> str:
    label = html.escape(lang.t(f"signin.{name}"))
    return (
        f'<label for="{name}">{label}</label>'
        f'<input id="{name}" name="{name}" type="{kind}" autocomplete="{complete}" required>'
    )


def _render(
    lang: Language, key: str, action: str, fields: str, problem: str, status: int, other: str = ""
) -> HTMLResponse:
    note = f'<p class="problem" role="alert">{html.escape(problem)}</p>' if problem else ""
    return HTMLResponse(
        _PAGE.substitute(
            lang=lang.code,
            title=html.escape(lang.t(f"signin.{key}_title")),
            lead=html.escape(lang.t(f"signin.{key}_lead")),
            button=html.escape(lang.t(f"signin.{key}_button")),
            foot=html.escape(lang.t(f"signin.{key}_foot")),
            action=html.escape(action),
            fields=fields,
            problem=note,
            other=other,
        ),
        status,
        {"cache-control": "no-store"},
    )
