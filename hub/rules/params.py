"""An action's parameters: compiled once, filled for each event, finished before the run."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from hub.rules.schema import Schema, object_of
from hub.rules.templates import (
    MAX_OUTPUT,
    ActionOutcome,
    Scope,
    Template,
    TemplateError,
    compile_template,
    late_value,
)
from hub.rules.values import TEXTUAL, Json, json_value
from hub.sdk.actions import Action
from hub.sdk.vocabulary import FieldSchema, FieldType

SERVICE: Final = "$service"
DIRECTIONS: Final = ("outbound", "inbound")
Fill: TypeAlias = Callable[[Scope], Any]


@dataclass(frozen=True, slots=True)
class Room:
    """How long a parameter's text may be; `strict` ones are never cut."""

    limit: int = MAX_OUTPUT
    strict: bool = False


class Params:
    """The `with` of an action line, compiled; everything in it has passed `check_rule`."""

    __slots__ = ("_fills", "late")

    def __init__(self, fills: Mapping[str, Fill], late: frozenset[str]) -> None:
        self._fills = fills
        self.late = late

    def fill(self, scope: Scope) -> dict[str, Any]:
        """Give the parameters as JSON carries them; TemplateError when one can not be rendered.

        What is late stays as it must be to be finished by `render_late`.
        """
        return {name: fill(scope) for name, fill in self._fills.items()}


def compile_params(
    written: Mapping[str, Any], schema: Schema, rooms: "Rooms", *, index: int
) -> Params:
    """Compile the parameters of the rule's action number `index`."""
    compiler = _Compiler(schema, rooms, index)
    fills = {name: compiler.fill(value, (name,)) for name, value in written.items()}
    return Params(fills, frozenset(compiler.late))


class _Compiler:
    def __init__(self, schema: Schema, rooms: "Rooms", index: int) -> None:
        self._schema = schema
        self._rooms = rooms
        self._index = index
        self.late: set[str] = set()

    def fill(self, written: Json, path: tuple[str, ...]) -> Fill:
        if isinstance(written, str):
            return self._text(written, path)
        if isinstance(written, Mapping):
            return self._mapping(written, path)
        if isinstance(written, (list, tuple)):
            fills = [self.fill(one, (*path, str(at))) for at, one in enumerate(written)]
            return lambda scope: [fill(scope) for fill in fills]
        return lambda _: written

    def _text(self, written: str, path: tuple[str, ...]) -> Fill:
        if "{{" not in written:
            return lambda _: written
        template, room = (
            compile_template(written, self._schema, index=self._index),
            self._rooms(path),
        )
        if template.late:
            self.late.add(path[0])
            return template.defer
        return lambda scope: _rendered(template, scope, room, path)

    def _mapping(self, written: Mapping[str, Any], path: tuple[str, ...]) -> Fill:
        if len(written) == 1 and "$field" in written:
            name = written["$field"]
            return lambda scope: json_value(scope.values.get(name))
        if SERVICE in written:
            self.late.add(path[0])
        fills = {key: self.fill(value, (*path, key)) for key, value in written.items()}
        return lambda scope: {key: fill(scope) for key, fill in fills.items()}


def _rendered(template: Template, scope: Scope, room: Room, path: tuple[str, ...]) -> Json:
    value = json_value(template.render(scope))
    if not isinstance(value, str) or len(value) <= room.limit:
        return value
    if room.strict:
        raise TemplateError(f"{path[-1]}: longer than {room.limit} characters")
    scope.notes.append(f"{path[-1]}: cut at {room.limit:,} characters")
    return value[: room.limit - 1] + "…"


class Rooms:
    """Finds how long a parameter's text may be: its own limit, or that of the field it sets."""

    def __init__(self, schema: Schema, action: Action[Any, Any], target: str) -> None:
        self._schema = schema
        self._target = target
        self._params = action.params.model_fields
        self._written: Mapping[str, Any] = {}

    def of(self, written: Mapping[str, Any]) -> "Rooms":
        """Look also at the parameters that name fields."""
        self._written = written
        return self

    def __call__(self, path: tuple[str, ...]) -> Room:
        """Give the room of the parameter at the path."""
        field = self._field(path)
        if field is not None and field.max_length is not None:
            strict = field.type in TEXTUAL and field.type is not FieldType.TEXT
            return Room(min(field.max_length, MAX_OUTPUT), strict)
        if field is not None and field.type in {FieldType.CHOICE, FieldType.ID}:
            return Room(strict=True)
        return Room(min(self._declared(path), MAX_OUTPUT))

    def _declared(self, path: tuple[str, ...]) -> int:
        info = self._params.get(path[0]) if len(path) == 1 else None
        limits = [getattr(one, "max_length", None) for one in info.metadata] if info else []
        return min((one for one in limits if one is not None), default=MAX_OUTPUT)

    def _field(self, path: tuple[str, ...]) -> FieldSchema | None:
        if path == ("value",) and isinstance(self._written.get("field"), str):
            return self._schema.fields.get(self._written["field"])
        if len(path) == 2 and path[0] == "fields":
            return self._schema.fields.get(f"{self._target}.{path[1]}")
        return None


def target_of(action: Action[Any, Any], written: Mapping[str, Any], rule_object: str) -> str:
    """Name the object that an action line makes or acts on; "" = none of the hub's records.

    An action without a fixed target takes the object that its own parameters name
    (`object`, or that of `field`), else the rule's, where its connector type has it.
    """
    if action.target:
        return action.target
    named = written.get("object"), object_of(str(written.get("field") or ""))
    for one in (*named, rule_object):
        if isinstance(one, str) and one.startswith(action.connector_type + "."):
            return one
    return ""


# --------------------------------------------------------------------------- late values


def services_needed(params: Mapping[str, Any]) -> frozenset[str]:
    """Name the directions in which service mapping is asked before the run."""
    return frozenset(_services(params))


def _services(node: Json) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == SERVICE:
                yield str(value)
            else:
                yield from _services(value)
    elif isinstance(node, (list, tuple)):
        for one in node:
            yield from _services(one)


def render_late(
    params: Mapping[str, Any],
    schema: Schema,
    *,
    outcomes: Mapping[int, ActionOutcome],
    services: Mapping[str, Any],
) -> dict[str, Any]:
    """Finish planned parameters just before their run; TemplateError when that is impossible.

    `outcomes` are the results of the same rule's earlier actions by index, `services` the
    answers of service mapping by direction: a service id, or for "inbound" in a mapping
    of fields the fields to add. Fields that the rule sets itself win.
    """
    finisher = _Finisher(schema, outcomes, services)
    return {name: finisher.finish(value) for name, value in params.items()}


class _Finisher:
    def __init__(
        self, schema: Schema, outcomes: Mapping[int, ActionOutcome], services: Mapping[str, Any]
    ) -> None:
        self._schema = schema
        self._outcomes = outcomes
        self._services = services

    def finish(self, node: Json) -> Json:
        if isinstance(node, Mapping):
            return self._mapping(node)
        if isinstance(node, (list, tuple)):
            return [self.finish(one) for one in node]
        return node

    def _mapping(self, node: Mapping[str, Any]) -> Json:
        if node.keys() == {"$late"}:
            value = late_value(node["$late"], self._outcomes, self._schema)
            return value[:MAX_OUTPUT] if isinstance(value, str) else value
        rest = {key: self.finish(value) for key, value in node.items() if key != SERVICE}
        if SERVICE not in node:
            return rest
        found = self._service(str(node[SERVICE]))
        return {**found, **rest} if rest and isinstance(found, Mapping) else found

    def _service(self, direction: str) -> Json:
        try:
            return self._services[direction]
        except KeyError:
            raise TemplateError(f"no {direction} service") from None
