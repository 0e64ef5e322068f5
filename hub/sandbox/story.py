"""The story: what people do at the vendors, and what is seen there afterwards.

Every step is observed at the stand-ins or in the hub's traces, never taken for granted.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from hub.sandbox.hub_api import Hub, HubRefused
from hub.sandbox.vendors import PagerDuty, Salesforce

PATIENCE_S = 30.0
_LOOK_S = 0.1

SUBJECT = "Checkout answers with errors"
NOTE = "Rolled back the last release, watching it."
COMMENT = "The customer confirms that checkout works again."
CASE_TYPE = "Electronic"


class NotYet(Exception):
    """What a step waits for is not there; the message says what is there instead."""


class StepFailed(Exception):
    """A step was not seen in time."""

    def __init__(self, step: "Step", reason: str) -> None:
        super().__init__(f"{step.name}: {reason}")
        self.step = step
        self.reason = reason


@dataclass(slots=True, kw_only=True)
class World:
    """Where the story happens, and what is known of it so far."""

    hub: Hub
    pagerduty: PagerDuty
    salesforce: Salesforce
    service: str
    case: str = ""
    case_number: str = ""
    incident: str = ""
    on_call: str = ""
    on_call_name: str = ""
    quiet_case: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen: a line for people, the delivery's id, and lines that say more."""

    text: str
    trace: str = ""
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: what somebody does (or nobody), and what must then be seen."""

    name: str
    see: Callable[[World], Awaitable[Seen]]
    do: Callable[[World], Awaitable[None]] | None = None
    look: str = "hub delivery list, hub activity list"
    patience_s: float = field(default=PATIENCE_S)


async def run(
    world: World,
    steps: Sequence[Step],
    *,
    tell: Callable[[Step, Seen], None],
    interrupt: Callable[[Step], Awaitable[None]] | None = None,
) -> None:
    """Run the steps in order; StepFailed names the one that was not seen.

    `interrupt` is awaited after each step's deed and before it is looked for.
    """
    for step in steps:
        if step.do is not None:
            await step.do(world)
        if interrupt is not None:
            await interrupt(step)
        tell(step, await _seen(world, step))


async def _seen(world: World, step: Step) -> Seen:
    clock = asyncio.get_running_loop().time
    deadline = clock() + step.patience_s
    while True:
        try:
            return await step.see(world)
        except (NotYet, HubRefused, httpx.HTTPError) as error:
            if clock() > deadline:
                raise StepFailed(step, str(error) or type(error).__name__) from error
        await asyncio.sleep(_LOOK_S)


# --------------------------------------------------------------------------- the page


async def _create_case(world: World) -> None:
    world.case = await world.salesforce.create_case(
        Subject=SUBJECT,
        Description="Every second order fails since 9:40.",
        Priority="High",
        Type=CASE_TYPE,
        Origin="Phone",
    )


async def _case_there(world: World) -> Seen:
    case = await world.salesforce.case(world.case)
    world.case_number = case["CaseNumber"]
    what = f"case {world.case_number} created, priority {case['Priority']}"
    return Seen(text=f'Salesforce: {what}: "{SUBJECT}"')


async def _push_arrived(world: World) -> Seen:
    found = await _delivery(world, "salesforce.case.created", world.case)
    return Seen(text="Hub: the Apex trigger's push arrived", trace=found.delivery)


async def _rule_matched(world: World) -> Seen:
    found = await _delivery(world, "salesforce.case.created", world.case)
    fired = [one for one in found.event["traces"] if one["fired"]]
    if not fired:
        raise NotYet(f"no rule fired; the event is {found.event['state']}")
    names = ", ".join(f'"{one["rule"]["name"]}"' for one in fired)
    return Seen(
        text=f"Hub: rule {names} matched",
        trace=found.delivery,
        more=tuple(_conditions(fired[0]["conditions"], 0)),
    )


async def _paged(world: World) -> Seen:
    incident = await _incident_of(world, world.case_number)
    world.incident = incident["id"]
    _expect("service", incident["service"]["id"], world.service)
    _expect("urgency", incident["urgency"], "high")
    _expect("status", incident["status"], "triggered")
    details = (incident.get("body") or {}).get("details") or ""
    if world.case not in details:
        raise NotYet(f"the incident's body does not link to the case: {details!r}")
    person = incident["assignments"][0]["assignee"]
    world.on_call, world.on_call_name = person["id"], person["summary"]
    service = incident["service"]["summary"]
    return Seen(
        text=f"PagerDuty: incident #{incident['incident_number']} on {service}, urgency high, "
        f'"{incident["title"]}"; {world.on_call_name} is paged',
        more=(f"body: {' '.join(details.split())}",),
    )


async def _written_back(world: World) -> Seen:
    case = await world.salesforce.case(world.case)
    _expect("the case's incident id", case.get("PagerDuty_Incident_Id__c"), world.incident)
    url = case.get("PagerDuty_Incident_URL__c") or ""
    if world.incident not in url:
        raise NotYet(f"the case's incident URL is {url!r}")
    return Seen(text=f"Salesforce: case {world.case_number} carries {world.incident} and {url}")


# --------------------------------------------------------------------------- the answer


async def _acknowledge(world: World) -> None:
    await world.pagerduty.acknowledge(world.incident, by=world.on_call)


async def _acknowledged(world: World) -> Seen:
    incident = await world.pagerduty.incident(world.incident)
    _expect("the incident", incident["status"], "acknowledged")
    return Seen(text=f"PagerDuty: {world.on_call_name} acknowledges the incident")


async def _webhook_arrived(world: World) -> Seen:
    found = await _delivery(world, "pagerduty.incident.acknowledged", world.incident)
    return Seen(text="Hub: the signed v3 webhook arrived", trace=found.delivery)


async def _case_working(world: World) -> Seen:
    case = await world.salesforce.case(world.case)
    _expect("the case", case["Status"], "Working")
    comments = await world.salesforce.comments(world.case)
    saying = [one for one in comments if world.on_call_name in one]
    if not saying:
        raise NotYet(f"no comment names {world.on_call_name}: {comments}")
    return Seen(text=f'Salesforce: case is Working, with the comment "{saying[0]}"')


# --------------------------------------------------------------------------- notes


async def _note(world: World) -> None:
    await world.pagerduty.add_note(world.incident, NOTE, by=world.on_call)


async def _note_is_comment(world: World) -> Seen:
    comment = _once(await world.salesforce.comments(world.case), NOTE, "comment")
    found = await _delivery(world, "pagerduty.incident.annotated", world.incident)
    return Seen(
        text=f'PagerDuty note → Salesforce comment "{comment}"',
        trace=found.delivery,
    )


async def _comment(world: World) -> None:
    await world.salesforce.add_comment(world.case, COMMENT)


async def _comment_is_note(world: World) -> Seen:
    notes = [str(one["content"]) for one in await world.pagerduty.notes(world.incident)]
    note = _once(notes, COMMENT, "note")
    found = await _delivery(world, "salesforce.case.commented", world.case)
    return Seen(text=f'Salesforce comment → PagerDuty note "{note}"', trace=found.delivery)


async def _no_echo(world: World) -> Seen:
    await _quiet(world)
    notes = [str(one["content"]) for one in await world.pagerduty.notes(world.incident)]
    comments = await world.salesforce.comments(world.case)
    if (len(notes), len(comments)) != (2, 3):
        raise NotYet(f"notes: {notes}, comments: {comments}; expected 2 and 3")
    return Seen(text="Both: nothing echoes – 2 notes in PagerDuty, 3 comments on the case")  # noqa: RUF001 - a dash


# --------------------------------------------------------------------------- the end


async def _close(world: World) -> None:
    await world.salesforce.change_case(world.case, Status="Closed")


async def _resolved(world: World) -> Seen:
    incident = await world.pagerduty.incident(world.incident)
    _expect("the incident", incident["status"], "resolved")
    found = await _delivery(world, "salesforce.case.updated", world.case)
    number = incident["incident_number"]
    return Seen(
        text=f"Salesforce: case closed → PagerDuty: incident #{number} resolved",
        trace=found.delivery,
    )


async def _own_echo(world: World) -> Seen:
    found = await _delivery(world, "pagerduty.incident.resolved", world.incident)
    _expect("the event", found.event["state"], "echo")
    return Seen(
        text="Hub: PagerDuty's webhook of that is recognised as the hub's own echo",
        trace=found.delivery,
    )


async def _create_quiet_case(world: World) -> None:
    world.quiet_case = await world.salesforce.create_case(
        Subject="Question about an invoice", Priority="Medium", Origin="Email"
    )


async def _why_not(world: World) -> Seen:
    found = await _delivery(world, "salesforce.case.created", world.quiet_case)
    _expect("the event", found.event["state"], "done")
    number = (await world.salesforce.case(world.quiet_case))["CaseNumber"]
    if await _incidents_of(world, number):
        raise NotYet(f"case {number} paged, but should not have")
    explained = await world.hub.get(f"events/{found.event['id']}/explain")
    more: list[str] = []
    for trace in _rules_on_created(explained):
        more.append(f'Rule "{trace["rule"]["name"]}" did not fire: {trace["because"]}')
        more += _conditions(trace["conditions"], 1)
    if not more:
        raise NotYet(f"no rule is explained: {explained}")
    return Seen(
        text=f"Salesforce: case {number} (priority Medium) pages nobody. Why not:",
        trace=found.delivery,
        more=tuple(more),
    )


STORY: tuple[Step, ...] = (
    Step(name="case created", do=_create_case, see=_case_there),
    Step(name="push received", see=_push_arrived),
    Step(name="rule matched", see=_rule_matched),
    Step(name="engineer paged", see=_paged),
    Step(name="case linked back", see=_written_back),
    Step(name="incident acknowledged", do=_acknowledge, see=_acknowledged),
    Step(name="webhook received", see=_webhook_arrived),
    Step(name="case is working", see=_case_working),
    Step(name="note becomes comment", do=_note, see=_note_is_comment),
    Step(name="comment becomes note", do=_comment, see=_comment_is_note),
    Step(name="nothing echoes", see=_no_echo),
    Step(name="incident resolved", do=_close, see=_resolved),
    Step(name="own echo recognised", see=_own_echo),
    Step(name="why it did not page", do=_create_quiet_case, see=_why_not),
)


# --------------------------------------------------------------------------- looking


@dataclass(frozen=True, slots=True)
class _Found:
    delivery: str
    event: dict[str, Any]


async def _delivery(world: World, trigger: str, record: str) -> _Found:
    """Find the newest delivery that brought this trigger of this record."""
    async for trace in world.hub.traces(connector=trigger.partition(".")[0]):
        for event in trace["events"]:
            if event["trigger"] == trigger and event["record"] == record:
                return _Found(trace["id"], event)
    raise NotYet(f"the hub has no {trigger} of {record}")


async def _quiet(world: World) -> None:
    """Raise NotYet while anything that came in is not worked."""
    async for trace in world.hub.traces():
        for event in trace["events"]:
            if event["state"] == "pending":
                raise NotYet(f"{event['id']} ({event['trigger']}) is not worked yet")


async def _incident_of(world: World, number: str) -> dict[str, Any]:
    found = await _incidents_of(world, number)
    if len(found) != 1:
        raise NotYet(f"{len(found)} PagerDuty incidents for case {number}; expected 1")
    return found[0]


async def _incidents_of(world: World, number: str) -> list[dict[str, Any]]:
    return [one for one in await world.pagerduty.incidents() if number in one["title"]]


def _rules_on_created(explained: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        one
        for one in explained
        if not one["fired"] and not str(one["skipped"] or "").startswith("trigger is")
    ]


def _conditions(node: dict[str, Any], depth: int) -> list[str]:
    sign = "✓" if node["met"] else "✗"
    seen = f", found {_shown(node['actual'])}" if node["kind"] == "condition" else ""
    line = f"{'  ' * depth}{sign} {node['text']}{seen}"
    below = [line for child in node.get("children") or () for line in _conditions(child, depth + 1)]
    return [line, *below]


def _shown(value: object) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)


def _once(texts: Sequence[str], wanted: str, kind: str) -> str:
    found = [one for one in texts if wanted in one]
    if len(found) != 1:
        raise NotYet(f'{len(found)} {kind}s say "{wanted}"; expected 1')
    return found[0]


def _expect(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise NotYet(f"{what} is {found!r}, not yet {wanted!r}")
