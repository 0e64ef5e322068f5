"""From a matched rule to planned actions: which records, which parameters, which key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from hub.rules.facts import Facts, Linked
from hub.rules.matches import PlannedAction, run_key
from hub.rules.model import ActionLine
from hub.rules.params import Params, Rooms, compile_params, target_of
from hub.rules.schema import Schema
from hub.rules.templates import Scope, TemplateError
from hub.sdk.actions import Action
from hub.sdk.events import RecordRef

MAX_RECORDS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An action line, compiled; `follows`: an earlier line creates what this one acts on."""

    index: int
    written: ActionLine
    action: Action[Any, Any]
    target: str
    label: str
    params: Params
    follows: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose actions are planned: the rule, for one event and one linked record."""

    rule: str
    ruleset: str
    scope: Scope


def compile_lines(
    lines: Sequence[ActionLine], rule_object: str, schema: Schema
) -> tuple[Line, ...]:
    """Compile a rule's actions; everything in them has passed `check_rule`."""
    compiled = [compile_line(index, one, rule_object, schema) for index, one in enumerate(lines)]
    return tuple(replace(one, follows=_follows(one, compiled)) for one in compiled)


def _follows(line: Line, lines: Sequence[Line]) -> bool:
    return bool(line.target) and any(
        one.action.creates
        and (one.target, one.written.connector) == (line.target, line.written.connector)
        for one in lines[: line.index]
    )


def compile_line(index: int, written: ActionLine, rule_object: str, schema: Schema) -> Line:
    """Compile one action; KeyError or TemplateFault when it names what is not there."""
    action = schema.actions[written.do]
    target = target_of(action, written.params, rule_object)
    rooms = Rooms(schema, action, target).of(written.params)
    return Line(
        index=index,
        written=written,
        action=action,
        target=target,
        label=schema.label_of(target) if target else "",
        params=compile_params(written.params, schema, rooms, index=index),
    )


def plan_actions(lines: Sequence[Line], subject: Subject) -> tuple[PlannedAction, ...]:
    """Plan what a matched rule wants: one action a line and record."""
    return tuple(planned for line in lines for planned in _planned(line, subject))


def _planned(line: Line, subject: Subject) -> list[PlannedAction]:
    scope = subject.scope
    del scope.notes[:]
    params, failed = _filled(line, scope)
    records = _records(line, subject)
    skipped = None if records or line.follows else f"no linked {line.label}"
    return [
        PlannedAction(
            index=line.index,
            action=line.written.do,
            connector=line.written.connector,
            record=record,
            params=params,
            late=line.params.late,
            unless_linked=line.written.unless_linked,
            on_error=line.written.on_error,
            key=run_key(scope.facts.event_id, subject.rule, line.index, scope.about, record),
            target=line.target,
            skipped=skipped,
            failed=failed,
            notes=tuple(scope.notes),
        )
        for record in records or [None]
    ]


def _filled(line: Line, scope: Scope) -> tuple[Mapping[str, Any], str | None]:
    try:
        return line.params.fill(scope), None
    except TemplateError as error:
        return {}, str(error)


def _records(line: Line, subject: Subject) -> list[RecordRef | None]:
    """Name the records that the line acts on; [None] = it needs none."""
    if line.action.creates or not line.target:
        return [None]
    scope = subject.scope
    links = _linked(scope.facts, line.target)
    if scope.about is not None and scope.about.source_object == line.target:
        links = [one for one in links if one.ref == scope.about]
    if line.written.records == "made_by_ruleset":
        links = [one for one in links if one.made_by_ruleset == subject.ruleset]
    fitting = [one.ref for one in links if one.connector == line.written.connector]
    return list(fitting[:MAX_RECORDS])


def _linked(facts: Facts, target: str) -> list[Linked]:
    listed = list(facts.linked.get(target, ()))
    itself = facts.record.source_object == target
    if itself and all(one.ref != facts.record for one in listed):
        listed.insert(0, Linked(ref=facts.record, connector=facts.connector))
    return listed
