"""What the linter finds in one rule alone. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from hub.rules.model import Condition, Group, Rule
from hub.rules.params import SERVICE, services_needed, target_of
from hub.rules.schema import Schema, object_of
from hub.rulesets.effects import Write, fields_read
from hub.rulesets.regions import Region, narrowed, passes
from hub.sdk.vocabulary import FieldSchema

_NULL_HINT: Final = frozenset({"is_empty"})
_ON: Final = "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One thing that is odd about a rule; the pointer is inside the rule."""

    code: str
    message: str
    pointer: str = ""
    severity: Literal["error", "warning", "info"] | None = None


class Tenant(Protocol):
    """What is told of the tenant."""

    @property
    def states(self) -> Mapping[str, str]: ...  # noqa: D102 - named in lint.Around
    @property
    def unseen(self) -> frozenset[str]: ...  # noqa: D102 - named in lint.Around
    @property
    def defaults(self) -> frozenset[str]: ...  # noqa: D102 - named in lint.Around
    @property
    def whole(self) -> frozenset[tuple[str, str]]: ...  # noqa: D102 - named in lint.Around
    @property
    def learned(self) -> Mapping[tuple[str, str], frozenset[str]]: ...  # noqa: D102 - as above


def notes_of(
    rule: Rule, region: Region, writes: Sequence[Write], told: tuple[Schema, Tenant]
) -> Iterator[Note]:
    """Yield what is odd about a rule by itself."""
    schema, tenant = told
    yield from _demanded(rule, schema, tenant)
    yield from _expected(rule, schema)
    yield from _literals(rule, schema)
    yield from _triggers(rule, region, schema, tenant)
    yield from _connectors(rule, tenant)
    yield from _needless(region, writes)
    yield from _mode(rule, schema)
    yield from _catch_all(rule, schema)
    yield from _null_hints(region)
    yield from _services(rule, tenant)
    yield from _secrets(rule, schema)


def _demanded(rule: Rule, schema: Schema, tenant: Tenant) -> Iterator[Note]:
    """L101: fields that a vendor refused records for before; declared ones are checked already."""
    for index, line in enumerate(rule.then):
        action, fields = schema.actions.get(line.do), line.params.get("fields", {})
        if action is None or not action.creates or not isinstance(fields, Mapping):
            continue
        target = target_of(action, line.params, rule.object)
        for name in sorted(tenant.learned.get((line.connector, target), ())):
            field = _field_named(name, target, schema)
            known = {name} if field is None else {field.key, field.vendor_name}
            if (field is not None and field.required) or known & set(fields) or SERVICE in fields:
                continue
            text = (
                f"'{line.connector}' refused a {schema.label_of(target)} without "
                f"{field.label if field else name} before, and nothing sets it."
            )
            yield Note(code="L101", message=text, pointer=f"/then/{index}/with/fields")


def _expected(rule: Rule, schema: Schema) -> Iterator[Note]:
    """L101: fields that people's forms demand, which the vendor's API does not."""
    for index, line in enumerate(rule.then):
        action, fields = schema.actions.get(line.do), line.params.get("fields", {})
        if action is None or not action.creates or not isinstance(fields, Mapping):
            continue
        target = target_of(action, line.params, rule.object)
        wanted = (one for one in schema.fields_of(target) if one.expected and not one.required)
        missing = [one.label for one in wanted if not {one.key, one.vendor_name} & set(fields)]
        if missing and SERVICE not in fields:
            text = (
                f"People can't save a {schema.label_of(target)} without {', '.join(missing)}, "
                "and nothing sets it: it can be made, but not be edited before that is filled in."
            )
            yield Note(code="L101", message=text, pointer=f"/then/{index}/with/fields")


def field_called(name: str, target: str, schema: Schema) -> FieldSchema | None:
    """Return the field that a rule calls so: by its whole name, its key or as the vendor does."""
    own = name.removeprefix(f"{target}.")
    return schema.fields.get(name) or _field_named(own, target, schema)


def _field_named(name: str, target: str, schema: Schema) -> FieldSchema | None:
    fields = schema.fields_of(target)
    return next((one for one in fields if name in (one.key, one.vendor_name)), None)


def _literals(rule: Rule, schema: Schema) -> Iterator[Note]:
    """L102: literals that the target's field does not take."""
    for index, line in enumerate(rule.then):
        action = schema.actions.get(line.do)
        if action is None:
            continue
        target = target_of(action, line.params, rule.object)
        for pointer, name, value in set_fields(line.params, target):
            field = field_called(name, target, schema)
            if field is None or not isinstance(value, str) or "{{" in value:
                continue
            at = f"/then/{index}/with{pointer}"
            choices = [one.value for one in field.choices]
            if choices and value not in choices:
                shown = ", ".join(choices[:10])
                text = f"{field.label} has no choice '{value}'. Choices: {shown}."
                yield Note(code="L102", message=text, pointer=at)
            elif field.max_length is not None and len(value) > field.max_length:
                text = f"{field.label} takes {field.max_length} characters, not {len(value)}."
                yield Note(code="L102", message=text, pointer=at)


def set_fields(params: Mapping[str, Any], target: str) -> Iterator[tuple[str, str, Any]]:
    """Yield pointer, whole field name and value of what parameters set."""
    named = params.get("field")
    if isinstance(named, str) and "value" in params:
        yield "/value", named, params["value"]
    fields = params.get("fields")
    if isinstance(fields, Mapping):
        for key, value in fields.items():
            yield f"/fields/{key}", f"{target}.{key}", value
    for key, value in params.items():
        if key not in {"field", "value", "fields"}:
            yield f"/{key}", f"{target}.{key}", value


def _triggers(rule: Rule, region: Region, schema: Schema, tenant: Tenant) -> Iterator[Note]:
    """L104: changes that nobody will tell of."""
    for at, name in enumerate(rule.on):
        source_object = object_of(name)
        if source_object in tenant.unseen:
            text = f"No webhook and no poller tells of changes of {schema.label_of(source_object)}."
            yield Note(code="L104", message=text, pointer=f"/on/{at}")
    kinds = {object_of(name).partition(".")[0] for name in region.triggers}
    for at, source in enumerate(rule.sources):
        kind = schema.connectors.get(source)
        if kind is not None and kinds and kind not in kinds:
            text = f"'{source}' is a {kind} connector and never gives these triggers."
            yield Note(code="L104", message=text, pointer=f"/from/{at}")


def _connectors(rule: Rule, tenant: Tenant) -> Iterator[Note]:
    """L105: connectors that do nothing at the moment."""
    for index, line in enumerate(rule.then):
        state = tenant.states.get(line.connector, _ON)
        if state != _ON:
            text = f"The connector '{line.connector}' is {state.replace('_', ' ')}."
            yield Note(code="L105", message=text, pointer=f"/then/{index}/connector")


def _needless(region: Region, writes: Sequence[Write]) -> Iterator[Note]:
    """L304: writes of what the conditions demand already."""
    for write in writes:
        if not write.is_literal:
            continue
        for leaf in region.leaves:
            same = narrowed(leaf).allowed == frozenset({write.value})
            if leaf.field.name == write.field and same:
                text = f"{write.field} is '{write.value}' already when the conditions hold."
                yield Note(code="L304", message=text, pointer=f"/then/{write.index}")


def _mode(rule: Rule, schema: Schema) -> Iterator[Note]:
    """L401: conditions under which "when it becomes true" surprises."""
    if rule.run != "becomes_true":
        return
    if any(group.kind == "any" and len(group.kids) > 1 for group in _groups(rule.when)):
        text = "While one branch of 'any' stays true, the others do not fire it again."
        yield Note(code="L401", message=text, pointer="/when")
    for condition in conditions_of(rule.when):
        operator = schema.operators.get(condition.op)
        if operator is not None and (operator.changes or operator.needs_prior):
            text = f"'{operator.label}' is true at a change only, so 'becomes true' adds nothing."
            yield Note(code="L401", message=text, pointer="/run")
            return


def _groups(group: Group) -> Iterator[Group]:
    yield group
    for kid in group.kids:
        if isinstance(kid, Group):
            yield from _groups(kid)


def conditions_of(group: Group) -> Iterator[Condition]:
    """Yield every condition of a group, however deep."""
    for one in _groups(group):
        yield from (kid for kid in one.kids if isinstance(kid, Condition))


def _catch_all(rule: Rule, schema: Schema) -> Iterator[Note]:
    """L402: no conditions, and something is made or somebody is paged."""
    if rule.when.kind:
        return
    for index, line in enumerate(rule.then):
        action = schema.actions.get(line.do)
        if action is not None and action.creates:
            text = f"Without conditions every event of its triggers does '{action.label}'."
            yield Note(code="L402", message=text, pointer=f"/then/{index}")
            return


def _null_hints(region: Region) -> Iterator[Note]:
    """L403: negative tests, which hold of empty values too."""
    for leaf in region.leaves:
        if leaf.operator.name in _NULL_HINT or leaf.operator.operand == "none":
            continue
        if passes(leaf, None, region.zone) is True:
            text = f"'{leaf.field.label} {leaf.operator.label} …' also holds when it is empty."
            yield Note(code="L403", message=text, pointer="/when")


def _services(rule: Rule, tenant: Tenant) -> Iterator[Note]:
    """L501: values without a row, and no default row."""
    for index, line in enumerate(rule.then):
        if "outbound" not in services_needed(line.params):
            continue
        name = line.connector
        if name not in tenant.defaults and (name, rule.object) not in tenant.whole:
            text = (
                f"'{name}' has no default service row: where no row matches, the run is given up."
            )
            yield Note(code="L501", message=text, pointer=f"/then/{index}/with")


def _secrets(rule: Rule, schema: Schema) -> Iterator[Note]:
    """L503: secret fields in parameters."""
    for index, line in enumerate(rule.then):
        for name in fields_read(line.params):
            field = schema.fields.get(name)
            if field is not None and field.secret:
                text = f"{field.label} is secret and can't be used."
                yield Note(code="L503", message=text, pointer=f"/then/{index}/with")
