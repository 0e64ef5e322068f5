"""Parameters made up from a model, where the author gave none."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

_BY_FORMAT = {
    "date-time": "2025-03-01T09:30:00Z",
    "date": "2025-03-01",
    "time": "09:30:00",
    "duration": "PT5M",
    "email": "somebody@acme.example",
    "uri": "https://acme.example/",
    "uuid": "01890000-0000-7000-8000-000000000000",
}


def sample(model: type[BaseModel]) -> dict[str, Any]:
    """Return the least that `model` accepts: required members only, examples first."""
    schema = model.model_json_schema(by_alias=True)
    found: dict[str, Any] = _value(schema, schema.get("$defs", {}))
    return found


def _value(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    schema = _resolved(schema, defs)
    for word in ("examples", "enum"):
        if schema.get(word):
            return schema[word][0]
    for word in ("const", "default"):
        if word in schema:
            return schema[word]
    return _by_type(schema, defs)


def _resolved(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in schema:
        return _resolved(defs[schema["$ref"].rpartition("/")[2]], defs)
    options = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if options and "type" not in schema:
        chosen = next((one for one in options if one.get("type") != "null"), options[0])
        return _resolved({**schema, "anyOf": None, "oneOf": None, "allOf": None, **chosen}, defs)
    return schema


def _by_type(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    match schema.get("type"):
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "array":
            return [_value(schema.get("items", {}), defs)] * max(1, schema.get("minItems", 1))
        case "object":
            required = schema.get("required", ())
            members = schema.get("properties", {})
            return {name: _value(members[name], defs) for name in required}
        case _:
            text = _BY_FORMAT.get(schema.get("format", ""), "text")
            return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength", 200)]
