# SPDX-License-Identifier: Apache-2.0
"""`backstay user` beside a running dashboard, which alone writes the accounts."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from tracker.commands.user import command
from tracker.dashboard_door import DashboardClient
from tracker.errors import InputError, UsageError
from tracker.settings import Settings

GOOD, OTHER = "drei blaue segel", "vier rote anker"
ISSUER = "https://provider.example"


def run(settings: Settings, *words: str, asked: str = "") -> Result:
    """The command; `asked` is typed."""
    return CliRunner().invoke(command, list(words), input=asked, env=settings.environment())


def done(settings: Settings, *words: str, asked: str = "") -> str:
    """The same, which must succeed."""
    result = run(settings, *words, asked=asked)
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.output


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, str]]:
    """A real dashboard process on an empty folder with one account, and its address."""
    folder = tmp_path_factory.mktemp("served")
    settings = Settings(
        data=folder, port=0, oidc_issuer=ISSUER, oidc_client="c", public_url="http://127.0.0.1"
    )
    done(settings, "add", "Otto", "--role", "wearer", "--password", GOOD)
    with subprocess.Popen(
        [sys.executable, "-m", "dashboard.serve"],
        env={**os.environ, **settings.environment()},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as child:
        assert child.stdout is not None
        url = child.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), "the dashboard did not start"
        for _ in range(600):
            try:
                httpx.get(f"{url}/health").raise_for_status()
            except httpx.TransportError:
                assert child.poll() is None
                subprocess.run(["sleep", "0.1"], check=True)
            else:
                break
        # From here on it holds the file: a page asked for the accounts.
        assert sign_in(url, "Otto", GOOD) is not None
        yield settings, url
        child.terminate()
        child.wait(60)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The same account in a folder that no dashboard holds."""
    settings = Settings(data=tmp_path_factory.mktemp("stopped"), oidc_issuer=ISSUER)
    done(settings, "add", "Otto", "--password", GOOD)
    return settings


def sign_in(url: str, name: str, password: str) -> httpx.Cookies | None:
    """The cookies of a sign-in, None where it is refused."""
    answer = httpx.post(
        f"{url}/auth/login", data={"name": name, "password": password}, headers={"origin": url}
    )
    return answer.cookies if answer.status_code == 303 else None


def is_in(url: str, cookies: httpx.Cookies) -> bool:
    """Whether a page opens with these cookies."""
    answer = httpx.get(f"{url}/", cookies=cookies, headers={"accept": "text/html"})
    return answer.status_code == 200


def test_accounts_change_while_the_dashboard_runs(service: tuple[Settings, str]) -> None:
    """Made, given a new password, closed and opened again: each acts in the running service."""
    settings, url = service
    done(settings, "add", "Anna", asked=f"{GOOD}\n{GOOD}\n")
    cookies = sign_in(url, "Anna", GOOD)
    assert cookies is not None
    assert is_in(url, cookies)
    assert "Anna\twearer" in done(settings, "list")
    done(settings, "passwd", "Anna", "--password", OTHER)
    assert not is_in(url, cookies), "the sign-in outlived the password"
    assert sign_in(url, "Anna", GOOD) is None
    cookies = sign_in(url, "Anna", OTHER)
    assert cookies is not None
    done(settings, "close", "anna")
    assert not is_in(url, cookies)
    assert "(closed)" in done(settings, "list")
    done(settings, "reopen", "Anna")
    assert sign_in(url, "Anna", OTHER) is not None


def test_the_owner_comes_back_in(service: tuple[Settings, str]) -> None:
    """The operator forgot the password: a made one is shown once and opens the door."""
    settings, url = service
    made = done(settings, "passwd", "Otto", "--new").split("shown once: ")[1].strip()
    assert sign_in(url, "Otto", GOOD) is None
    assert sign_in(url, "Otto", made) is not None
    done(settings, "passwd", "Otto", "--password", GOOD)


def test_links_to_the_provider(service: tuple[Settings, str]) -> None:
    """An account without a password, linked; the last way in cannot be taken away by mistake."""
    settings, _ = service
    done(settings, "add", "Tina", "--role", "therapist", "--no-password", "--email", "t@p.example")
    assert "Tina\ttherapist\t-\tde  (linked)" in done(settings, "list")
    assert "has no password" in str(run(settings, "unlink", "Tina").exception)
    done(settings, "passwd", "Tina", "--password", OTHER)
    done(settings, "unlink", "Tina")
    assert "linked" not in done(settings, "list")
    done(settings, "link", "Tina", "--subject", "t-1")
    taken = run(settings, "add", "Eve", "--password", OTHER, "--subject", "t-1")
    assert isinstance(taken.exception, InputError)
    assert "Tina" in str(taken.exception)
    assert "Eve" not in done(settings, "list"), "half an account was left"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["add", "Otto", "--password", GOOD], "already an account"),
        (["add", "Kurz", "--password", "kurz"], "at least 10"),
        (["add", "Ohne", "--no-password"], "--subject or --email"),
        (["passwd", "Niemand", "--password", GOOD], "there is no account"),
        (["link", "Otto"], "either --subject or --email"),
    ],
)
def test_refusals_are_the_same_sentence_through_the_door(
    service: tuple[Settings, str], stopped: Settings, words: list[str], sentence: str
) -> None:
    """What the running dashboard refuses, a stopped one refuses with the same words and type."""
    settings, _ = service
    through = run(settings, *words).exception
    direct = run(stopped, *words).exception
    assert type(through) is type(direct) is InputError
    assert str(through) == str(direct)
    assert sentence in str(through)


def test_the_door_takes_no_strange_request(service: tuple[Settings, str]) -> None:
    """A parameter nobody knows, and a method that is none, are usage errors."""
    settings, _ = service
    client = DashboardClient(settings)
    with pytest.raises(UsageError):
        client.call("user_list", everything=True)
    with pytest.raises(UsageError):
        client.call("user__named", name="Otto")


def test_the_first_account_operates(tmp_path: Path) -> None:
    """Whoever is first can manage the others, also where nothing was measured before."""
    settings = Settings(data=tmp_path)
    assert "needs a password" in str(run(settings, "add", "Tina", "--no-password").exception)
    done(settings, "add", "Tina", "--role", "therapist", "--password", GOOD)
    done(settings, "add", "Anna", "--password", GOOD)
    listed = done(settings, "list")
    assert "Tina\toperator, therapist" in listed
    assert "Anna\twearer\tw-" in listed
