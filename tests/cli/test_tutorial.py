"""The way of the tutorial's plugin through a hub, as its page tells it: installed to paged."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from hub.cli.main import run
from hub.sandbox.processes import Process
from hub.settings import bare_environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
SAMPLE = Path(__file__).parents[1] / "thirdparty" / "zendesk"  # codespell:ignore thirdparty
PAGE = Path(__file__).parents[2] / "docs" / "tutorials" / "first-plugin.md"


def installed(folder: Path) -> Path:
    """Put the plugin where Python finds it, with the entry point that an installer writes."""
    shutil.copy(SAMPLE / "hub_zendesk.py", folder)
    told = folder / "hub_zendesk-0.1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: hub-zendesk\nVersion: 0.1.0\n")
    (told / "entry_points.txt").write_text("[hub]\nzendesk = hub_zendesk\n")
    return folder


@pytest.fixture
async def started(tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """Start what the page starts; addresses by what it calls them."""
    (tmp_path / "site").mkdir()
    environment = bare_environment() | {"PYTHONPATH": str(installed(tmp_path / "site"))}
    serve, sandbox = (
        Process(
            name=name,
            arguments=[name, "--port", "0", *more],
            log=tmp_path / f"{name}.log",
            environment=environment,
        )
        for name, more in (("serve", ["--data", str(tmp_path / "data")]), ("sandbox", []))
    )
    await serve.start()
    await sandbox.start()
    await serve.said("Integration Hub")
    pagerduty = (await sandbox.said("  PagerDuty: ")).removesuffix("/_sim/")
    hub = (tmp_path / "data" / "serve.url").read_text().strip()
    yield {"http://127.0.0.1:8400": hub, "http://127.0.0.1:8501": pagerduty}
    for one in (serve, sandbox):
        await one.stop()


@pytest.fixture
def page(
    started: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Callable[[str], str]:
    for name in [one for one in os.environ if one.startswith("HUB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(SAMPLE)
    text = PAGE.read_text().replace("\\\n", " ")
    for shown, real in started.items():
        text = text.replace(shown, real)

    def do(beginning: str) -> str:
        """Do what the page says in the line that begins so."""
        (line,) = re.findall(rf"^{re.escape(beginning)}.*$", text, flags=re.MULTILINE)
        words = [one.strip("'") for one in line.partition(" #")[0].split()]
        if words[0] == "python":
            subprocess.run([sys.executable, *words[1:]], check=True, env=bare_environment())
        else:
            run(words[1:])
        return capfd.readouterr().out

    return do


def test_the_way_from_the_plugin_to_a_page_is_as_the_tutorial_tells(page) -> None:
    assert "zendesk      0.1.0    loaded" in page("hub plugins list")
    assert "Action zendesk.create_ticket" in page("hub plugins show zendesk")
    page("hub connector add zendesk desk")
    page("hub connector add pagerduty pager")
    assert "is enabled" in page("hub ruleset apply tickets.yaml")

    assert '202 {"delivery":"dlv_1"}' in page("python send.py").replace(": ", ":")

    until = time.monotonic() + 20
    while "Created incident" not in (trace := page("hub delivery trace")):
        assert time.monotonic() < until, trace
        time.sleep(0.2)
    assert '✓ Rule "New tickets page" fired' in trace
    assert "✓ run_1  pagerduty.create_incident at pager: done Created incident #" in trace
    assert "linked: pagerduty.incident" in trace
