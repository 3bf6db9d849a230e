# SPDX-License-Identifier: Apache-2.0
"""Documents against the program: commands, options and settings exist; pages load nothing."""

import re
import subprocess
import sys
from dataclasses import fields
from html.parser import HTMLParser
from pathlib import Path

import click
import pytest

from tracker.cli import backstay
from tracker.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
_COMMAND = re.compile(r"(?<![\w./-])backstay ((?:[a-z][a-z-]+)(?: [a-z]+)?)([^`\n|]*)")


def _commands() -> dict[str, click.Command]:
    context = click.Context(backstay)
    found: dict[str, click.Command] = {}
    for name in backstay.list_commands(context):
        command = backstay.get_command(context, name)
        assert command is not None
        found[name] = command
        if isinstance(command, click.Group):
            found |= {f"{name} {sub}": c for sub, c in command.commands.items()}
    return found


def test_every_setting_is_documented() -> None:
    """The table of settings names every variable the program reads, and no other."""
    page = (ROOT / "docs" / "operate" / "settings.md").read_text(encoding="utf-8")
    named = re.findall(r"`(BACKSTAY_[A-Z_]+)`", page)
    written = {name.removesuffix("_FILE") for name in named}  # each may come from a file
    tests_only = {"BACKSTAY_CLOCK", "BACKSTAY_CLOCK_ORIGIN", "BACKSTAY_RECORDINGS"}
    assert written - tests_only == {f"BACKSTAY_{f.name.upper()}" for f in fields(Settings)}


@pytest.mark.parametrize(
    "page", [p for p in PAGES if p.is_file()], ids=lambda p: str(p.relative_to(ROOT))
)
def test_commands_in_documents_exist(page: Path) -> None:
    """Each `backstay ...` in code on a page is a command of the program, with options it has."""
    commands = _commands()
    text = page.read_text(encoding="utf-8")
    code = re.findall(r"`([^`\n]+)`", text) + re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
    for snippet in code:
        for words, rest in _COMMAND.findall(snippet):
            name = words if words in commands else words.split(" ")[0]
            assert name in commands, f"{page.name}: `backstay {words}` is no command"
            options = {o for p in commands[name].params for o in (*p.opts, *p.secondary_opts)}
            for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", words + rest):
                assert option in options | {"--help"}, f"{page.name}: {name} has no {option}"


_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize(
    "page",
    [
        *PAGES,
        ROOT / "SECURITY.md",
        ROOT / "CHANGELOG.md",
        ROOT / "firmware_protocol" / "PROTOCOL.md",
    ],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_links_lead_somewhere(page: Path) -> None:
    """Each relative link of a page, a picture's too, names a file, and its anchor a heading."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for words, picture in _LINK.findall(text):
        target, _, anchor = (words or picture).partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), f"{page.name}: {target} does not exist"
        if anchor and path.suffix == ".md":
            assert anchor in _anchors(path), f"{page.name}: {target}#{anchor} has no heading"


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", ["SECURITY.md", "CONTRIBUTING.md"])
def test_files_that_pages_name_exist(page: str) -> None:
    """What the tables of threats and of the house name as a test or a folder is there."""
    text = (ROOT / page).read_text(encoding="utf-8")
    tops = ("tests", "tracker", "dashboard", "firmware_protocol", "docs", "bench")
    for name in re.findall(r"`([\w./{},-]+)`", text):
        if name.split("/")[0] not in tops or "NAME" in name or "AREA" in name or "/" not in name:
            continue
        assert (ROOT / name).exists(), f"{page}: `{name}` does not exist"


def test_the_command_page_is_the_programs_own_help() -> None:
    """`docs/commands.md` is what `--help` prints; `python -m bench.command_page` writes it.

    In a process of its own, because click remembers help options from the first call of a command.
    """
    code = "import sys, bench.command_page as c; sys.exit(c.PAGE.read_text('utf-8') != c.page())"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert run.returncode == 0, "run python -m bench.command_page"


class _Loads(HTMLParser):
    """Collects what a browser would fetch by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the address of anything that loads."""
        values = dict(attrs)
        address = values.get("src") or (values.get("href") if tag == "link" else None)
        if address and values.get("rel") != "canonical":
            self.found.append(address)


def test_documents_build_without_a_warning_and_load_nothing_from_elsewhere(tmp_path: Path) -> None:
    """Mkdocs --strict is content, and every script, style and picture is the site's own."""
    site = tmp_path / "site"
    run = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", site],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr + run.stdout
    for page in site.rglob("*.html"):
        loads = _Loads()
        loads.feed(page.read_text(encoding="utf-8"))
        for address in loads.found:
            assert not re.match(r"(?:https?:)?//", address), f"{page.name} loads {address}"


def test_every_decision_is_listed_and_fits_on_a_page() -> None:
    """The list of decisions names each file; a decision is at most 40 lines."""
    from bench.command_page import DECISIONS, decisions

    listed = (DECISIONS / "README.md").read_text(encoding="utf-8")
    assert listed == decisions(), "run python -m bench.command_page"
    for page in DECISIONS.glob("[0-9]*.md"):
        assert len(page.read_text(encoding="utf-8").splitlines()) <= 40, page.name


def test_the_page_of_the_long_day_shows_its_figures() -> None:
    """What stands in `soak.json` stands on the page; `python -m bench.soak_page` writes it."""
    from bench.soak_page import PAGE, with_figures

    text = PAGE.read_text(encoding="utf-8")
    assert text == with_figures(text)
