"""Dry runs: what rules would do with an event, by the very code that does it; nothing is sent."""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pydantic import ValidationError

from hub.errors import Invalid
from hub.ids import new_id
from hub.rules import (
    Plan,
    PlannedAction,
    RuleTrace,
    Schema,
    TemplateError,
    compile_plan,
    render_late,
    services_needed,
)
from hub.rules.values import json_value
from hub.rules.words import MASK
from hub.rulesets.bodies import body_of, readable, rules_of
from hub.rulesets.facts_of import Subject, Subjects
from hub.rulesets.models import Ruleset
from hub.rulesets.plans import plan_ruleset
from hub.rulesets.schemas_trial import EventOut, Explained, ExplainIn, PlannedOut
from hub.rulesets.work import Work, refuse
from hub.sdk.events import Record
from hub.sdk.vocabulary import Value

_SHOWN: Final = 200
_PLANNED: Final = "planned"


class Found(Protocol):
    """What service mapping answers."""

    @property
    def service_id(self) -> str | None: ...  # noqa: D102 - see hub.mappings
    @property
    def fields(self) -> Mapping[str, Value]: ...  # noqa: D102 - see hub.mappings
    @property
    def value(self) -> Value: ...  # noqa: D102 - see hub.mappings
    @property
    def steps(self) -> tuple[str, ...]: ...  # noqa: D102 - see hub.mappings


class ServiceTable(Protocol):
    """Service mapping without asking any vendor."""

    async def from_table(
        self,
        tenant_id: uuid.UUID,
        connector_id: uuid.UUID,
        record: Record,
        direction: Any = ...,  # noqa: ANN401 - outbound or inbound
        *,
        target: str | None = ...,
    ) -> Found:
        """Return what the table answers."""
        ...


async def explained(work: Work, asked: ExplainIn, services: ServiceTable | None) -> Explained:
    """Explain events with active, draft or unsaved rules."""
    plan = await plan_to_try(work, asked)
    subjects = await Subjects(work, plan.schema).of(asked)
    outlook = await outlook_of(work, plan.schema, services)
    traces: list[dict[str, Any]] = []
    actions: list[PlannedOut] = []
    left_out = 0
    for subject in subjects:
        told = [_with_echo(one, subject) for one in plan.explain(subject.facts, asked.rule)]
        shown = sorted(told, key=_rank)
        left_out += max(0, len(shown) - _SHOWN)
        traces += [one.as_json() for one in shown[:_SHOWN]]
        actions += [made for one in told for made in await outlook.planned(one, subject)]
    return Explained(
        plan=plan.version,
        events=[_event(one, plan.schema) for one in subjects],
        traces=traces,
        left_out=left_out,
        actions=actions,
        calls=dict(_calls(actions)),
        problems=[
            {"rule": rule, "pointer": one.pointer, "code": one.code, "detail": one.message}
            for rule, problems in plan.invalid.items()
            for one in problems
        ],
    )


def _rank(trace: RuleTrace) -> int:
    return 0 if trace.fired else 1 if trace.met else 2 if trace.near else 3


def _with_echo(trace: RuleTrace, subject: Subject) -> RuleTrace:
    if trace.fired and subject.echo:
        return trace._replace(fired=False, skipped="echo")
    return trace


def _calls(actions: Sequence[PlannedOut]) -> Counter[str]:
    calls: Counter[str] = Counter()
    for one in actions:
        calls[one.connector] += one.calls if one.outcome == _PLANNED else 0
    return calls


async def plan_to_try(work: Work, asked: ExplainIn) -> Plan:
    """Return the plan to explain with: the process's own, or one of the ruleset alone."""
    if asked.rules is not None:
        schema = await work.schema()
        rules = body_of(asked.rules, new_id)["rules"]
        await work.refuse_wrong(asked.rules)
        row = await work.found(asked.ruleset) if asked.ruleset else _nameless()
        return trial(row, rules, schema)
    if asked.ruleset is None:
        return await work.plans.plan_for(work.tenant)
    row = await work.found(asked.ruleset)
    if asked.draft:
        rules = rules_of(await work.body(row))
        refuse(await work.problems(rules))
        return trial(row, rules, await work.schema())
    active = await work.active(row)
    if active is None:
        raise Invalid('Nothing is published yet; explain the draft with "draft": true.')
    one = plan_ruleset(row, readable(active.body)[0], active.version)
    return compile_plan([one], await work.schema(), 0)


def _nameless() -> Ruleset:
    return Ruleset(id=new_id(), name="not saved", description="", state="enabled")


def trial(row: Ruleset, rules: Sequence[Mapping[str, Any]], schema: Schema) -> Plan:
    """Compile rules of a ruleset alone, as if it were enabled; `stop` ends a ruleset only."""
    one = plan_ruleset(row, readable({"rules": list(rules)})[0], 0)
    return compile_plan([one.model_copy(update={"state": "enabled"})], schema, 0)


def _event(subject: Subject, schema: Schema) -> EventOut:
    facts = subject.facts
    return EventOut(
        event=facts.event_id,
        trigger=facts.trigger,
        record=f"{facts.record.source_object}:{facts.record.id}",
        connector=facts.connector,
        state=subject.stored.state if subject.stored else None,
        values=masked(facts.new, schema),
        prior=None if facts.prior is None else masked(facts.prior, schema),
        changed=None if facts.changed is None else sorted(facts.changed),
        linked=[
            f"{one.ref.source_object}:{one.ref.id}"
            for listed in facts.linked.values()
            for one in listed
        ],
        notes=dict(facts.notes),
    )


def masked(values: Mapping[str, Value], schema: Schema) -> dict[str, Any]:
    """Return values as JSON, secret ones masked."""
    return {
        name: MASK if name in schema.fields and schema.fields[name].secret else json_value(value)
        for name, value in values.items()
    }


async def outlook_of(work: Work, schema: Schema, services: ServiceTable | None) -> "Outlook":
    """Read what decides now whether a planned action would be done."""
    history = Subjects(work, schema).history
    connectors = await history.connectors()
    return Outlook(
        tenant=work.tenant,
        schema=schema,
        services=services,
        ids={one.name: one.id for one in connectors.values()},
        states={one.name: one.state for one in connectors.values()},
        breakers=frozenset(await history.open_breakers(work.clock())),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Tells what would become of planned actions at the moment."""

    tenant: uuid.UUID
    schema: Schema
    services: ServiceTable | None
    ids: Mapping[str, uuid.UUID]
    states: Mapping[str, str]
    breakers: frozenset[tuple[str, uuid.UUID, str]]

    async def planned(self, trace: RuleTrace, subject: Subject) -> list[PlannedOut]:
        """Return a fired rule's actions with filled parameters, and what stands in their way."""
        if not trace.fired and trace.skipped != "shadow":
            return []
        made = []
        for at, one in enumerate(trace.actions):
            params, notes = await self._filled(one, subject)
            calls = trace.calls[at] if at < len(trace.calls) else 1
            made.append(
                PlannedOut(
                    rule=trace.rule,
                    rule_name=trace.name,
                    ruleset=trace.ruleset,
                    event=trace.event,
                    index=one.index,
                    do=one.action,
                    connector=one.connector,
                    record=f"{one.record.source_object}:{one.record.id}" if one.record else None,
                    params=params,
                    calls=calls,
                    outcome=self._outcome(one, trace, subject),
                    notes=[*one.notes, *notes],
                )
            )
        return made

    def _outcome(self, planned: PlannedAction, trace: RuleTrace, subject: Subject) -> str:
        stops = (
            "shadow" if trace.skipped == "shadow" else None,
            planned.failed,
            planned.skipped,
            self._broken(trace, subject),
            self._linked(planned, subject),
            self._needless(planned, subject),
            self._off(planned),
        )
        return next((one for one in stops if one), _PLANNED)

    def _broken(self, trace: RuleTrace, subject: Subject) -> str | None:
        connector = self.ids.get(subject.facts.connector)
        mark = (trace.rule, connector, subject.facts.record.id)
        return "breaker open for this rule and record" if mark in self.breakers else None

    def _linked(self, planned: PlannedAction, subject: Subject) -> str | None:
        if not planned.unless_linked:
            return None
        for one in subject.facts.linked.get(planned.target, ()):
            if one.connector == planned.connector:
                return f"already linked to {one.human_id or one.ref.id}"
        if (self.ids.get(planned.connector), planned.target) in subject.around.reserved:
            return "already being created"
        return None

    def _needless(self, planned: PlannedAction, subject: Subject) -> str | None:
        """Say that the target has these values already, as far as is known."""
        action = self.schema.actions.get(planned.action)
        if planned.record is None or planned.late or action is None or action.writes is None:
            return None
        known = _values_of(planned, subject)
        try:
            writes = action.writes(action.params.model_validate(dict(planned.params)))
        except (ValidationError, ValueError, TypeError, KeyError, AttributeError):
            return None
        name = f"{planned.record.source_object}."
        same = [known.get(f"{name}{key}", _UNKNOWN) == value for key, value in writes.items()]
        return "no change: it is so already" if same and all(same) else None

    def _off(self, planned: PlannedAction) -> str | None:
        state = self.states.get(planned.connector, "gone")
        return None if state == "active" else f"connector {state.replace('_', ' ')}"

    async def _filled(
        self, planned: PlannedAction, subject: Subject
    ) -> tuple[dict[str, Any], list[str]]:
        """Fill in the services that the table gives; results of earlier actions stay open."""
        params = dict(planned.params)
        notes: list[str] = []
        services: dict[str, Any] = {}
        for direction in sorted(services_needed(params)):
            found = await self._service(planned, subject, direction)
            if found is None:
                return params, ["service mapping is not shown"]
            notes += [f"service: {step}" for step in found.steps]
            services[direction] = found.service_id if direction == "outbound" else found.fields
        if not services or _waits(params):
            return params, notes
        try:
            return render_late(params, self.schema, outcomes={}, services=services), notes
        except TemplateError as error:
            return params, [*notes, str(error)]

    async def _service(
        self, planned: PlannedAction, subject: Subject, direction: str
    ) -> Found | None:
        asked = planned.connector if direction == "outbound" else subject.facts.connector
        connector = self.ids.get(asked)
        if self.services is None or connector is None:
            return None
        ref = subject.facts.record
        prefix = f"{ref.source_object}."
        values = {
            name.removeprefix(prefix): value
            for name, value in subject.facts.new.items()
            if name.startswith(prefix)
        }
        record = Record(source_object=ref.source_object, id=ref.id, values=values)
        return await self.services.from_table(
            self.tenant, connector, record, direction, target=planned.target or None
        )


_UNKNOWN: Final = object()


def _values_of(planned: PlannedAction, subject: Subject) -> Mapping[str, Value]:
    if planned.record == subject.facts.record:
        return subject.facts.new
    for listed in subject.facts.linked.values():
        for one in listed:
            if one.ref == planned.record:
                return one.values
    return {}


def _waits(node: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether a value waits for an earlier action's result."""
    if isinstance(node, Mapping):
        return "$late" in node or any(_waits(one) for one in node.values())
    return isinstance(node, list | tuple) and any(_waits(one) for one in node)
