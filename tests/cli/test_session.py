"""Which hub a command speaks to, and to whom it shows the token of this machine's hub."""

from pathlib import Path

import pytest

from hub.cli.client import is_same

PROBLEM = {"content_type": "application/problem+json"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "operator.token").write_text("hub_local\n")
    return tmp_path


def test_the_local_token_is_shown_to_the_hub_of_its_folder(hub, api, folder, monkeypatch) -> None:
    monkeypatch.delenv("HUB_URL")
    (folder / "serve.url").write_text(f"{api.url}\n")

    hub("plugins", "list", "--data", str(folder))

    assert api.asked[0][2]["authorization"] == "Bearer hub_local"


def test_the_local_token_is_shown_where_the_same_address_is_named(hub, api, folder) -> None:
    (folder / "serve.url").write_text(f"{api.url}\n")
    named = api.url.replace("127.0.0.1", "localhost")

    hub("plugins", "list", "--data", str(folder), "--url", named)

    assert api.asked[0][2]["authorization"] == "Bearer hub_local"


@pytest.mark.parametrize("ours", ["http://127.0.0.1:9", None])
def test_the_local_token_is_shown_to_nobody_else(ours, hub, api, folder) -> None:
    if ours:
        (folder / "serve.url").write_text(f"{ours}\n")

    hub("plugins", "list", "--data", str(folder), "--url", api.url)

    assert "authorization" not in api.asked[0][2]


def test_what_is_no_hub_is_told_so(hub, api) -> None:
    api.answer("GET", "/api/v1/plugins", b"go away", 401, content_type="text/plain")

    ended = hub("plugins", "list", "--token", "t")

    assert ended.status == 5
    assert "does not look like a hub" in ended.err
    assert "--url" in ended.err


def test_a_token_that_a_hub_does_not_know_is_told(hub, api) -> None:
    api.answer("GET", "/api/v1/plugins", {"title": "No."}, 401, **PROBLEM)

    ended = hub("plugins", "list", "--token", "t")

    assert ended.status == 4
    assert "does not know this token" in ended.err


def test_without_a_hub_the_data_folder_that_was_searched_is_named(hub, folder, monkeypatch) -> None:
    monkeypatch.delenv("HUB_URL")
    monkeypatch.setattr("hub.cli.session.DEFAULT_URL", "http://127.0.0.1:9")

    ended = hub("plugins", "list", "--data", str(folder))

    assert ended.status == 5
    assert str(folder) in ended.err


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://127.0.0.1:8400", "http://localhost:8400/", True),
        ("http://0.0.0.0:8400", "http://127.0.0.1:8400", True),
        ("https://hub.example", "https://HUB.example:443", True),
        ("http://hub.example", "https://hub.example", False),
        ("http://127.0.0.1:8400", "http://127.0.0.1:8401", False),
        ("http://127.0.0.1:8400", "http://evil.example:8400", False),
    ],
)
def test_addresses_are_the_same(one: str, other: str, same: bool) -> None:
    assert same is is_same(one, other)
