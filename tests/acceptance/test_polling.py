"""Changes that no push tells of, found by asking."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from hub import clock
from tests.acceptance.world import (
    CASE_CHANGES,
    CASE_CREATED,
    HIGH,
    Json,
    World,
    act,
    all_,
    is_,
    page,
    rule,
)

QUICK = {"poll_safety_lag_seconds": 0, "poll_overlap_minutes": 5}


async def poll_now(world: World) -> None:
    """Let the polls be due that have begun."""

    async def begun() -> bool:
        async with world.app.state.database.reading() as session:
            found = await session.scalars(text("SELECT cursor FROM poll_cursors"))
            cursors = list(found)
        return bool(cursors) and all(cursors)

    await world.until(begun)
    past = clock.now() - timedelta(minutes=1)
    async with world.app.state.database.writing() as session:
        await session.execute(
            text("UPDATE poll_cursors SET next_at = :past"),
            {"past": past.strftime("%Y-%m-%dT%H:%M:%S.%fZ")},
        )


async def polled(world: World, words: str) -> Json:
    """Poll until there is an incident with the words; return it."""

    async def look() -> Json | None:
        await poll_now(world)
        return next(iter(await world.incidents(words)), None)

    found: Json = await world.until(look)
    return found


@pytest.mark.covers("SF-004")
async def test_a_new_and_a_changed_case_are_found_by_polling(empty_world: World) -> None:
    world = empty_world
    await world.connect_pagerduty()
    await world.connect_salesforce(push=False, webhook_secret=None, **QUICK)
    close = rule(
        "Closing resolves",
        ["salesforce.case.updated"],
        act("pagerduty.resolve_incident"),
        when=all_(is_("salesforce.case.is_closed", True, "changed_to")),
    )
    await world.rules(rule("High pages", CASE_CHANGES, page(), when=HIGH), close)
    await poll_now(world)

    case = await world.salesforce.create_case(Subject="Found by asking", Priority="High")
    incident = await polled(world, "Found by asking")
    await world.salesforce.change_case(case, Status="Closed")

    async def resolved() -> bool:
        await poll_now(world)
        found = await world.pagerduty.incident(incident["id"])
        return bool(found["status"] == "resolved")

    assert await world.until(resolved)
    sources = {one["source"] for one in await world.items("deliveries", connector="salesforce")}
    assert sources == {"poll"}


async def test_a_push_that_was_lost_is_found_by_polling_and_worked_once(
    empty_world: World,
) -> None:
    world = empty_world
    await world.connect_pagerduty()
    await world.connect_salesforce(**QUICK)
    await world.rules(rule("All page", CASE_CREATED, page()))
    await poll_now(world)

    await world.crm.fault("lose_push", times=1)
    await world.salesforce.create_case(Subject="Lost on the way")
    told = await world.salesforce.create_case(Subject="Told at once")
    await world.the_incident("Told at once")
    assert await world.incidents("Lost on the way") == []
    await world.event("salesforce.case.created", told, state="done")
    await polled(world, "Lost on the way")
    await world.quiet()
    assert len(await world.incidents("Told at once")) == 1
