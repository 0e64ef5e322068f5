"""Why a rule did not act on a record or event: in order, until something stood in the way."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hub import ids
from hub.connectors.models import Connector
from hub.errors import NotFound
from hub.rules import Plan, RuleTrace
from hub.rulesets.bodies import find_rule, rules_of
from hub.rulesets.facts_of import Subject, Subjects
from hub.rulesets.history import History, StoredEvent
from hub.rulesets.models import Ruleset
from hub.rulesets.schemas_trial import Reason, RecordRefIn, WhyNot, WhyNotIn
from hub.rulesets.work import Work

_EVENTS: Final = 10
_VERSIONS: Final = 20
_SAID: Final = {
    "done": "was done",
    "skipped": "was skipped",
    "dead": "was given up",
    "waiting": "waits for its next attempt",
    "intent": "is about to be done",
    "sent": "was sent; its answer is not known",
}


@dataclass(slots=True)
class _Answer:
    steps: list[Reason] = field(default_factory=list)
    traces: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)

    def say(self, text: str, *, ok: bool, event: str | None = None) -> None:
        self.steps.append(Reason(ok=ok, text=text, event=event))

    def told(self) -> WhyNot:
        against = next((one.text for one in self.steps if not one.ok), None)
        last = self.steps[-1].text if self.steps else "nothing is known"
        return WhyNot(answer=against or last, steps=self.steps, traces=self.traces, runs=self.runs)


async def why_not(work: Work, asked: WhyNotIn) -> WhyNot:
    """Say step by step what became of a rule on an event, or on a record's latest events."""
    answer = _Answer()
    row, rule = await _rule(work, asked.rule)
    _switches(answer, row, rule)
    plan = await work.plans.plan_for(work.tenant)
    subjects = Subjects(work, plan.schema)
    events = await _events(subjects, asked, answer)
    for stored in events:
        await _then(work, answer, (row, str(rule["id"])), stored)
        await _of_event(work, answer, (plan, str(rule["id"])), await subjects.stored(stored))
    return answer.told()


async def _rule(work: Work, named: str) -> tuple[Ruleset, dict[str, Any]]:
    """Return a rule by id or name: of an active version, else of a draft."""
    rows = list(await work.rulesets.in_order())
    active = await work.versions.active()
    drafts = await work.drafts.all()
    for bodies in (active, drafts):
        for row in rows:
            kept = bodies.get(row.id)
            for rule in rules_of(kept.body) if kept is not None else ():
                if named in (rule.get("id"), rule.get("name")):
                    return row, rule
    raise NotFound(f"There is no rule {named!r}.")


def _switches(answer: _Answer, row: Ruleset, rule: dict[str, Any]) -> None:
    state = f"the ruleset “{row.name}” is {row.state}"
    if row.active_version is None:
        answer.say(f"the ruleset “{row.name}” is not published", ok=False)
    answer.say(state, ok=row.state == "enabled")
    if rule.get("enabled") is False:
        answer.say("the rule is switched off", ok=False)
    for problem in row.problems:
        if problem.get("rule") == rule.get("id"):
            answer.say(f"the rule is off: {problem['message']}", ok=False)


async def _events(subjects: Subjects, asked: WhyNotIn, answer: _Answer) -> Sequence[StoredEvent]:
    history = subjects.history
    if asked.event is not None:
        found = await history.event(ids.number("evt", asked.event))
        if found is None:
            raise NotFound(f"There is no event {asked.event}.")
        return [found]
    record = asked.record
    if record is None:
        return []
    connectors = await history.connectors()
    connector = _connector(record, connectors)
    key = connector.id if connector and record.connector else None
    events = await history.of_record(record.object, record.id, key, _EVENTS)
    if not events:
        answer.say(f"no event of {record.object} {record.id} has arrived", ok=False)
        await _silence(history, answer, connector, record)
    return events


def _connector(record: RecordRefIn, connectors: Mapping[uuid.UUID, Connector]) -> Connector | None:
    kind = record.object.partition(".")[0]
    for one in connectors.values():
        if record.connector in {None, one.name} and one.type == kind:
            return one
    return None


async def _silence(
    history: History, answer: _Answer, connector: Connector | None, record: RecordRefIn
) -> None:
    """Say what is known of the way on which an event would have come."""
    if connector is None:
        answer.say(f"there is no connector for {record.object}", ok=False)
        return
    detail = f": {connector.state_detail}" if connector.state_detail else ""
    answer.say(
        f"the connector {connector.name} is {connector.state}{detail}",
        ok=connector.state == "active",
    )
    deliveries = await history.deliveries_around(connector.id, 1)
    if deliveries:
        last = deliveries[0]
        shown = ids.shown("dlv", last.id)
        more = f" ({last.detail})" if last.detail else ""
        answer.say(
            f"its last delivery is {shown}, {last.source}, {last.received_at:%Y-%m-%d %H:%M:%S}Z: "
            f"{last.state}{more}",
            ok=last.state == "accepted",
        )
    else:
        answer.say("it has never delivered anything; is its webhook set up?", ok=False)
    for poll in await history.polls_of(connector.id):
        when = f"{poll.polled_at:%Y-%m-%d %H:%M:%S}Z" if poll.polled_at else "never"
        trouble = f": {poll.error}" if poll.error else ""
        answer.say(f"{poll.source_object} was last polled {when}{trouble}", ok=not poll.error)


async def _then(
    work: Work, answer: _Answer, asked: tuple[Ruleset, str], stored: StoredEvent
) -> None:
    """Say when the rule was not published yet as the event came."""
    row, rule_id = asked
    if row.active_version is None:
        return
    earlier = await work.versions.until(row.id, stored.created_at, _VERSIONS)
    if any(find_rule(rules_of(one.body), rule_id) is not None for one in earlier):
        return
    answer.say(
        f"the rule was not published yet when {ids.shown('evt', stored.id)} arrived; "
        "a replay of its delivery would use it",
        ok=False,
        event=ids.shown("evt", stored.id),
    )


async def _of_event(work: Work, answer: _Answer, asked: tuple[Plan, str], subject: Subject) -> None:
    plan, rule_id = asked
    stored = subject.stored
    if stored is None:
        return
    shown = ids.shown("evt", stored.id)
    answer.say(
        f"{shown} arrived {stored.created_at:%Y-%m-%d %H:%M:%S}Z: {stored.trigger}",
        ok=True,
        event=shown,
    )
    if stored.state in {"echo", "skipped"}:
        answer.say(f"it was not matched: {stored.outcome or stored.state}", ok=False, event=shown)
    if stored.state == "pending" and stored.plan_version is None:
        answer.say("it waits in its lane and was not matched yet", ok=False, event=shown)
    traces = plan.explain(subject.facts, rule_id)
    answer.traces += [one.as_json() for one in traces]
    for trace in traces:
        answer.say(_said(trace), ok=trace.fired, event=shown)
    for run in await History(work.session, work.tenant).runs_of([stored.id], rule_id):
        why = run.error or run.summary or run.outcome or ""
        said = f"{run.action} {_SAID.get(run.state, run.state)}{f': {why}' if why else ''}"
        answer.say(said, ok=run.state in {"done", "intent", "sent"}, event=shown)
        answer.runs.append(
            {
                "id": ids.shown("run", run.id),
                "event": shown,
                "action": run.action,
                "state": run.state,
                "outcome": run.outcome,
                "error": run.error,
                "summary": run.summary,
            }
        )


def _said(trace: RuleTrace) -> str:
    about = f" (for {trace.about.source_object} {trace.about.id})" if trace.about else ""
    if trace.fired:
        return f"the rule fires{about}: {trace.because}"
    if trace.skipped:
        return f"the rule does not act{about}: {trace.skipped}"
    return f"the rule does not match{about}: {trace.because}"
