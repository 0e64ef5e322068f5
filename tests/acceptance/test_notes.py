"""Comments and notes, copied both ways and never back."""

import pytest

from tests.acceptance.world import JOHN, World

TEMPLATE = "salesforce.case_and_pagerduty"
ROLES = {"cases": "salesforce", "paging": "pagerduty"}


async def a_case(world: World, **params) -> tuple[str, str]:
    """Make the template's rules and a Case that pages; return both ids."""
    await world.mapped("PAPI001")
    await world.template(TEMPLATE, ROLES, params)
    case = await world.salesforce.create_case(Subject="Talk about it", Priority="High")
    incident = await world.the_incident("Talk about it")
    await world.case_with(case, PagerDuty_Incident_Id__c=incident["id"])
    return case, incident["id"]


async def notes_of(world: World, incident: str) -> list[str]:
    return [one["content"] for one in await world.pagerduty.notes(incident)]


@pytest.mark.covers("SF-003", "SF-032")
async def test_notes_and_comments_are_copied_both_ways_and_do_not_echo(world: World) -> None:
    case, incident = await a_case(world, sync_comments=True)

    await world.salesforce.add_comment(case, "Customer called again")
    await world.until(lambda: notes_of(world, incident))
    await world.pagerduty.add_note(incident, "Rolled back", by=JOHN)

    async def both() -> bool:
        return len(await world.salesforce.comments(case)) == 2

    await world.until(both)
    await world.quiet()
    notes, comments = await notes_of(world, incident), await world.salesforce.comments(case)
    assert [one for one in notes if "called" in one] == ["Agent One: Customer called again"]
    assert [one for one in comments if "Rolled" in one] == ["John Doe: Rolled back"]
    assert (len(notes), len(comments)) == (2, 2)


@pytest.mark.covers("SF-032")
async def test_comments_stay_in_salesforce_unless_they_are_to_be_copied(world: World) -> None:
    case, incident = await a_case(world)

    await world.salesforce.add_comment(case, "Only for us")
    await world.event("salesforce.case.commented", case, state="done")

    assert await notes_of(world, incident) == []


async def test_the_same_words_twice_are_two_notes(world: World) -> None:
    case, incident = await a_case(world, sync_comments=True)

    for _ in range(2):
        await world.salesforce.add_comment(case, "Any news?")

    async def two() -> bool:
        return len(await notes_of(world, incident)) == 2

    assert await world.until(two)
    await world.quiet()
    assert len(await notes_of(world, incident)) == 2
    assert len(await world.salesforce.comments(case)) == 2
