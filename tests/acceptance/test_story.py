"""The main job from end to end: real processes, real sockets, and a hub that is killed."""

import asyncio
import random
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hub.sandbox import story
from hub.sandbox.demo import tell_once
from hub.sandbox.processes import Running, running
from hub.sandbox.setting_up import set_up
from hub.sandbox.story import COMMENT, NOTE, STORY, Seen, Step, World
from hub.settings import bare_environment

DEEDS = [number for number, step in enumerate(STORY, start=1) if step.do is not None]
SEEDS = (1, 2, 3)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def test_the_story_is_seen_at_the_stand_ins(tmp_path: Path) -> None:
    lines: list[str] = []

    await tell_once(tmp_path, bare_environment(), lines.append)

    assert lines[-1] == f"✓ All {len(STORY)} steps were seen at the stand-ins."
    assert any(re.search(r"✓ Connected to PagerDuty API \(\d+ ?ms\)", line) for line in lines)


@pytest.fixture
async def at_work(tmp_path: Path) -> AsyncIterator[tuple[Running, World]]:
    """A hub that is told of what it missed soon: vendors repeat and are polled often."""
    async with (
        running(tmp_path, bare_environment()) as both,
        httpx.AsyncClient(trust_env=False, timeout=30) as http,
    ):
        world = await set_up(both, http, lambda _: None, often=True)
        yield both, world


@pytest.mark.parametrize("number", DEEDS)
async def test_a_hub_killed_after_a_deed_ends_the_story_right(at_work, number: int) -> None:
    both, world = at_work

    async def kill(step: Step) -> None:
        if step is STORY[number - 1]:
            await both.kill_hub()

    await story.run(world, _patient(), tell=_nothing, interrupt=kill)

    await _once_each(world)


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_hub_killed_at_random_moments_ends_the_story_right(at_work, seed: int) -> None:
    both, world = at_work
    chance = random.Random(seed)
    kills: list[asyncio.Task[None]] = []

    async def kill_later(after: float) -> None:
        await asyncio.sleep(after)
        await both.kill_hub()

    async def interrupt(step: Step) -> None:
        if step.do is not None and (not kills or kills[-1].done()):
            kills.append(asyncio.create_task(kill_later(chance.uniform(0, 0.4))))

    try:
        await story.run(world, _patient(), tell=_nothing, interrupt=interrupt)
    finally:
        await asyncio.gather(*kills)

    await _once_each(world)


async def _once_each(world: World) -> None:
    """Neither a second incident nor a second comment."""
    await asyncio.sleep(1)
    numbers = [world.case_number, (await world.salesforce.case(world.quiet_case))["CaseNumber"]]
    incidents = [
        one
        for one in await world.pagerduty.incidents()
        if any(number in one["title"] for number in numbers)
    ]
    notes = [one["content"] for one in await world.pagerduty.notes(world.incident)]
    comments = await world.salesforce.comments(world.case)
    assert [one["id"] for one in incidents] == [world.incident]
    assert sum(COMMENT in one for one in notes) == 1
    assert sum(NOTE in one for one in comments) == 1
    assert (len(notes), len(comments)) == (2, 3)


def _patient() -> list[Step]:
    return [
        Step(name=one.name, do=one.do, see=one.see, look=one.look, patience_s=90) for one in STORY
    ]


def _nothing(_step: Step, _seen: Seen) -> None:
    pass
