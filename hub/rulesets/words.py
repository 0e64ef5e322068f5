"""Rules in plain words, with labels: for diffs, lists and editors. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hub.rules.schema import Schema
from hub.sdk.vocabulary import FieldSchema

_JOINTS: Final = {"all": " and ", "any": " or ", "none": " nor "}
_SHOWN: Final = 120


class _Slots(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return ""


def rule_in_words(rule: Mapping[str, Any], schema: Schema) -> str:
    """Say a rule in one sentence; what it names and nobody knows is said by its name.

    Parts of an unfinished rule that can't be read are left out.
    """
    when = _when(_texts(rule.get("on")), schema)
    if_ = group_in_words(_mapping(rule.get("when")), schema)
    then = "; ".join(action_in_words(line, schema) for line in _mappings(rule.get("then")))
    run = ", when it becomes true," if rule.get("run") == "becomes_true" else ""
    named = _texts(rule.get("from"))
    sources = f" from {', '.join(named)}" if named else ""
    condition = f" and {if_}" if if_ else ""
    stop = "; then stop" if rule.get("after") == "stop" else ""
    off = "(off) " if rule.get("enabled") is False else ""
    return f"{off}When {when}{sources}{condition}{run}: {then}{stop}"


def _texts(given: Any) -> list[str]:  # noqa: ANN401 - JSON
    return [one for one in given if isinstance(one, str)] if isinstance(given, list) else []


def _mapping(given: Any) -> Mapping[str, Any]:  # noqa: ANN401 - JSON
    return given if isinstance(given, Mapping) else {}


def _mappings(given: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401 - JSON
    return [one for one in given if isinstance(one, Mapping)] if isinstance(given, list) else []


def _when(on: Sequence[str], schema: Schema) -> str:
    named = []
    for one in on:
        known = schema.triggers.get(one)
        if known is not None:
            named.append(known.label)
        elif one.endswith(".*"):
            named.append(f"{schema.label_of(one[:-2])} changes in any way")
        else:
            named.append(one)
    return " or ".join(named)


def group_in_words(group: Mapping[str, Any], schema: Schema) -> str:
    """Say a group of conditions; "" = always."""
    for kind in ("all", "any", "none"):
        kids = _mappings(group.get(kind))
        if kids:
            said = [_kid(one, schema) for one in kids]
            joined = _JOINTS[kind].join(said)
            if kind == "none":
                return f"neither {joined}" if len(said) > 1 else f"not ({joined})"
            return f"({joined})" if kind == "any" and len(said) > 1 else joined
    return ""


def _kid(kid: Mapping[str, Any], schema: Schema) -> str:
    if "field" in kid or "op" in kid:
        return condition_in_words(kid, schema)
    return group_in_words(kid, schema) or "always"


def condition_in_words(condition: Mapping[str, Any], schema: Schema) -> str:
    """Say a condition: "Priority is any of P1, P2"."""
    name = str(condition.get("field", ""))
    field = schema.fields.get(name)
    operator = schema.operators.get(str(condition.get("op", "")))
    label = field.label if field else name
    value = condition.get("value")
    if operator is None:
        return f"{label} {condition.get('op')} {_value(value, field, schema)}".strip()
    slots = _Slots(field=label, value=_value(value, field, schema))
    if isinstance(value, Mapping):
        slots |= {side: _value(value.get(side), field, schema) for side in ("from", "to")}
    return operator.sentence.format_map(slots).strip()


def _value(value: Any, field: FieldSchema | None, schema: Schema) -> str:  # noqa: ANN401 - JSON
    if isinstance(value, Mapping):
        other = schema.fields.get(str(value.get("$field", "")))
        return other.label if other else str(value.get("$field", ""))
    if isinstance(value, list):
        shown = [_value(one, field, schema) for one in value[:10]]
        return ", ".join(shown) + (f" and {len(value) - 10} more" if len(value) > 10 else "")
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "yes" if value else "no"
    label = schema.choice_label(field, value) if field else None
    return label or _cut(str(value))


def action_in_words(line: Mapping[str, Any], schema: Schema) -> str:
    """Say an action: "Set field value on prod-salesforce (field: Status, value: Working)"."""
    action = schema.actions.get(str(line.get("do", "")))
    label = action.label if action else str(line.get("do", ""))
    given = _mapping(line.get("with"))
    params = ", ".join(f"{name}: {_param(value, schema)}" for name, value in given.items())
    once = ", if there are no linked ones" if line.get("unless_linked") else ""
    said = f"{label} on {line.get('connector', '')}{once}"
    return f"{said} ({params})" if params else said


def _param(value: Any, schema: Schema) -> str:  # noqa: ANN401 - JSON
    if isinstance(value, Mapping):
        if "$service" in value and len(value) == 1:
            return f"by service mapping, {value['$service']}"
        if "$field" in value and len(value) == 1:
            return _value(value, None, schema)
        return ", ".join(f"{name} = {_param(one, schema)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(_param(one, schema) for one in value)
    known = schema.fields.get(value) if isinstance(value, str) else None
    return known.label if known else _value(value, None, schema)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
