"""Check: everything that is wrong with a rule, at once, with pointers."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from hub.rules.check_actions import check_actions
from hub.rules.model import NewerFormat, Rule, upgrade
from hub.rules.nearest import hint, no_connector
from hub.rules.operands import NOT_GIVEN, OperandFaults, read_operand
from hub.rules.problems import Problem, pointer, shape_problems
from hub.rules.schema import EVENT, Schema, object_of
from hub.rules.values import Json, folds_by_default
from hub.sdk.operators import Operator
from hub.sdk.vocabulary import FieldSchema

MAX_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 5
MAX_CONDITIONS: Final = 50
MAX_RULES: Final = 1_000
_NESTED: Final = 32
_GROUPS: Final = ("all", "any", "none")


def check_rule(rule: Mapping[str, Any], schema: Schema, *, at: str = "") -> list[Problem]:
    """List everything that is wrong with a rule as written; [] = nothing.

    `at` is the rule's own pointer in the request body. Warnings do not keep a rule from
    being used.
    """
    too_much = _too_much(rule, at)
    if too_much:
        return too_much
    try:
        rule = upgrade(rule)
    except NewerFormat as error:
        return [Problem(pointer=pointer(at, "format"), code="schema.format", message=str(error))]
    found = _shape(rule, at)
    found += _Checker(rule, schema, at).problems()
    found += check_actions(rule, schema, at)
    return list(dict.fromkeys(found))


def check_ruleset(
    ruleset: Mapping[str, Any], schema: Schema, *, max_rules: int = MAX_RULES
) -> list[Problem]:
    """List everything that is wrong with the rules of a ruleset, and with them together."""
    rules = ruleset.get("rules", [])
    if not isinstance(rules, list):
        return [Problem(pointer="/rules", code="schema.type", message="must be a list")]
    found: list[Problem] = []
    if len(rules) > max_rules:
        text = f"At most {max_rules:,} rules in a ruleset."
        found.append(Problem(pointer="/rules", code="limit.rules", message=text))
    seen: set[Any] = set()
    for index, rule in enumerate(rules[:max_rules]):
        found += _numbered(rule, index, schema)
        given = rule.get("id") if isinstance(rule, Mapping) else None
        if isinstance(given, str) and given in seen:
            text = "Another rule of the ruleset has this id."
            found.append(Problem(pointer=f"/rules/{index}/id", code="schema.id", message=text))
        seen.add(given if isinstance(given, str) else None)
    return found


def _numbered(rule: Json, index: int, schema: Schema) -> list[Problem]:
    at = f"/rules/{index}"
    if not isinstance(rule, Mapping):
        return [Problem(pointer=at, code="schema.type", message="must be an object")]
    return check_rule(rule, schema, at=at)


def _too_much(rule: Mapping[str, Any], at: str) -> list[Problem]:
    if _deeper_than(rule, _NESTED):
        text = f"Groups can be nested {MAX_DEPTH} deep."
        return [Problem(pointer=at, code="limit.depth", message=text)]
    try:
        size = len(json.dumps(rule, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    except (TypeError, ValueError):
        return [Problem(pointer=at, code="schema.type", message="must be JSON")]
    if size > MAX_BYTES:
        text = f"At most {MAX_BYTES // 1024} KiB of JSON."
        return [Problem(pointer=at, code="limit.size", message=text)]
    return []


def _deeper_than(node: Json, limit: int) -> bool:
    level = [node]
    for _ in range(limit):
        level = [kid for one in level for kid in _kids_of(one)]
        if not level:
            return False
    return True


def _kids_of(node: Json) -> list[Any]:
    if isinstance(node, Mapping):
        return [one for one in node.values() if isinstance(one, (Mapping, list, tuple))]
    if isinstance(node, (list, tuple)):
        return [one for one in node if isinstance(one, (Mapping, list, tuple))]
    return []


def _shape(rule: Mapping[str, Any], at: str) -> list[Problem]:
    try:
        Rule.model_validate(rule)
    except ValidationError as error:
        return shape_problems(error, at)
    except RecursionError:
        text = f"Groups can be nested {MAX_DEPTH} deep."
        return [Problem(pointer=at, code="limit.depth", message=text)]
    return []


class _Checker:
    """What a schema can not say; parts that are not of the right shape are left to it."""

    def __init__(self, rule: Mapping[str, Any], schema: Schema, at: str) -> None:
        self._rule = rule
        self._schema = schema
        self._at = at
        self._found: list[Problem] = []

    def problems(self) -> list[Problem]:
        self._subject()
        self._sources()
        when = self._rule.get("when")
        if isinstance(when, Mapping) and when:
            conditions = list(self._conditions(when, pointer(self._at, "when"), 1))
            if len(conditions) > MAX_CONDITIONS:
                self._say(pointer(self._at, "when"), "limit.conditions", _MANY)
            for at, condition in conditions:
                self._condition(condition, at)
        return self._found

    def _say(self, at: str, code: str, message: str) -> None:
        self._found.append(Problem(pointer=at, code=code, message=message))

    # ----------------------------------------------------------------- object, triggers

    def _subject(self) -> None:
        about = self._rule.get("object")
        if isinstance(about, str) and about not in self._schema.objects:
            self._say(pointer(self._at, "object"), "object.unknown", f"No source object '{about}'.")
        on = self._rule.get("on")
        for index, name in enumerate(on if isinstance(on, list) else ()):
            if isinstance(name, str):
                self._trigger(name, about, pointer(self._at, "on", index))

    def _trigger(self, name: str, about: Json, at: str) -> None:
        if not self._schema.expand([name]):
            near = self._schema.nearest_trigger(name)
            nearest = f" Nearest: '{near}'." if near else ""
            self._say(at, "trigger.unknown", f"No trigger '{name}'.{nearest}")
        elif name.startswith("hub.") and object_of(name) != about:
            self._say(at, "trigger.unrelated", f"'{name}' can not be linked to '{about}'.")

    def _sources(self) -> None:
        sources = self._rule.get("from")
        for index, name in enumerate(sources if isinstance(sources, list) else ()):
            if isinstance(name, str) and name not in self._schema.connectors:
                at = pointer(self._at, "from", index)
                self._say(at, "connector.unknown", no_connector(name, self._schema.connectors))

    # ----------------------------------------------------------------- conditions

    def _conditions(
        self, node: Json, at: str, depth: int
    ) -> Iterator[tuple[str, Mapping[str, Any]]]:
        if depth > MAX_DEPTH + 1:
            return
        if not isinstance(node, Mapping):
            return
        group = next((kind for kind in _GROUPS if kind in node), None)
        if group is None:
            yield at, node
        elif depth > MAX_DEPTH:
            self._say(at, "limit.depth", f"Groups can be nested {MAX_DEPTH} deep.")
        elif isinstance(node[group], list):
            for index, kid in enumerate(node[group]):
                yield from self._conditions(kid, pointer(at, group, index), depth + 1)

    def _condition(self, condition: Mapping[str, Any], at: str) -> None:
        name, op = condition.get("field"), condition.get("op")
        field = self._field(name, pointer(at, "field")) if isinstance(name, str) else None
        operator = self._schema.operators.get(op) if isinstance(op, str) else None
        if isinstance(op, str) and operator is None:
            self._say(pointer(at, "op"), "op.unknown", self._no_operator(op, field))
        if field is None or operator is None:
            return
        if field.type not in operator.types:
            self._say(pointer(at, "op"), "op.type", self._wrong_type(operator, field))
        elif operator.name in self._schema.off:
            self._say(pointer(at, "op"), "op.off", self._schema.off[operator.name])
        else:
            self._operand(operator, field, condition, pointer(at, "value"))

    def _field(self, name: str, at: str) -> FieldSchema | None:
        field = self._schema.fields.get(name)
        if field is None:
            near = self._schema.nearest_field(name)
            nearest = f" Nearest: '{near}'." if near else ""
            source_object, _, key = name.rpartition(".")
            label = self._schema.label_of(source_object)
            self._say(at, "field.unknown", f"No field '{key}' on {label}.{nearest}")
        elif field.source_object not in self._visible():
            about = self._rule.get("object")
            text = f"'{name}' is neither a field of '{about}' nor {_ELSEWHERE}"
            self._say(at, "field.foreign", text)
        return field

    def _visible(self) -> set[Any]:
        on = self._rule.get("on")
        named = (
            {object_of(one) for one in on if isinstance(one, str)}
            if isinstance(on, list)
            else set()
        )
        about = self._rule.get("object")
        return named | {about if isinstance(about, str) else "", EVENT}

    def _wrong_type(self, operator: Operator, field: FieldSchema) -> str:
        offered = ", ".join(one.name for one in self._schema.operators_for(field.name))
        return (
            f"'{operator.label}' does not work on {field.label} ({field.type}). "
            f"Operators: {offered}"
        )

    def _no_operator(self, name: str, field: FieldSchema | None) -> str:
        if field is None:
            return f"No operator '{name}'.{hint(name, self._schema.operators)}"
        offered = [one.name for one in self._schema.operators_for(field.name)]
        return (
            f"No operator '{name}'.{hint(name, offered)} "
            f"Operators of {field.label}: {', '.join(offered)}"
        )

    def _operand(
        self, operator: Operator, field: FieldSchema, condition: Mapping[str, Any], at: str
    ) -> None:
        asked = condition.get("ignore_case")
        fold = asked if isinstance(asked, bool) else folds_by_default(field)
        raw = condition.get("value", NOT_GIVEN)
        try:
            operand = read_operand(operator, field, raw, self._schema, ignore_case=fold)
        except OperandFaults as error:
            for fault in error.faults:
                self._say(at + fault.at, fault.code, fault.message)
            return
        if isinstance(raw, Mapping) and "$field" in raw:
            self._field(raw["$field"], pointer(at, "$field"))
            return
        try:
            operator.compile(operand, field)
        except ValueError as error:
            self._say(at, "value.type", str(error))
        except Exception as error:  # noqa: BLE001  an operator of a plugin may raise anything
            text = f"'{operator.label}' can not be used: {type(error).__name__}: {error}"
            self._say(at, "op.failed", text)


_ELSEWHERE: Final = 'of an object named in "run rule on".'
_MANY: Final = f"At most {MAX_CONDITIONS} conditions in a rule."
