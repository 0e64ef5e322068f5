import subprocess
import sys
import time

import pytest

from hub.cli.server.reference import COMMON, commands, pages

COMMANDS = dict(commands())
SERVER = {"serve", "worker", "db", "sandbox", "demo", "migrate", "openapi", "docs", "help"}


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_says_what_it_does_and_gives_an_example(path: str) -> None:
    command = COMMANDS[path]

    assert command.help, path
    assert (command.epilog or "").startswith(f"Example: {path}"), path
    for option in command.params:
        assert option.help, f"{path} {option.name}"


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_that_asks_a_hub_takes_the_common_options(path: str) -> None:
    if path.split()[1] in SERVER or path == "hub plugins new":
        return
    taken = {one.name for one in COMMANDS[path].params}

    assert set(COMMON) <= taken


def test_help_loads_neither_the_hub_nor_an_http_client() -> None:
    code = (
        "import sys; from hub.cli.main import run; run(['--help']);"
        "heavy = {'fastapi', 'sqlalchemy', 'httpx', 'uvicorn', 'pydantic'};"
        "print(sorted(heavy & set(sys.modules)))"
    )

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ended.stdout.splitlines()[-1] == "[]"


def test_help_is_quick() -> None:
    started = time.perf_counter()

    subprocess.run([sys.executable, "-m", "hub", "--help"], capture_output=True, check=True)

    assert time.perf_counter() - started < 3


@pytest.mark.parametrize(
    "arguments",
    [["bogus"], ["connector", "bogus"], ["connector", "list", "--bogus"], ["connector", "test"]],
)
def test_wrong_usage_is_exit_status_2_with_a_fix(hub, arguments) -> None:
    ended = hub(*arguments)

    assert ended.status == 2
    assert ended.out == ""
    assert len(ended.err.splitlines()) == 2
    assert ended.err.splitlines()[1].startswith("Fix: hub")


def test_help_tells_of_a_command(hub) -> None:
    ended = hub("help", "connector", "test")

    assert ended.status == 0
    assert "Run every check of a connector" in ended.out


def test_the_version_is_told(hub) -> None:
    assert "hub 0" in hub("--version").out


def test_no_hub_is_exit_status_5(hub, monkeypatch) -> None:
    monkeypatch.setenv("HUB_URL", "http://127.0.0.1:9")

    ended = hub("connector", "list")

    assert ended.status == 5
    assert ended.err.splitlines()[1].startswith("Fix: ")


def test_beside_a_local_hub_no_set_up_is_needed(hub, api, tmp_path, monkeypatch) -> None:
    (tmp_path / "operator.token").write_text("l0cal\n")
    (tmp_path / "serve.url").write_text(f"{api.url}\n")
    monkeypatch.delenv("HUB_URL")
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path))
    api.answer("GET", "/api/v1/plugins", [])

    assert hub("plugins", "list").status == 0
    assert api.asked[0][2]["authorization"] == "Bearer l0cal"


def test_options_go_before_the_environment(hub, api, monkeypatch) -> None:
    monkeypatch.setenv("HUB_TENANT", "other")
    monkeypatch.setenv("HUB_TOKEN", "other")
    api.answer("GET", "/api/v1/tenants/acme/connectors?limit=100", {"items": [], "next": None})

    ended = hub("connector", "list", "--tenant", "acme", "--token", "mine", "--json")

    assert ended.out == '{\n  "items": []\n}\n'
    assert api.asked[0][2]["authorization"] == "Bearer mine"


def test_the_reference_pages_are_as_the_code_says(request) -> None:
    folder = request.config.rootpath / "docs" / "reference"

    stale = [name for name, text in pages().items() if (folder / name).read_text() != text]

    assert stale == [], "run: hub docs write"


def test_a_new_plugin_is_written(hub, tmp_path) -> None:
    ended = hub("plugin", "new", "zendesk", "--into", str(tmp_path))

    assert ended.status == 0
    assert (tmp_path / "hub-zendesk" / "pyproject.toml").is_file()
    assert "pytest" in ended.out.splitlines()[-1]


def test_a_plugin_that_can_not_be_named_so_is_refused(hub, tmp_path) -> None:
    ended = hub("plugin", "new", "Zen Desk", "--into", str(tmp_path))

    assert ended.status == 2
    assert "lower-case" in ended.err
