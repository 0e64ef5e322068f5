"""Workflows and response plays: started once, or not at all."""

import pytest

import hub
from hub_pagerduty.actions.plays import find_announced

NEW = "QDEMO000000123"


async def test_a_workflow_is_started(do, sim):
    result = await do("run_workflow", NEW, workflow="PWORK01")

    (run,) = sim.world.runs
    assert (run["workflow"], run["incident"]) == ("PWORK01", NEW)
    assert result.note is not None


@pytest.mark.covers("RF-087")
async def test_a_response_play_is_run_where_there_still_are_any(do, sim):
    play = next(iter(sim.world.plays))

    await do("run_response_play", NEW, play=play)

    assert sim.world.runs == [{"play": play, "incident": NEW}]


async def test_a_withdrawn_play_names_what_to_choose_instead(do, sim):
    play = next(iter(sim.world.plays))
    sim.world.switches.plays = False

    with pytest.raises(hub.Rejected, match="workflow instead"):
        await do("run_response_play", NEW, play=play)


async def test_a_workflow_may_stand_for_a_play(do, sim):
    await do("run_response_play", NEW, play="PWORK01")

    assert sim.world.runs[0]["workflow"] == "PWORK01"


async def test_a_start_whose_answer_was_lost_counts_as_started(do, client, sim, call_for):
    sim.faults.add("html", method="POST", path="/instances$")
    with pytest.raises(hub.Unavailable):
        await do("run_workflow", NEW, workflow="PWORK01")

    assert await find_announced(call_for("run_workflow", client, NEW, workflow="PWORK01"))


async def test_an_unknown_workflow_is_the_rules_fault(do):
    with pytest.raises(hub.Rejected, match="PNOTHERE"):
        await do("run_workflow", NEW, workflow="PNOTHERE")


async def test_a_plan_without_workflows_is_told(do, sim):
    sim.world.switches.workflows = False

    with pytest.raises(hub.Rejected, match="plan lacks"):
        await do("run_workflow", NEW, workflow="PWORK01")
