"""Literals in rules compared with the vendors' live lists, whose age is told."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from hub.connectors.calls import answered
from hub.errors import HubError
from hub.rules import Rule, Schema
from hub.rules.nearest import nearest
from hub.rules.params import target_of
from hub.rulesets.lint import Finding, Severity
from hub.rulesets.single import conditions_of, field_called, set_fields
from hub.sdk.vocabulary import Choice, FieldSchema, FieldType

_MOST: Final = 50
PATIENCE_S: Final = 5.0


class Opens(Protocol):
    """Opens connectors."""

    async def by_name(self, tenant: str, name: str, /) -> Any:  # noqa: ANN401 - an OpenConnector
        """Return the opened connector."""
        ...


class Literal(NamedTuple):
    """A value in a rule that a live list of one of the connectors must have."""

    connectors: tuple[str, ...]
    source: str
    value: str
    place: int
    pointer: str


def literals(rules: Sequence[Rule], schema: Schema) -> Iterator[Literal]:
    """Yield what stands in parameters whose form offers a live list; pure."""
    for place, rule in enumerate(rules):
        for index, line in enumerate(rule.then):
            action = schema.actions.get(line.do)
            if action is None:
                continue
            target = target_of(action, line.params, rule.object)
            whole = f"/rules/{place}/then/{index}/with"
            for name, value in line.params.items():
                source = _source(action.params.model_fields.get(name))
                if source and _is_literal(value) and not field_called(value, target, schema):
                    yield Literal((line.connector,), source, value, place, f"{whole}/{name}")
            for at, name, value in set_fields(line.params, target):
                known = field_called(name, target, schema)
                yield from _of_field(known, value, ((line.connector,), place, f"{whole}{at}"))
        yield from _compared(rule, place, schema)


def _compared(rule: Rule, place: int, schema: Schema) -> Iterator[Literal]:
    """Yield what conditions compare with; any connector that events may come from may have it."""
    for condition in conditions_of(rule.when):
        kind = condition.field.partition(".")[0]
        named = [one for one in rule.sources if schema.connectors.get(one) == kind]
        every = [name for name, of in schema.connectors.items() if of == kind]
        where = (tuple(named or every), place, f"/rules/{place}/when")
        for one in _values(condition.value):
            yield from _of_field(schema.fields.get(condition.field), one, where)


def _values(operand: Any) -> Sequence[Any]:  # noqa: ANN401 - JSON
    if isinstance(operand, Mapping):
        return [operand.get("from"), operand.get("to")]
    return operand if isinstance(operand, list | tuple) else (operand,)


def _of_field(
    known: FieldSchema | None,
    value: Any,  # noqa: ANN401 - JSON
    where: tuple[tuple[str, ...], int, str],
) -> Iterator[Literal]:
    """Yield a value of a choice field; where the account told its choices, the linter knows."""
    if known is None or known.type is not FieldType.CHOICE:
        return
    connectors, place, at = where
    if known.choice_source and not known.choices and connectors and _is_literal(value):
        yield Literal(connectors, known.choice_source, value, place, at)


def _is_literal(value: Any) -> bool:  # noqa: ANN401 - JSON
    return isinstance(value, str) and bool(value) and "{{" not in value


def _source(field: Any) -> str | None:  # noqa: ANN401 - pydantic's FieldInfo
    extra = getattr(field, "json_schema_extra", None)
    hint = extra.get("x-hub") if isinstance(extra, Mapping) else None
    found = hint.get("source") if isinstance(hint, Mapping) else None
    return found if isinstance(found, str) else None


@dataclass(slots=True)
class _Heard:
    """What a list had: all of it as far as the vendor tells, and what was searched for."""

    choices: Sequence[Choice]
    age_s: float
    searched: dict[str, Sequence[Choice]] = field(default_factory=dict)

    def has(self, value: str) -> bool:
        return _has(self.choices, value) or _has(self.searched.get(value, ()), value)


@dataclass(slots=True)
class LiveLists:
    """Asks live lists, each question once; at most so many a request, and none for long."""

    clients: Opens
    tenant: str
    patience_s: float = PATIENCE_S
    asked: int = 0
    _heard: dict[tuple[str, str], _Heard | None] = field(default_factory=dict, init=False)
    _away: dict[str, str] = field(default_factory=dict, init=False)

    async def ask(self, rules: Sequence[Rule], schema: Schema) -> None:
        """Ask for what the rules name, before `findings`."""
        for one in literals(rules, schema):
            for connector in one.connectors:
                await self._look(connector, one.source, one.value)

    def findings(self, rules: Sequence[Rule], schema: Schema) -> list[Finding]:
        """Return a warning for each literal that is missing, a note where nobody answered."""
        found, silent = [], set[str]()
        for one in literals(rules, schema):
            away = next((name for name in one.connectors if name in self._away), None)
            if away is None:
                text = self._missing(one)
                found += [_finding(one, rules[one.place], text)] if text else []
            elif away not in silent:
                silent.add(away)
                text = f"{away} could not be asked for its {one.source}: {self._away[away]}"
                found.append(_finding(one, rules[one.place], text, severity="info"))
        return found

    async def _look(self, connector: str, source: str, value: str) -> None:
        if connector in self._away:
            return
        try:
            async with asyncio.timeout(self.patience_s):
                await self._search(connector, source, value)
        except HubError as error:
            self._away[connector] = str(error)
        except TimeoutError:
            self._away[connector] = f"no answer within {self.patience_s:g} s"

    async def _search(self, connector: str, source: str, value: str) -> None:
        key = (connector, source)
        known = self._heard.get(key)
        if key in self._heard and (known is None or known.has(value) or value in known.searched):
            return
        if self.asked >= _MOST:
            return
        self.asked += 1
        opened = await self.clients.by_name(self.tenant, connector)
        listed = next((one for one in opened.working_type.choices if one.name == source), None)
        if listed is None:
            self._heard[key] = None
            return
        async with answered(connector):
            if known is None:
                choices = await listed.fetch(opened.client, "")
                known = _Heard(choices, listed.age(opened.client, "") or 0.0)
                self._heard[key] = known
            if not known.has(value):
                known.searched[value] = await listed.fetch(opened.client, value)

    def _missing(self, one: Literal) -> str | None:
        """Say that no list has the value; None where one has it, or was not asked."""
        heard = [self._heard.get((name, one.source)) for name in one.connectors]
        told = [each for each in heard if each is not None]
        asked = [each for each in told if each.has(one.value) or one.value in each.searched]
        if len(asked) < len(heard) or any(each.has(one.value) for each in told):
            return None
        near = nearest(one.value, [choice.value for each in told for choice in each.choices])
        meant = f" Did you mean '{near}'?" if near else ""
        age = max(each.age_s for each in told)
        read = f" (as read {_ago(age)} ago)" if age >= 1 else ""
        names = " or ".join(one.connectors)
        return f"'{one.value}' is not among the {one.source} of {names}{read}.{meant}"


def _ago(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _has(choices: Sequence[Choice], value: str) -> bool:
    return any(value in (one.value, one.label) for one in choices)


def _finding(one: Literal, rule: Rule, text: str, *, severity: Severity = "warning") -> Finding:
    return Finding(
        code="L102",
        severity=severity,
        message=text,
        pointer=one.pointer,
        rule=rule.id or "",
        rule_name=rule.name,
    )
