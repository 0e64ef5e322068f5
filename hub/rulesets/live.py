"""Literals in rules compared with the vendors' live lists; asked for, never at publishing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from hub.connectors.calls import answered
from hub.errors import HubError
from hub.rules import Rule, Schema
from hub.rules.params import target_of
from hub.rulesets.lint import Finding
from hub.rulesets.single import conditions_of, set_fields
from hub.sdk.vocabulary import Choice, FieldType

_MOST: Final = 50


class Opens(Protocol):
    """Opens connectors."""

    async def by_name(self, tenant: str, name: str, /) -> Any:  # noqa: ANN401 - an OpenConnector
        """Return the opened connector."""
        ...


class Literal(NamedTuple):
    """A value in a rule that a live list of a connector must have."""

    connector: str
    source: str
    value: str
    place: int
    pointer: str


def literals(rules: Sequence[Rule], schema: Schema) -> Iterator[Literal]:
    """Yield what stands in parameters whose form offers a live list; pure."""
    for place, rule in enumerate(rules):
        for index, line in enumerate(rule.then):
            action = schema.actions.get(line.do)
            fields = action.params.model_fields if action else {}
            for name, value in line.params.items():
                source = _source(fields.get(name))
                if source and isinstance(value, str) and value and "{{" not in value:
                    at = f"/rules/{place}/then/{index}/with/{name}"
                    yield Literal(line.connector, source, value, place, at)
            if action is not None:
                target = target_of(action, line.params, rule.object)
                for at, name, value in set_fields(line.params, target):
                    whole = f"/rules/{place}/then/{index}/with{at}"
                    yield from _of_field(schema, name, value, (line.connector, place, whole))
        yield from _compared(rule, place, schema)


def _compared(rule: Rule, place: int, schema: Schema) -> Iterator[Literal]:
    """Yield what conditions compare with, for each connector that the events may come from."""
    for condition in conditions_of(rule.when):
        kind = condition.field.partition(".")[0]
        named = [one for one in rule.sources if schema.connectors.get(one) == kind]
        every = [name for name, of in schema.connectors.items() if of == kind]
        value = condition.value
        for connector in named or every:
            for one in value if isinstance(value, list | tuple) else (value,):
                where = (connector, place, f"/rules/{place}/when")
                yield from _of_field(schema, condition.field, one, where)


def _of_field(
    schema: Schema,
    name: str,
    value: Any,  # noqa: ANN401 - JSON
    where: tuple[str, int, str],
) -> Iterator[Literal]:
    field = schema.fields.get(name)
    if field is None or not field.choice_source or field.type is not FieldType.CHOICE:
        return
    if isinstance(value, str) and value and "{{" not in value:
        connector, place, at = where
        yield Literal(connector, field.choice_source, value, place, at)


def _source(field: Any) -> str | None:  # noqa: ANN401 - pydantic's FieldInfo
    extra = getattr(field, "json_schema_extra", None)
    hint = extra.get("x-hub") if isinstance(extra, Mapping) else None
    found = hint.get("source") if isinstance(hint, Mapping) else None
    return found if isinstance(found, str) else None


@dataclass(slots=True)
class LiveLists:
    """Asks live lists, each question once; at most so many a request."""

    clients: Opens
    tenant: str
    asked: int = 0

    async def findings(self, rules: Sequence[Rule], schema: Schema) -> list[Finding]:
        """Return a warning for each literal that its live list does not have."""
        known: dict[tuple[str, str, str], str | None] = {}
        found = []
        for one in literals(rules, schema):
            key = (one.connector, one.source, one.value)
            if key not in known:
                known[key] = await self.missing(*key)
            text = known[key]
            if text is not None:
                found.append(_finding(one, rules[one.place], text))
        return found

    async def missing(self, connector: str, source: str, value: str) -> str | None:
        """Say that a list has no such value, or could not be asked; None = it has it."""
        if self.asked >= _MOST:
            return None
        self.asked += 1
        try:
            opened = await self.clients.by_name(self.tenant, connector)
            lists = {one.name: one for one in opened.working_type.choices}
            if source not in lists:
                return None
            async with answered(connector):
                for search in (value, ""):
                    if _has(await lists[source].fetch(opened.client, search), value):
                        return None
        except HubError as error:
            return f"{connector} could not be asked for its {source}: {error}"
        return f"'{value}' is not among the {source} of {connector}."


def _has(choices: Sequence[Choice], value: str) -> bool:
    return any(value in (one.value, one.label) for one in choices)


def _finding(one: Literal, rule: Rule, text: str) -> Finding:
    return Finding(
        code="L102",
        severity="warning",
        message=text,
        pointer=one.pointer,
        rule=rule.id or "",
        rule_name=rule.name,
    )
