"""Nothing under version control holds a secret, a registry's host or a machine's path."""

import re
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, shown, tracked

HERE = Path(__file__)
FORBIDDEN = {
    "an AWS key": r"\bAKIA[0-9A-Z]{16}\b",
    "a GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36}",
    "a Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "a Slack webhook": r"hooks\.slack\.com/services/T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/[A-Za-z0-9]{24}",
    "a private key": r"-----BEGIN (?:RSA |EC |OPENSSH )?PRIVATE KEY-----\n[A-Za-z0-9+/=]{40}",
    "a Salesforce session": r"\b00D[A-Za-z0-9]{12,15}![A-Za-z0-9._]{60,}",
    "a package registry": r"\b(?:pypi\.org|files\.pythonhosted\.org|registry\.npmjs\.org)\b",
    "an index option": r"--(?:extra-)?index-url\b",
    "a machine's path": (
        r"(?<![\w.])/(?:home|Users)/[a-z][\w.-]*/|(?<![\w.])/root/|/work/(?:main|shared)\b"
    ),
}
BINARY = {".png", ".ico", ".woff2", ".pdf", ".db"}


def texts() -> list[tuple[str, str]]:
    return [
        (shown(file), file.read_text(encoding="utf-8", errors="replace"))
        for file in tracked()
        if file.suffix not in BINARY and file != HERE
    ]


@pytest.fixture(scope="module")
def tree() -> list[tuple[str, str]]:
    return texts()


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what, tree):
    pattern = re.compile(FORBIDDEN[what])

    assert [(name, hit.group()[:60]) for name, text in tree if (hit := pattern.search(text))] == []


def test_exact_versions_name_no_host():
    assert "://" not in (ROOT / "constraints.txt").read_text()


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("an AWS key", "AKIA" + "ABCDEFGHIJKLMNOP"),
        ("a GitHub token", "ghp_" + "a" * 36),
        ("a package registry", "https://" + "pypi.org/simple"),
        ("a machine's path", "see /" + "home/somebody/notes"),
        ("a private key", "-----BEGIN PRIVATE KEY-----\n" + "A" * 64),
    ],
)
def test_a_planted_leak_is_seen(what, text):
    assert re.search(FORBIDDEN[what], text)
