# SPDX-License-Identifier: Apache-2.0
"""No key, password or token of anybody lies in the repository; runs offline."""

import math
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Shapes that makers document for their own keys.
SHAPES = {
    "private key": re.compile(r"-----BEGIN (?:RSA |EC |OPENSSH |DSA |PGP )?PRIVATE KEY"),
    "AWS key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "GitHub token": re.compile(r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_\w{40,})\b"),
    "GitLab token": re.compile(r"\bglpat-[\w-]{20}\b"),
    "Slack token": re.compile(r"\bxox[abprs]-[\w-]{10,}"),
    "Google key": re.compile(r"\bAIza[\w-]{35}\b"),
    "PyPI token": re.compile(r"\bpypi-[\w-]{50,}"),
    "Stripe key": re.compile(r"\b[rs]k_live_\w{20,}"),
    "JSON web token": re.compile(r"\beyJ[\w-]{15,}\.eyJ[\w-]{15,}\.[\w-]{15,}"),
    "address with a password": re.compile(r"\b\w+://[^\s/:@{}'\"]+:[^\s/:@{}'\"$]{3,}@[\w.-]+"),
}
# Words that documents and tests put where a password would stand.
PLACEHOLDERS = re.compile(
    r":(?:password|PASSWORD|s3cret|a%20password|a%20word%20of%20its%20own|b%40c)@"
)
_ASSIGNED = re.compile(
    r"(?i)\b(?:password|passwd|secret|token|api_?key)\b\s*[:=]\s*[\"']([^\"'\s]{20,})[\"']"
)
BITS_PER_CHARACTER = 3.7  # random base64 of this length has more than 4, English about 3


def entropy(text: str) -> float:
    """Bits per character of a text's own letter frequencies."""
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())


def secrets_in(text: str) -> list[str]:
    """What in a text looks like a key, by name."""
    text = PLACEHOLDERS.sub("@", text)
    found = [name for name, shape in SHAPES.items() if shape.search(text)]
    found += [
        f"{value[:4]}..." for value in _ASSIGNED.findall(text)
        if entropy(value) > BITS_PER_CHARACTER and "$" not in value and "{" not in value
    ]  # fmt: skip
    return found


def test_no_secret_lies_in_the_repository() -> None:
    """Every tracked text file is free of keys; files that hold keys by nature are not tracked."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    hits = {}
    for name in filter(None, listed):
        path = ROOT / name
        assert path.suffix not in (".pem", ".key", ".p12", ".pfx"), name
        assert path.name != ".env", name
        if path == Path(__file__) or not path.is_file():
            continue
        try:
            found = secrets_in(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue
        if found:
            hits[name] = found
    assert not hits


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN EC PRIVATE KEY-----",
        "key = AKIA" + "IOSFODNN7EXAMPLE",
        "ghp_" + "a1B2" * 9,
        "https://user:hunter22@example.org/x",
        "token = '" + "Zx8kQ0pLr2Vt9sWm4YbN7cHd" + "'",
        "eyJhbGciOiJIUzI1NiIs.eyJzdWIiOiIxMjM0NTY3." + "dBjftJeZ4CVPmB92K27u",
    ],
)
def test_the_scan_would_find_one(text: str) -> None:
    """Made-up keys of each kind are found."""
    assert secrets_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "token = read_settings().influx_token",
        'password = "correct horse battery staple"',
        "postgresql://user@host/db",
        "https://docs.influxdata.com/influxdb/v2/api/",
    ],
)
def test_the_scan_leaves_words_alone(text: str) -> None:
    """Ordinary code and addresses are no keys."""
    assert not secrets_in(text)
