"""The demo: a hub and the stand-ins, set up from nothing, and the story told on them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import httpx

from hub import clock
from hub.sandbox import story
from hub.sandbox.processes import Running, running
from hub.sandbox.setting_up import Say, set_up
from hub.sandbox.story import STORY, Seen, Step, StepFailed, World

_PATIENT_S = 90.0


async def tell(
    folder: Path, environment: Mapping[str, str], say: Say, *, kill_at: int | None = None
) -> None:
    """Set everything up in `folder`, tell the story, and stay up until cancelled.

    With `kill_at` the hub is killed and started again after the deed of that step.
    """
    async with at_work(folder, environment, say, often=kill_at is not None) as (both, world):
        await tell_story(both, world, say, kill_at=kill_at)
        for line in _addresses(both, world):
            say(line)
        await asyncio.Event().wait()


async def tell_once(
    folder: Path, environment: Mapping[str, str], say: Say, *, kill_at: int | None = None
) -> None:
    """Set everything up in `folder`, tell the story, and stop."""
    async with at_work(folder, environment, say, often=kill_at is not None) as (both, world):
        await tell_story(both, world, say, kill_at=kill_at)
    say(f"✓ All {len(STORY)} steps were seen at the stand-ins.")


@contextlib.asynccontextmanager
async def at_work(
    folder: Path, environment: Mapping[str, str], say: Say, *, often: bool = False
) -> AsyncIterator[tuple[Running, World]]:
    """Run a hub and a sandbox with the demo's tenant until the end of the block.

    With `often`, what got lost is looked for as often as the hub allows.
    """
    async with (
        running(folder, environment) as both,
        httpx.AsyncClient(trust_env=False, timeout=30) as http,
    ):
        say(f"✓ Hub at {both.hub_url} (data in {folder / 'data'})")
        say(f"✓ Sandbox at {both.sandbox_url}")
        yield both, await set_up(both, http, say, often=often)


async def tell_story(both: Running, world: World, say: Say, *, kill_at: int | None = None) -> None:
    """Run the story's steps and say what is seen; StepFailed names the one that was not."""
    numbers = {step.name: number for number, step in enumerate(STORY, start=1)}

    def seen(step: Step, found: Seen) -> None:
        at = clock.now().strftime("%H:%M:%S")
        trace = f"  [{found.trace}]" if found.trace else ""
        say(f"{at}  {numbers[step.name]:>2}. {found.text}{trace}")
        for line in found.more:
            say(f"              {line}")

    async def interrupt(step: Step) -> None:
        if numbers[step.name] == kill_at:
            say("          ! kill -9 of the hub, and started again")
            await both.kill_hub()

    say("")
    steps = STORY if kill_at is None else [replace(one, patience_s=_PATIENT_S) for one in STORY]
    await story.run(world, steps, tell=seen, interrupt=interrupt)


def where_to_look(folder: Path, failed: StepFailed) -> tuple[str, str]:
    """Return what was not seen, and where to look for the reason."""
    ask = f"HUB_DATA_DIR={folder / 'data'} HUB_TENANT=demo: {failed.step.look}"
    look = f"Look at {folder / 'hub.log'} and {folder / 'sandbox.log'}; while the hub is up, {ask}"
    return f"Step {failed.step.name!r} was not seen: {failed.reason}", look


def _addresses(both: Running, world: World) -> list[str]:
    return [
        "",
        f"API docs:    {both.hub_url}/docs",
        f"PagerDuty:   {world.pagerduty.url}/_sim/",
        f"Salesforce:  {world.salesforce.url}/_sim/",
        f"Traces:      {both.hub_url}/api/v1/tenants/{world.hub.tenant}/deliveries",
        "",
        "Ask the hub from another terminal:",
        f"  export HUB_DATA_DIR={both.folder / 'data'} HUB_TENANT={world.hub.tenant}",
        "  hub delivery list",
        "  hub delivery trace dlv_… --all",
        "",
        "Ctrl-C ends it.",
    ]
