"""The REST API's workflows, and response plays as they were."""

from hub_pagerduty.testing.lifecycle import Refusal
from hub_pagerduty.testing.model import Incident, Json, Workflow
from hub_pagerduty.testing.routes import Answer, Asked, cursor_page, matching, page, route


def _need(asked: Asked) -> None:
    if not asked.sim.world.switches.workflows:
        raise Refusal(402, 2014, "Account does not have the incident_workflows ability")


@route("GET", "/incident_workflows", scope="incident_workflows.read")
def list_workflows(asked: Asked) -> Answer:
    """List workflows."""
    _need(asked)
    rows = [asked.sim.show.account.workflow(one) for one in asked.sim.world.workflows.values()]
    return page(asked, "incident_workflows", matching(rows, asked.first("query"), "name"))


@route("GET", "/incident_workflows/triggers", scope="incident_workflows.read")
def list_triggers(asked: Asked) -> Answer:
    """List what starts workflows."""
    _need(asked)
    kind = asked.first("trigger_type")
    found = [
        one
        for one in asked.sim.world.workflows.values()
        if one.enabled and (not kind or one.trigger_type == kind)
    ]
    return cursor_page(asked, "triggers", [_trigger(asked, one) for one in found])


def _trigger(asked: Asked, it: Workflow) -> Json:
    show = asked.sim.show
    return {
        "id": it.trigger,
        "type": "workflow_trigger",
        "summary": it.name,
        "self": f"{show.origin}/incident_workflows/triggers/{it.trigger}",
        "html_url": None,
        "trigger_type": it.trigger_type,
        "trigger_type_name": it.trigger_type.capitalize(),
        "condition": None,
        "workflow": show.account.workflow(it),
        "services": show.refs("service", it.services),
        "is_subscribed_to_all_services": not it.services,
        "is_disabled": False,
        "permissions": {"restricted": False, "team_id": None},
    }


@route("GET", "/incident_workflows/{id}", scope="incident_workflows.read")
def get_workflow(asked: Asked) -> Answer:
    """Show a workflow; PagerDuty declares 201 for this."""
    _need(asked)
    return 201, {"incident_workflow": asked.sim.show.account.workflow(_found(asked))}


def _found(asked: Asked) -> Workflow:
    found = asked.sim.world.workflows.get(asked.params["id"])
    if found is None:
        raise Refusal(404, 2100, "Not Found")
    return found


@route("POST", "/incident_workflows/{id}/instances", scope="incident_workflows:instances.write")
def start_workflow(asked: Asked) -> Answer:
    """Start a workflow on an incident."""
    _need(asked)
    sim, it = asked.sim, _found(asked)
    given = asked.content("incident_workflow_instance")
    incident = sim.world.incidents.get(str((given.get("incident") or {}).get("id")))
    if incident is None:
        raise Refusal(404, 5001, "Incident Not Found")
    if not it.enabled:
        raise Refusal(400, 2001, "Invalid Input Provided", "Workflow is disabled")
    run = str(given.get("id") or sim.world.ids.short())
    sim.world.runs.append({"id": run, "workflow": it.id, "incident": incident.id})
    data = _instance(asked, run, it, incident)
    sim.lifecycle.happen("incident.workflow.started", incident, asked.actor, data)
    agent = asked.actor
    sim.clock.after(
        1, lambda: sim.lifecycle.happen("incident.workflow.completed", incident, agent, data)
    )
    shown = {
        "id": run,
        "type": "incident_workflow_instance",
        "incident": sim.show.ref("incident", incident.id),
        "incident_workflow": sim.show.ref("incident_workflow", it.id),
    }
    return 201, {"incident_workflow_instance": shown}


def _instance(asked: Asked, id: str, it: Workflow, incident: Incident) -> Json:
    show = asked.sim.show
    return {
        "id": id,
        "type": "incident_workflow_instance",
        "summary": it.name,
        "incident_workflow": show.ref("incident_workflow", it.id),
        "workflow_trigger": {
            "id": it.trigger,
            "type": "workflow_trigger_reference",
            "summary": it.name,
            "html_url": None,
        },
        "service": show.ref("service", incident.service),
    }


# --------------------------------------------------------------------- response plays


@route("GET", "/response_plays", scope="response_plays.read")
def list_plays(asked: Asked) -> Answer:
    """List response plays, where they are not withdrawn."""
    _plays(asked)
    rows = [
        {"id": one.id, "type": "response_play", "name": one.name, "summary": one.name}
        for one in asked.sim.world.plays.values()
    ]
    return 200, {"response_plays": matching(rows, asked.first("query"), "name")}


@route("POST", "/response_plays/{id}/run", scope="response_plays.write", needs_from=True)
def run_play(asked: Asked) -> Answer:
    """Run a response play, where they are not withdrawn."""
    _plays(asked)
    asked.violations.append("response plays are deprecated")
    if asked.params["id"] not in asked.sim.world.plays:
        raise Refusal(404, 2100, "Not Found")
    incident = str(asked.content("incident").get("id"))
    asked.sim.world.runs.append({"play": asked.params["id"], "incident": incident})
    return 200, {"status": "ok"}


def _plays(asked: Asked) -> None:
    if not asked.sim.world.switches.plays:
        raise Refusal(404, 2100, "Not Found")
