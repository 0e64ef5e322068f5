"""What can be wrong with one declaration, seen by itself."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, SecretStr

from hub.sdk.actions import Action, Repeat
from hub.sdk.connector_types import ConnectorType
from hub.sdk.operators import Operator
from hub.sdk.templates import RulesetTemplate
from hub.sdk.vocabulary import DECLARED_NAME, FieldSchema, FieldType, SourceObject

_WORD = re.compile(r"[a-z][a-z0-9_]*")
_SCHEME = re.compile(r"[a-z][a-z0-9-]*")
_NAME_FORM = "lower-case letters, digits and underscores, the parts joined by dots"


def faults_of(declaration: Any, name: str) -> Iterator[str]:  # noqa: ANN401 - any kind
    """Yield what is wrong with a declaration, whoever made it."""
    form = _SCHEME if hasattr(declaration, "scheme") else DECLARED_NAME
    if not form.fullmatch(name):
        yield f"is no name: {_NAME_FORM} are expected"
    if not str(getattr(declaration, "label", "given")).strip():
        yield "has no label"
    for kind, faults in _FAULTS.items():
        if isinstance(declaration, kind):
            yield from faults(declaration)


def schema_fault(model: Any, what: str) -> str | None:  # noqa: ANN401 - what a plugin handed in
    """Say why `model` makes no form; None when it does."""
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return f"{what} must be a pydantic model, found {model!r}"
    try:
        model.model_json_schema()
    except Exception as error:  # noqa: BLE001 - a plugin's model may raise anything here
        return f"{what} give no JSON schema: {error}"
    return None


def twice(names: Iterable[str]) -> list[str]:
    """Return the names that occur more than once."""
    return [name for name, count in Counter(names).items() if count > 1]


def is_secret(model: type[BaseModel], name: str) -> bool:
    """Whether `model` has a field `name` whose annotation holds a SecretStr."""
    found = model.model_fields.get(name)
    return found is not None and _holds_secret(found.annotation)


def _holds_secret(annotation: Any) -> bool:  # noqa: ANN401 - a type expression
    if annotation is SecretStr:
        return True
    return any(_holds_secret(part) for part in getattr(annotation, "__args__", ()))


def _of_connector_type(declared: ConnectorType[Any, Any]) -> Iterator[str]:
    if "." in declared.name:
        yield "must be one word: the first part of all names under it"
    fault = schema_fault(declared.settings, "settings")
    if fault:
        yield fault
    else:
        yield from _of_settings_references(declared)
    for query in declared.queries:
        if found := schema_fault(query.params, f"parameters of the query {query.name!r}"):
            yield found
    yield from _of_parts(declared)


def _of_settings_references(declared: ConnectorType[Any, Any]) -> Iterator[str]:
    limited_by, subscription = declared.limited_by, declared.subscription
    if limited_by and not is_secret(declared.settings, limited_by):
        yield f"limited_by names {limited_by!r}, which is no secret settings field"
    if subscription and not is_secret(declared.settings, subscription.secret_field):
        yield (
            f"the subscription's secret_field names {subscription.secret_field!r}, "
            "which is no secret settings field"
        )


def _of_parts(declared: ConnectorType[Any, Any]) -> Iterator[str]:
    parts: Mapping[str, Iterable[str]] = {
        "check": [one.name for one in declared.checks],
        "choice source": [one.name for one in declared.choices],
        "query": [one.name for one in declared.queries],
        "poller": [one.key for one in declared.pollers],
    }
    for word, names in parts.items():
        for name in twice(names):
            yield f"declares the {word} {name!r} twice"


def _of_object(declared: SourceObject) -> Iterator[str]:
    if "." not in declared.name:
        yield "must begin with its connector type: type.object"


def _of_field(declared: FieldSchema) -> Iterator[str]:
    if not _WORD.fullmatch(declared.key):
        yield f"the key {declared.key!r} must be one word"
    chosen = bool(declared.choices) or declared.choice_source is not None
    if declared.type is FieldType.CHOICE and not chosen:
        yield "is a choice field without choices"
    for value in twice(choice.value for choice in declared.choices):
        yield f"has the choice {value!r} twice"


def _of_action(declared: Action[Any, Any]) -> Iterator[str]:
    if not _WORD.fullmatch(declared.verb):
        yield f"the verb {declared.verb!r} must be one word"
    if fault := schema_fault(declared.params, "parameters"):
        yield fault
    if declared.repeat is Repeat.FIND_FIRST and declared.find is None:
        yield "is repeated by FIND_FIRST but has no find"
    if declared.calls < 1:
        yield f"must cost at least one vendor request, found calls={declared.calls}"


def _of_operator(declared: Operator) -> Iterator[str]:
    if not declared.types:
        yield "is for no field type"
    if "{field}" not in declared.sentence:
        yield "its sentence does not mention {field}"


def _of_template(declared: RulesetTemplate[Any]) -> Iterator[str]:
    if declared.version < 1:
        yield f"its version must be at least 1, found {declared.version}"
    if fault := schema_fault(declared.params, "parameters"):
        yield fault


_FAULTS: Mapping[type[Any], Callable[[Any], Iterator[str]]] = MappingProxyType(
    {
        ConnectorType: _of_connector_type,
        SourceObject: _of_object,
        FieldSchema: _of_field,
        Action: _of_action,
        Operator: _of_operator,
        RulesetTemplate: _of_template,
    }
)
