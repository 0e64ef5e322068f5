"""Workflows, and the response plays they replaced."""

from typing import Any

from pydantic import Field

import hub
from hub import Action, ActionResult, Repeat
from hub_pagerduty import errors
from hub_pagerduty.actions.shared import Acting, Call, acting, incident_id, reference
from hub_pagerduty.connector import PAGERDUTY
from hub_pagerduty.vocabulary import INCIDENT


class Workflow(Acting):
    """Parameters of `run_workflow`."""

    workflow: str = Field(
        min_length=1,
        title="Workflow",
        description="A workflow of the account, best one with a manual trigger.",
        json_schema_extra={"x-hub": {"source": "workflows"}},
    )


class ResponsePlay(Acting):
    """Parameters of `run_response_play`."""

    play: str = Field(
        min_length=1,
        title="Response play or workflow",
        description="Where the account has no response plays any more, its workflows.",
        json_schema_extra={"x-hub": {"source": "response_plays"}},
    )


async def run_workflow(call: Call[Workflow]) -> ActionResult:
    """Start a workflow on the incident."""
    return await _start(call, call.params.workflow)


async def run_response_play(call: Call[ResponsePlay]) -> ActionResult:
    """Run a response play; what is no play is started as a workflow."""
    play = call.params.play
    if "-" not in play:
        return await _start(call, play)
    body = {"incident": reference(incident_id(call), "incident")}
    try:
        await call.client.post(f"/response_plays/{play}/run", body, by=await acting(call))
    except hub.Gone as gone:
        raise hub.Rejected(
            f"PagerDuty has withdrawn response plays: choose an incident workflow instead ({gone})"
        ) from gone
    return ActionResult(summary="Ran the response play")


async def find_nothing(call: Call[Workflow] | Call[ResponsePlay]) -> ActionResult | None:
    """Refuse to guess: PagerDuty does not tell what was started, and a second start pages."""
    raise hub.Rejected(
        f"It is not known whether this was started on incident {incident_id(call)}: look in "
        "PagerDuty, then retry by hand if it was not."
    )


async def _start(call: Call[Workflow] | Call[ResponsePlay], workflow: str) -> ActionResult:
    body = {
        "incident_workflow_instance": {
            "id": call.key,
            "type": "incident_workflow_instance",
            "incident": reference(incident_id(call), "incident"),
        }
    }
    try:
        await call.client.post(f"/incident_workflows/{workflow}/instances", body)
    except errors.NotThere as missing:
        raise hub.Rejected(f"There is no workflow {workflow!r} ({missing})") from missing
    return ActionResult(summary="Started the workflow")


PLAY_ACTIONS: list[Action[Any, Any]] = [
    PAGERDUTY.action(
        "run_workflow",
        "Run Incident Workflow",
        Workflow,
        run_workflow,
        target=INCIDENT,
        repeat=Repeat.FIND_FIRST,
        find=find_nothing,
    ),
    PAGERDUTY.action(
        "run_response_play",
        "Run Response Play",
        ResponsePlay,
        run_response_play,
        target=INCIDENT,
        repeat=Repeat.FIND_FIRST,
        find=find_nothing,
    ),
]
