"""Templates, compiled and rendered: {{ path | filter }}."""

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, Final, TypeAlias

from hub.rules.facts import Facts, Linked
from hub.rules.nearest import hint
from hub.rules.schema import EVENT, Schema, object_of
from hub.rules.template_syntax import Expression, FilterCall, TemplateFault, parse
from hub.rules.value_maps import NoRow, ValueMap
from hub.rules.values import MAX_TEXT, Json, json_value, text_of
from hub.sdk.events import RecordRef
from hub.sdk.templates import Filter
from hub.sdk.vocabulary import Value

MAX_OUTPUT: Final = 16_384
LINK_PARTS: Final = ("id", "url", "human_id")
OUTCOME_PARTS: Final = ("id", "url", "summary")


class TemplateError(ValueError):
    """The template could not be rendered: the run is given up with this message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionOutcome:
    """What an earlier action of the same rule did, for `hub.action.<n>`."""

    id: str | None = None
    url: str | None = None
    summary: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a template may read: an event's facts as one rule sees them.

    `values` are the conditions' values; `notes` collects what happened on the way.
    """

    facts: Facts
    values: Mapping[str, Value]
    rule_name: str
    about: RecordRef | None = None
    notes: list[str] = field(default_factory=list)

    def link(self, source_object: str) -> Linked | None:
        """Find the record of an object that belongs to the event: its own, or the linked one."""
        if source_object == self.facts.record.source_object:
            return Linked(
                ref=self.facts.record,
                connector=self.facts.connector,
                values=self.facts.new,
                url=self.facts.url,
                human_id=self.facts.human_id,
            )
        listed = self.facts.linked.get(source_object, ())
        return next((one for one in listed if one.ref == self.about), next(iter(listed), None))

    def precise(self, field_name: str) -> Value:
        """Give the last exact value of a field of the record that belongs to the event."""
        link = self.link(object_of(field_name))
        if link is None:
            return None
        exact = link.precise.get(field_name)
        return link.values.get(field_name) if exact is None else exact


Get: TypeAlias = Callable[[Scope], Value]
Step: TypeAlias = Callable[[Value, Scope | None], Value]


@dataclass(frozen=True, slots=True)
class Part:
    """An expression, ready: where its value comes from and what is done with it.

    `late` is the path of an earlier action's result, which is not known when planning.
    """

    source: Expression
    get: Get
    steps: tuple[Step, ...]
    late: str | None = None

    def value(self, scope: Scope) -> Value:
        """Compute the value; TemplateError when a filter refuses it."""
        return run_steps(self.get(scope), self.steps, scope)


class Template:
    """A compiled template; `single` ones keep the type of their value."""

    __slots__ = ("parts", "single")

    def __init__(self, parts: Sequence[str | Part]) -> None:
        self.parts = tuple(parts)
        self.single = len(parts) == 1 and isinstance(parts[0], Part)

    @property
    def late(self) -> bool:
        """Tell whether it waits for an earlier action's result."""
        return any(isinstance(part, Part) and part.late for part in self.parts)

    def render(self, scope: Scope) -> Value:
        """Render to a text, or to the value of the single expression."""
        if self.single:
            return typing.cast("Part", self.parts[0]).value(scope)
        return "".join(
            part if isinstance(part, str) else text_of(part.value(scope)) for part in self.parts
        )

    def defer(self, scope: Scope) -> dict[str, Any]:
        """Render what is known already; the rest is JSON for `render_late`."""
        pieces: list[Any] = []
        for part in self.parts:
            if isinstance(part, str):
                pieces.append(part)
            elif part.late is None:
                pieces.append(text_of(part.value(scope)))
            else:
                filters = [[one.name, list(one.arguments)] for one in part.source.filters]
                pieces.append({"path": part.late, "filters": filters})
        return {"$late": pieces}


def compile_template(source: str, schema: Schema, *, index: int | None = None) -> Template:
    """Compile a template; TemplateFault says what is wrong, as a problem would.

    `index` is the place of the action that it belongs to: only earlier ones have results.
    """
    return Template(
        [
            part if isinstance(part, str) else compile_part(part, schema, index)
            for part in parse(source)
        ]
    )


def template_faults(
    source: str, schema: Schema, *, index: int | None = None
) -> list[TemplateFault]:
    """List everything that is wrong with a template."""
    try:
        parts = parse(source)
    except TemplateFault as fault:
        return [fault]
    faults: list[TemplateFault] = []
    for part in parts:
        try:
            if isinstance(part, Expression):
                compile_part(part, schema, index)
        except TemplateFault as fault:
            faults.append(fault)
    return faults


def compile_part(part: Expression, schema: Schema, index: int | None) -> Part:
    """Compile one expression; TemplateFault names the path or filter that is wrong."""
    steps = tuple(compile_step(call, schema) for call in part.filters)
    if part.path.startswith("hub.action."):
        return Part(part, _nothing, steps, _outcome_path(part.path, index))
    return Part(part, compile_path(part.path, schema), steps)


def _nothing(_: Scope) -> Value:
    return None


def _outcome_path(path: str, index: int | None) -> str:
    _, _, number, *rest = path.split(".")
    earlier = number.isdigit() and index is not None and int(number[:4]) < index
    if len(rest) != 1 or rest[0] not in OUTCOME_PARTS or not earlier:
        raise TemplateFault("template.path", f"'{path}' is not a result of an earlier action")
    return path


# --------------------------------------------------------------------------- paths


def compile_path(path: str, schema: Schema) -> Get:
    """Find where a path's value comes from; TemplateFault when there is no such path."""
    if path.startswith("prior."):
        name = _field(path.removeprefix("prior."), schema)
        return lambda scope: (scope.facts.prior or {}).get(name)
    if path.startswith("hub.") and not path.startswith(EVENT):
        return _hub_path(path)
    base, _, last = path.rpartition(".")
    if last.isdigit() and path not in schema.fields:
        name, place = _field(base, schema), int(last[:6])
        return lambda scope: _item(scope.values.get(name), place)
    name = _field(path, schema)
    return lambda scope: scope.values.get(name)


def _field(name: str, schema: Schema) -> str:
    known = schema.fields.get(name)
    if known is None:
        near = schema.nearest_field(name)
        nearest = f" Nearest: '{near}'." if near else ""
        raise TemplateFault("template.path", f"No field '{name}'.{nearest}")
    if known.secret:
        raise TemplateFault("template.secret", f"{known.label} is secret and can not be used.")
    return name


def _item(value: Value, place: int) -> Value:
    return value[place] if isinstance(value, tuple) and place < len(value) else None


_FIXED: Final[Mapping[str, Get]] = {
    "hub.correlation.code": lambda scope: scope.facts.correlation,
    "hub.rule.name": lambda scope: scope.rule_name,
    "hub.tenant.name": lambda scope: scope.facts.tenant,
}


def _hub_path(path: str) -> Get:
    if path in _FIXED:
        return _FIXED[path]
    words = path.split(".")
    if words[1] == "link" and len(words) == 5 and words[4] in LINK_PARTS:
        return _link_path(f"{words[2]}.{words[3]}", words[4])
    raise TemplateFault("template.path", f"No value '{path}'.")


def _link_path(source_object: str, part: str) -> Get:
    def get(scope: Scope) -> Value:
        link = scope.link(source_object)
        if link is None:
            return None
        return {"id": link.ref.id, "url": link.url, "human_id": link.human_id}[part]

    return get


# --------------------------------------------------------------------------- filters


def run_steps(value: Value, steps: Sequence[Step], scope: Scope | None) -> Value:
    """Send a value through filters; TemplateError when one refuses it."""
    for step in steps:
        value = step(value, scope)
        if isinstance(value, str) and len(value) > MAX_TEXT:
            value = value[:MAX_TEXT]
    return value


def compile_step(call: FilterCall, schema: Schema) -> Step:
    """Bind a filter to its arguments; TemplateFault when either is wrong."""
    declared = schema.filters.get(call.name)
    if declared is None:
        raise TemplateFault(
            "template.filter", f"No filter '{call.name}'.{hint(call.name, schema.filters)}"
        )
    _check_arguments(declared, call)
    if call.name in {"map", "unmap"}:
        return _table_step(call, schema)
    arguments = call.arguments
    if call.name == "date" and len(arguments) == 1:
        arguments = (*arguments, schema.zone.key)
    _try_arguments(declared, arguments)
    return _filter_step(declared, arguments)


def _filter_step(declared: Filter, arguments: tuple[Any, ...]) -> Step:
    def step(value: Value, _: Scope | None) -> Value:
        try:
            return declared.apply(value, *arguments)
        except Exception as error:  # a filter of a plugin may raise anything
            raise TemplateError(f"{declared.name}: {error}") from error

    return step


def _table_step(call: FilterCall, schema: Schema) -> Step:
    table = schema.value_maps.get(call.arguments[0])
    if table is None:
        raise TemplateFault("template.map", f"No value map '{call.arguments[0]}'.")
    if call.name == "map":
        return lambda value, _: _forth(table, value)
    name = call.arguments[1] if len(call.arguments) > 1 else None
    if name is not None and name not in schema.fields:
        raise TemplateFault("template.path", f"No field '{name}'.")
    return lambda value, scope: _back(table, value, name, scope)


def _forth(table: ValueMap, value: Value) -> Value:
    try:
        return table.forth(value)
    except NoRow as error:
        raise TemplateError(str(error)) from error


def _back(table: ValueMap, value: Value, name: str | None, scope: Scope | None) -> Value:
    precise = scope.precise(name) if scope and name else None
    try:
        found, how = table.back(value, precise)
    except NoRow as error:
        raise TemplateError(str(error)) from error
    if scope and how in _HOW:
        scope.notes.append(f"{table.name}: {text_of(value)} → {text_of(found)} ({_HOW[how]})")
    return found


_HOW: Final = {
    "kept": "the last known value, which still fits",
    "marked": "the row marked for the way back",
    "first": "the first row",
}


def _check_arguments(declared: Filter, call: FilterCall) -> None:
    try:
        signature = inspect.signature(declared.apply)
        bound = signature.bind(None, *call.arguments)
    except TypeError as error:
        raise TemplateFault("template.args", f"{call.name}: {error}") from error
    except ValueError:
        return
    hints = _hints(declared.apply)
    for name, given in list(bound.arguments.items())[1:]:
        if not _fits(given, hints.get(name, object)):
            raise TemplateFault("template.args", f"{call.name}: {given!r} is not a {name}")


def _hints(function: Callable[..., Any]) -> Mapping[str, Any]:
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError):
        return {}


def _fits(given: Json, wanted: Json) -> bool:
    options = typing.get_args(wanted) if isinstance(wanted, UnionType) else (wanted,)
    plain = [one for one in options if isinstance(one, type)]
    if len(plain) < len(options) or object in plain:
        return True
    return type(given) in plain or (isinstance(given, int) and float in plain)


def _try_arguments(declared: Filter, arguments: tuple[Any, ...]) -> None:
    """Ask the filter itself; what it makes of no value is not the point."""
    try:
        declared.apply(None, *arguments)
    except ValueError as error:
        raise TemplateFault("template.args", str(error)) from error
    except Exception:  # noqa: BLE001, S110  a filter that can not take an empty value says so at render
        pass


def late_value(
    pieces: Sequence[Any], outcomes: Mapping[int, ActionOutcome], schema: Schema
) -> Json:
    """Render what `Template.defer` left open."""
    values = [one if isinstance(one, str) else _late_piece(one, outcomes, schema) for one in pieces]
    if len(pieces) == 1 and not isinstance(pieces[0], str):
        return json_value(values[0])
    return "".join(text_of(one) for one in values)


def _late_piece(
    piece: Mapping[str, Any], outcomes: Mapping[int, ActionOutcome], schema: Schema
) -> Value:
    _, _, number, part = piece["path"].split(".")
    outcome = outcomes.get(int(number), ActionOutcome())
    calls = [FilterCall(name, tuple(arguments)) for name, arguments in piece["filters"]]
    try:
        steps = [compile_step(call, schema) for call in calls]
    except TemplateFault as fault:
        raise TemplateError(str(fault)) from fault
    value: Value = {"id": outcome.id, "url": outcome.url, "summary": outcome.summary}[part]
    return run_steps(value, steps, None)
