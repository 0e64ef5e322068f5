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

SEEDS = (1, 2)

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


async def test_a_hub_killed_while_it_works_ends_the_story_right(at_work) -> None:
    """Each deed is accepted by the hub, which is killed a moment later."""
    both, world = at_work
    chance = random.Random(0)
    seen = 0

    async def kill_at_work(step: Step) -> None:
        nonlocal seen
        if step.do is not None:
            seen = await _more_delivered(world, seen)
            await asyncio.sleep(chance.uniform(0, 0.05))
            await both.kill_hub()

    await story.run(world, _patient(), tell=_nothing, interrupt=kill_at_work)

    await _once_each(world)


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_hub_killed_at_random_moments_ends_the_story_right(at_work, seed: int) -> None:
    """Also before it has accepted: then the vendor repeats, or the poller finds it."""
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


async def _more_delivered(world: World, before: int) -> int:
    """Wait until the hub has answered one more delivery."""
    async with asyncio.timeout(20):
        while True:
            now = await world.pagerduty.delivered() + await world.salesforce.delivered()
            if now > before:
                return now
            await asyncio.sleep(0.01)


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
