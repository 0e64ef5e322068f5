"""Live lists."""

import pytest

from hub_pagerduty.choices import CHOICES

FETCH = {source.name: source.fetch for source in CHOICES}


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("services", ("PXXXXXX", "Operations")),
        ("escalation_policies", ("PXXXXXX", "Default")),
        ("users", ("PUSER01", "Operations (ops@company.com)")),
        ("teams", ("PTEAM01", "Engineering")),
        ("schedules", ("PSCHED1", "Schedule 1")),
        ("priorities", ("P1", "P1")),
        ("incident_types", ("incident_default", "Base incident")),
        ("custom_fields", ("environment", "Environment")),
        ("workflows", ("PWORK01", "Page the managers")),
    ],
)
async def test_a_list_is_what_the_account_has(client, name, first):
    found = await FETCH[name](client, "")

    assert (found[0].value, found[0].label) == first


@pytest.mark.parametrize(
    ("name", "search", "values"),
    [
        ("services", "data", ["PDAT001"]),
        ("users", "jane", ["PUSER03"]),
        ("priorities", "p2", ["P2"]),
        ("custom_fields", "impact", ["customer_impact"]),
    ],
)
async def test_a_search_narrows_it(client, name, search, values):
    assert [one.value for one in await FETCH[name](client, search)] == values


async def test_disabled_workflows_are_not_offered(client):
    assert "PWORK03" not in [one.value for one in await FETCH["workflows"](client, "")]


async def test_workflows_stand_for_plays_where_those_are_withdrawn(client, sim):
    with_plays = [one.label for one in await FETCH["response_plays"](client, "")]
    sim.world.switches.plays = False
    client.forget("choices:")

    without = [one.label for one in await FETCH["response_plays"](client, "")]

    assert with_plays == ["Call everybody", *without]


async def test_long_lists_are_paged(client, sim):
    sim.world.switches.page_limit = 2

    assert len(await FETCH["services"](client, "")) == len(sim.world.services)


async def test_a_list_is_remembered_for_a_moment(client, sim):
    await FETCH["services"](client, "")
    await FETCH["services"](client, "")

    assert len(sim.requests) == 1


async def test_an_account_without_priorities_has_none(client, sim):
    sim.world.switches.priorities = False

    assert await FETCH["priorities"](client, "") == []


@pytest.mark.parametrize("source", CHOICES, ids=lambda one: one.name)
async def test_a_kept_list_tells_its_age_and_is_not_asked_for_again(client, sim, source):
    assert source.age(client, "e") is None

    await source.fetch(client, "e")
    asked = len(sim.requests)
    await source.fetch(client, "e")

    assert 0 <= source.age(client, "e") < 5
    assert len(sim.requests) == asked
