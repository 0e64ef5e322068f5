"""The page on the HTTP API: its commands do what it says, in a shell, at a real hub."""

import asyncio
import os
import re
import shutil
from pathlib import Path

import pytest

from tests.acceptance.world import World

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "use-the-api.md"
TOOLS = [name for name in ("bash", "curl", "openssl") if shutil.which(name) is None]


def commands() -> list[str]:
    """Return the page's blocks that ask the hub something."""
    return [
        one for one in re.findall(r"```\n(.*?)```", PAGE.read_text(), re.DOTALL) if "curl" in one
    ]


@pytest.mark.skipif(bool(TOOLS), reason=f"not installed here: {', '.join(TOOLS)}")
async def test_the_commands_of_the_page_do_what_it_says(empty_world: World) -> None:
    script = 'set -e\ncurl() { command curl -sS --fail-with-body "$@"; echo; }\n'
    shell = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        script + "\n".join(commands()),
        env={
            **os.environ,
            "HUB": empty_world.url,
            "TOKEN": empty_world.token,
            "ACME": f"{empty_world.url}/api/v1/tenants/{empty_world.tenant}",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told = (await shell.communicate())[0].decode()

    assert shell.returncode == 0, told
    assert len(commands()) == 4
    assert told.splitlines()[-1] == '{"delivery": "dlv_1"}'
    [kept] = await empty_world.items("deliveries")
    assert (kept["state"], kept["events"]) == ("accepted", 1)
