"""A connector type's settings model: which of its fields are secret, and what is wrong in values.

Paths are dotted: `custom.api_key`. Pure.
"""

import json
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel, SecretBytes, SecretStr, ValidationError

from hub.errors import Fault
from hub.http.faults import fault_of, members, no_such, pointer_of

Values = dict[str, Any]
_UNIONS: Final = (Union, types.UnionType)
_PACKED: Final = "\x00"  # begins what is JSON and not text; no text from outside has one


def secret_paths(model: type[BaseModel]) -> frozenset[str]:
    """Return the paths of all secret fields."""
    return frozenset(_secret_paths(model, ""))


def _secret_paths(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        if _mentions_secret(field.annotation):
            yield path
            continue
        nested = nested_model(field.annotation)
        if nested is not None:
            yield from _secret_paths(nested, f"{path}.")


def _mentions_secret(annotation: Any) -> bool:  # noqa: ANN401 - any annotation
    if isinstance(annotation, type) and issubclass(annotation, SecretStr | SecretBytes):
        return True
    return any(_mentions_secret(one) for one in get_args(annotation))


def nested_model(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any annotation
    """Return the model that a field holds (possibly optional), or None."""
    if _is_model(annotation):
        return annotation
    if get_origin(annotation) in _UNIONS:
        models = [one for one in get_args(annotation) if _is_model(one)]
        return models[0] if len(models) == 1 else None
    return None


def _is_model(annotation: Any) -> TypeGuard[type[BaseModel]]:  # noqa: ANN401 - any annotation
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def split(values: Mapping[str, Any], secrets: Iterable[str]) -> tuple[Values, dict[str, str]]:
    """Take the secret values out: (plain values, path -> secret text)."""
    plain: Values = json.loads(json.dumps(values))
    taken: dict[str, str] = {}
    for path in sorted(secrets):
        value = _pop(plain, path.split("."))
        if value not in (None, "", []):
            taken[path] = value if isinstance(value, str) else _PACKED + json.dumps(value)
    return plain, taken


def join(plain: Mapping[str, Any], secrets: Mapping[str, str]) -> Values:
    """Put secret values back into their places."""
    whole: Values = json.loads(json.dumps(plain))
    for path, text in secrets.items():
        *parents, last = path.split(".")
        place: Values = whole
        for part in parents:
            inner = place.setdefault(part, {})
            place = inner if isinstance(inner, dict) else place
        place[last] = _read(text)
    return whole


def plain_of(settings: BaseModel) -> Values:
    """Return a model's values with the secrets readable, as `split` takes them."""
    values: Values = settings.model_dump(mode="json", by_alias=True, exclude_unset=True)
    readable = settings.model_dump(mode="python", by_alias=True, exclude_unset=True)
    for path in secret_paths(type(settings)):
        *parents, last = path.split(".")
        place, source = values, readable
        for part in parents:
            place, source = place.get(part) or {}, source.get(part) or {}
        if last in place:
            place[last] = _revealed(source[last])
    return values


def _revealed(value: Any) -> Any:  # noqa: ANN401 - secrets, or collections of them
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, SecretBytes):
        return value.get_secret_value().decode()
    if isinstance(value, list | tuple):
        return [_revealed(one) for one in value]
    return value


def _read(text: str) -> Any:  # noqa: ANN401 - a text, or the JSON that was packed into it
    return json.loads(text.removeprefix(_PACKED)) if text.startswith(_PACKED) else text


def _pop(values: Values, parts: list[str]) -> Any:  # noqa: ANN401 - any JSON
    place: Any = values
    for part in parts[:-1]:
        place = place.get(part) if isinstance(place, dict) else None
    return place.pop(parts[-1], None) if isinstance(place, dict) else None


def merged(old: Mapping[str, Any], change: Mapping[str, Any]) -> Values:
    """Return `old` with a JSON merge patch (RFC 7396) applied."""
    result: Values = dict(old)
    for key, value in change.items():
        before = result.get(key)
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            result[key] = merged(before if isinstance(before, Mapping) else {}, value)
        else:
            result[key] = value
    return result


def check(model: type[BaseModel], values: Mapping[str, Any]) -> BaseModel | list[Fault]:
    """Return the validated settings, or every fault with its pointer."""
    strangers = _unknown(model, values, "")
    try:
        settings = model.model_validate(values)
    except ValidationError as error:
        return [*(_fault(one, model) for one in error.errors(include_url=False)), *strangers]
    return strangers or settings


def _unknown(model: type[BaseModel], values: Mapping[str, Any], at: str) -> list[Fault]:
    if model.model_config.get("extra") in {"allow", "forbid"}:
        return []  # welcome, or already refused by the model
    known = {field.alias or name: field for name, field in model.model_fields.items()}
    names = known.keys() | model.model_fields.keys()
    faults = [
        Fault(f"{at}{pointer_of([name])}", no_such(name, names, "setting"), "unknown_setting")
        for name in values
        if name not in names
    ]
    for name, field in known.items():
        nested, inner = nested_model(field.annotation), values.get(name)
        if nested is not None and isinstance(inner, Mapping):
            faults += _unknown(nested, inner, f"{at}{pointer_of([name])}")
    return faults


def _fault(error: Mapping[str, Any], model: type[BaseModel]) -> Fault:
    where = error["loc"]
    if error["type"] == "extra_forbidden":
        text = no_such(str(where[-1]), members(model, where[:-1]), "setting")
        return Fault(pointer_of(where), text, "unknown_setting")
    return fault_of(error)
