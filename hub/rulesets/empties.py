"""L106: templates that may come out empty in a place that must be filled. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hub.rules.conditions import Leaf
from hub.rules.model import Rule
from hub.rules.params import target_of
from hub.rules.schema import Schema, object_of
from hub.rules.template_syntax import Expression, TemplateFault, parse
from hub.rulesets.regions import Region, passes
from hub.rulesets.single import Note
from hub.sdk.actions import Action
from hub.sdk.operators import Operand

_NEVER_EMPTY: Final = frozenset(
    {"hub.event.id", "hub.event.trigger", "hub.event.at", "hub.event.connector",
     "hub.rule.name", "hub.tenant.name"}
)  # fmt: skip
_LATE: Final = "hub.action."
_FILLS: Final = frozenset({"json"})


def empties(rule: Rule, region: Region, schema: Schema) -> Iterator[Note]:
    """Yield the places that must be filled and that a template may leave empty."""
    for index, line in enumerate(rule.then):
        action = schema.actions.get(line.do)
        if action is None:
            continue
        target = target_of(action, line.params, rule.object)
        for pointer, label, value in _demanded(action, line.params, target, schema):
            path = _may_be_empty(value, rule, region, schema)
            if path is not None:
                field = schema.fields.get(path.removeprefix("prior."))
                text = (
                    f"{label} must be filled, and {field.label if field else path} may be empty: "
                    "ask for it in the conditions, or give a default."
                )
                yield Note(code="L106", message=text, pointer=f"/then/{index}/with{pointer}")


def _demanded(
    action: Action[Any, Any], params: Mapping[str, Any], target: str, schema: Schema
) -> Iterator[tuple[str, str, Any]]:
    """Yield pointer, label and value of what must be filled: parameters, the target's fields."""
    for name, declared in action.params.model_fields.items():
        if declared.is_required() and name in params:
            yield f"/{name}", f"'{name}'", params[name]
    fields = params.get("fields")
    if action.creates and isinstance(fields, Mapping):
        for field in schema.fields_of(target):
            for key in {field.key, field.vendor_name} & set(fields) if field.required else ():
                yield f"/fields/{key}", field.label, fields[key]


def _may_be_empty(value: Any, rule: Rule, region: Region, schema: Schema) -> str | None:  # noqa: ANN401 - JSON
    """Return the path that may leave the value empty; None when something is always there."""
    if isinstance(value, Mapping):
        named = value.get("$field")
        is_open = isinstance(named, str) and _open(named, rule, region, schema)
        return named if is_open else None
    if not isinstance(value, str) or "{{" not in value:
        return None
    try:
        parts = parse(value)
    except TemplateFault:
        return None
    if any(isinstance(part, str) and part.strip() for part in parts):
        return None
    asked = [part for part in parts if isinstance(part, Expression)]
    if any(_filled(one) or not _open(one.path, rule, region, schema) for one in asked):
        return None
    return asked[0].path if asked else None


def _filled(expression: Expression) -> bool:
    return any(
        call.name in _FILLS or (call.name == "default" and call.arguments[:1] not in {(), ("",)})
        for call in expression.filters
    )


def _open(path: str, rule: Rule, region: Region, schema: Schema) -> bool:
    """Tell whether nothing says that the path leads to a value."""
    if path in _NEVER_EMPTY or path.startswith(_LATE):
        return False
    field = schema.fields.get(path)
    if field is None:
        return True
    own = all(object_of(trigger) == field.source_object for trigger in rule.on)
    if field.required and own:
        return False
    if any(name == path and domain.present for (name, _), domain in region.domains.items()):
        return False
    asked = (leaf for leaf in region.leaves if leaf.field.name == path)
    return not any(_excludes_nothing(leaf, region) for leaf in asked)


def _excludes_nothing(leaf: Leaf, region: Region) -> bool:
    """Tell whether a condition that must hold does not hold of an empty value."""
    spans = leaf.operator.operand is Operand.DURATION
    return spans or passes(leaf, None, region.zone) is False
