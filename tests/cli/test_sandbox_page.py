"""The page on the sandbox: its commands do what it says, in a shell, at a hub and a sandbox."""

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path

import httpx
import pytest

from hub.sandbox.processes import running
from hub.settings import bare_environment

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "use-the-sandbox.md"
MISSING = [name for name in ("bash", "curl") if shutil.which(name) is None]
STARTED = {"hub serve\n", "hub sandbox\n"}


def commands() -> list[str]:
    """Return the page's blocks but those that start the two programs and name their ports."""
    blocks = re.findall(r"```\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return [one for one in blocks if one not in STARTED and not one.startswith("export")]


@pytest.mark.slow
@pytest.mark.skipif(bool(MISSING), reason=f"not installed here: {', '.join(MISSING)}")
async def test_the_commands_of_the_page_do_what_it_says(tmp_path: Path) -> None:
    async with running(tmp_path, bare_environment()) as both:
        async with httpx.AsyncClient(trust_env=False) as http:
            listed = (await http.get(f"{both.sandbox_url}/simulators.json")).json()
        stands = {one["type"]: one["url"] for one in listed["simulators"]}
        shell = await asyncio.create_subprocess_exec(
            "bash",
            "-c",
            "set -e\n" + "\n".join(commands()),
            cwd=tmp_path,
            env={
                **bare_environment(),
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "HUB_DATA_DIR": str(tmp_path / "data"),
                "SANDBOX": both.sandbox_url,
                "PAGERDUTY": stands["pagerduty"],
                "SALESFORCE": stands["salesforce"],
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told = (await shell.communicate())[0].decode()

    assert shell.returncode == 0, told
    assert len(commands()) == 5
    assert re.search(r"dlv_1 .*sf", told), told
