"""Workflows, and the response plays they replaced."""

from typing import Any

from pydantic import Field

import hub
from hub import Action, ActionResult, Repeat
from hub_pagerduty import errors
from hub_pagerduty.actions.notes import find_note_like, note_once
from hub_pagerduty.actions.shared import BOTH, USERS, Acting, Call, acting, incident_id, reference
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
    """Start a workflow on the incident, and say so in a note before."""
    return await _start(call, call.params.workflow)


async def run_response_play(call: Call[ResponsePlay]) -> ActionResult:
    """Run a response play; what is no play is started as a workflow."""
    play = call.params.play
    if "-" not in play:
        return await _start(call, play)
    note = await note_once(call, _announcement(call, play))
    body = {"incident": reference(incident_id(call), "incident")}
    try:
        await call.client.post(f"/response_plays/{play}/run", body, by=await acting(call))
    except hub.Gone as gone:
        raise hub.Rejected(
            f"PagerDuty has withdrawn response plays: choose an incident workflow instead ({gone})"
        ) from gone
    return ActionResult(summary="Ran the response play", note=note)


async def find_announced(call: Call[Any]) -> ActionResult | None:
    """Look for the note of an earlier send: PagerDuty does not tell what was started.

    What was announced counts as started: a second start might page everybody again.
    """
    started = getattr(call.params, "workflow", "") or getattr(call.params, "play", "")
    note = await find_note_like(call, _announcement(call, started))
    return ActionResult(summary="Was started before", note=note) if note else None


async def _start(call: Call[Any], workflow: str) -> ActionResult:
    note = await note_once(call, _announcement(call, workflow))
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
    return ActionResult(summary="Started the workflow", note=note, wrote={"workflow": workflow})


def _announcement(call: Call[Any], what: str) -> str:
    return f"Integration Hub starts {what} on this incident ({call.key})"


PLAY_ACTIONS: list[Action[Any, Any]] = [
    PAGERDUTY.action(
        "run_workflow",
        "Run Incident Workflow",
        Workflow,
        run_workflow,
        target=INCIDENT,
        repeat=Repeat.FIND_FIRST,
        calls=3,
        find=find_announced,
        notes=True,
        scopes=(*BOTH, *USERS, "incident_workflows:instances.write"),
    ),
    PAGERDUTY.action(
        "run_response_play",
        "Run Response Play",
        ResponsePlay,
        run_response_play,
        target=INCIDENT,
        repeat=Repeat.FIND_FIRST,
        calls=3,
        find=find_announced,
        notes=True,
        scopes=(*BOTH, *USERS, "incident_workflows:instances.write"),
        abilities=("response_plays",),
    ),
]
