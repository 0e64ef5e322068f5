"""Check the actions of a rule: names, connectors, parameters, templates, required fields."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from hub.rules.nearest import hint, no_connector
from hub.rules.params import DIRECTIONS, SERVICE, target_of
from hub.rules.problems import Problem, pointer
from hub.rules.schema import Schema, object_of
from hub.rules.template_syntax import Expression, parse
from hub.rules.templates import template_faults
from hub.rules.values import Json
from hub.sdk.actions import Action
from hub.sdk.vocabulary import FieldType

MAX_ACTIONS: Final = 20
MAX_NODES: Final = 100
MAX_NESTING: Final = 5
_OPEN: Final = "{{ }}"
_NUMERIC_ERRORS: Final = ("int_", "float_", "decimal_", "bool_", "date", "time_", "is_instance")


def check_actions(rule: Mapping[str, Any], schema: Schema, at: str) -> list[Problem]:
    """List what is wrong with the actions of a rule."""
    lines = rule.get("then")
    if not isinstance(lines, list):
        return []
    found: list[Problem] = []
    if len(lines) > MAX_ACTIONS:
        text = f"At most {MAX_ACTIONS} actions in a rule."
        found.append(Problem(pointer=pointer(at, "then"), code="limit.actions", message=text))
    for index, line in enumerate(lines[:MAX_ACTIONS]):
        if isinstance(line, Mapping):
            found += _LineChecker(rule, line, index, schema, pointer(at, "then", index)).problems()
    return found


class _LineChecker:
    def __init__(
        self,
        rule: Mapping[str, Any],
        line: Mapping[str, Any],
        index: int,
        schema: Schema,
        at: str,
    ) -> None:
        self._rule = rule
        self._line = line
        self._index = index
        self._schema = schema
        self._at = at
        self._found: list[Problem] = []
        given = line.get("with", {})
        self._with: Mapping[str, Any] = given if isinstance(given, Mapping) else {}

    def problems(self) -> list[Problem]:
        action = self._action()
        self._connector(action)
        self._values()
        if action is not None:
            if not any(one.pointer.startswith(pointer(self._at, "with")) for one in self._found):
                self._params(action)
            self._required(action)
            self._target(action)
        return self._found

    def _say(self, at: str, code: str, message: str) -> None:
        self._found.append(Problem(pointer=at, code=code, message=message))

    def _action(self) -> Action[Any, Any] | None:
        name = self._line.get("do")
        if not isinstance(name, str):
            return None
        action = self._schema.actions.get(name)
        if action is None:
            text = f"No action '{name}'.{hint(name, self._schema.actions)}"
            self._say(pointer(self._at, "do"), "action.unknown", text)
        elif self._line.get("unless_linked") is True and not action.creates:
            text = f"'{action.label}' creates nothing, so it can not depend on links."
            self._say(pointer(self._at, "unless_linked"), "action.params", text)
        return action

    def _connector(self, action: Action[Any, Any] | None) -> None:
        name = self._line.get("connector")
        if not isinstance(name, str):
            return
        at = pointer(self._at, "connector")
        kind = self._schema.connectors.get(name)
        if kind is None:
            self._say(at, "connector.unknown", no_connector(name, self._schema.connectors))
        elif action is not None and kind != action.connector_type:
            self._say(at, "connector.type", f"'{name}' is not a {action.connector_type} connector.")

    # ----------------------------------------------------------------- values

    def _values(self) -> None:
        nodes = 0
        for at, node, depth in _walk(self._with, pointer(self._at, "with"), 0):
            nodes += 1
            if depth > MAX_NESTING:
                self._say(at, "limit.depth", f"Values can be nested {MAX_NESTING} deep.")
            elif isinstance(node, str) and "{{" in node:
                for fault in template_faults(node, self._schema, index=self._index):
                    self._say(at, fault.code, str(fault))
            elif isinstance(node, Mapping):
                self._special(node, at)
        if nodes > MAX_NODES + 1:
            self._say(pointer(self._at, "with"), "limit.nodes", f"At most {MAX_NODES} values.")

    def _special(self, node: Mapping[str, Any], at: str) -> None:
        for key, value in node.items():
            if not key.startswith("$"):
                continue
            if key == "$field" and len(node) == 1:
                self._copied(value, pointer(at, key))
            elif key == SERVICE and value in DIRECTIONS:
                continue
            else:
                self._say(pointer(at, key), "value.unknown_special", f"'{key}' is not known here.")

    def _copied(self, name: Json, at: str) -> None:
        field = self._schema.fields.get(name) if isinstance(name, str) else None
        if field is None:
            near = self._schema.nearest_field(name) if isinstance(name, str) else None
            nearest = f" Nearest: '{near}'." if near else ""
            self._say(at, "field.unknown", f"No field '{name}'.{nearest}")
        elif field.secret:
            self._say(at, "template.secret", f"{field.label} is secret and can not be used.")

    # ----------------------------------------------------------------- parameters

    def _params(self, action: Action[Any, Any]) -> None:
        open_at: dict[tuple[Any, ...], str] = {}
        trial = {name: self._trial(one, (name,), open_at) for name, one in self._with.items()}
        try:
            action.params.model_validate(trial)
        except ValidationError as error:
            for one in error.errors(include_url=False):
                self._param(one, open_at)
        except Exception as error:  # noqa: BLE001  a plugin's model may raise anything
            if not open_at:
                self._say(pointer(self._at, "with"), "action.params", f"parameters: {error}.")

    def _trial(
        self, node: Json, path: tuple[Any, ...], open_at: dict[tuple[Any, ...], str]
    ) -> Json:
        """Put a stand-in where the value is not known yet."""
        if isinstance(node, str) and "{{" in node:
            open_at[path] = node
            return _OPEN
        if isinstance(node, Mapping):
            if SERVICE in node or "$field" in node:
                open_at[path] = ""
                if len(node) == 1:
                    return _OPEN
            kept = {key: one for key, one in node.items() if key != SERVICE}
            return {key: self._trial(one, (*path, key), open_at) for key, one in kept.items()}
        if isinstance(node, (list, tuple)):
            return [self._trial(one, (*path, i), open_at) for i, one in enumerate(node)]
        return node

    def _param(self, error: Mapping[str, Any], open_at: Mapping[tuple[Any, ...], str]) -> None:
        where = error["loc"]
        left_open = next((one for one in open_at if where[: len(one)] == one), None)
        if error["type"] == "extra_forbidden":  # whatever its value will be
            left_open = None
        at = pointer(self._at, "with", *where)
        if left_open is not None:
            source = open_at[left_open]
            if source and self._is_text(source) and error["type"].startswith(_NUMERIC_ERRORS):
                at = pointer(self._at, "with", *left_open)
                self._say(at, "template.type", f"{where[0]}: {_lowered(error['msg'])}.")
        elif where or not open_at:
            name = ".".join(map(str, where)) or "parameters"
            self._say(at, "action.params", f"{name}: {_lowered(error['msg'])}.")

    def _is_text(self, source: str) -> bool:
        """Tell whether a template can only give text."""
        parts = parse(source)
        if len(parts) != 1 or not isinstance(parts[0], Expression):
            return True
        field = self._schema.fields.get(parts[0].path)
        return not parts[0].filters and field is not None and field.type is FieldType.LIST

    # ----------------------------------------------------------------- targets

    def _required(self, action: Action[Any, Any]) -> None:
        about = self._rule.get("object")
        if not action.creates or "fields" not in action.params.model_fields:
            return
        target = target_of(action, self._with, about if isinstance(about, str) else "")
        fields = self._with.get("fields", {})
        if not isinstance(fields, Mapping) or SERVICE in fields:
            return
        given = set(fields) | set(self._with)
        missing = [
            one.label
            for one in self._schema.fields_of(target)
            if one.required and not {one.key, one.vendor_name} & given
        ]
        if missing:
            label = self._schema.label_of(target)
            text = f"{label} needs {_listed(missing)}, and nothing sets {_them(missing)}."
            self._say(pointer(self._at, "with", "fields"), "action.required_fields", text)

    def _target(self, action: Action[Any, Any]) -> None:
        """Warn where the record to act on can not be there: a record just made has no links."""
        on, about = self._rule.get("on"), self._rule.get("object")
        if action.creates or not isinstance(on, list) or not isinstance(about, str):
            return
        names = [one for one in on if isinstance(one, str)]
        target = target_of(action, self._with, about)
        objects = {object_of(one) for one in names}
        if not target or target in objects or not all(one.endswith(".created") for one in names):
            return
        needed, source = (
            self._schema.label_of(target),
            self._schema.label_of(min(objects, default="")),
        )
        text = f"'{action.label}' needs a {needed}, and a new {source} never has one."
        self._found.append(
            Problem(
                pointer=pointer(self._at, "do"),
                code="action.no_target",
                message=text,
                severity="warning",
            )
        )


def _walk(node: Json, at: str, depth: int) -> Iterator[tuple[str, Any, int]]:
    yield at, node, depth
    if depth > MAX_NESTING:
        return
    if isinstance(node, Mapping):
        for key, one in node.items():
            yield from _walk(one, pointer(at, key), depth + 1)
    elif isinstance(node, (list, tuple)):
        for index, one in enumerate(node):
            yield from _walk(one, pointer(at, index), depth + 1)


def _listed(labels: list[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"


def _them(labels: list[str]) -> str:
    return "it" if len(labels) == 1 else "them"


def _lowered(text: str) -> str:
    text = text.removeprefix("Value error, ")
    return text[:1].lower() + text[1:]
