"""What a plugin declares: picked from the catalog, and printed for people."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from hub.cli.commands import forms
from hub.cli.show import Screen

Json = Mapping[str, Any]
_KINDS: Final = (
    "connector_types",
    "objects",
    "actions",
    "operators",
    "filters",
    "templates",
    "resolvers",
    "secret_backends",
)


def of(catalog: Json, plugin: str) -> dict[str, list[Any]]:
    """Return a plugin's declarations by kind; fields and triggers of others' objects apart."""
    found = {
        kind: [one for one in catalog.get(kind, ()) if one.get("plugin") == plugin]
        for kind in _KINDS
    }
    others = [one for one in catalog.get("objects", ()) if one.get("plugin") != plugin]
    for kind in ("fields", "triggers"):
        found[kind] = [one for obj in others for one in obj[kind] if one.get("plugin") == plugin]
    return {kind: listed for kind, listed in found.items() if listed}


def show(screen: Screen, declares: Mapping[str, Sequence[Json]]) -> None:
    """Print declarations: forms in columns, the rest by name."""
    for one in declares.get("connector_types", ()):
        _connector_type(screen, one)
    for one in declares.get("objects", ()):
        _head(screen, "Source object", one)
        _fields(screen, one["fields"])
        _names(screen, "Triggers", one["triggers"])
    for one in declares.get("actions", ()):
        _head(screen, "Action", one)
        _form(screen, one["params"])
    for one in declares.get("templates", ()):
        _head(screen, "Ruleset template", one)
        _form(screen, one["params"])
    _rest(screen, declares)


def _rest(screen: Screen, declares: Mapping[str, Sequence[Json]]) -> None:
    if declares.get("fields"):
        screen.line()
        screen.line("Fields of other plugins' objects")
        _fields(screen, declares["fields"], key="name")
    for kind, title in (
        ("triggers", "Triggers of other plugins' objects"),
        ("operators", "Operators"),
        ("filters", "Filters"),
        ("resolvers", "Resolvers"),
        ("secret_backends", "Secret backends"),
    ):
        if declares.get(kind):
            screen.line()
            _names(screen, title, declares[kind], indent="")


def _connector_type(screen: Screen, declared: Json) -> None:
    _head(screen, "Connector type", declared)
    _form(screen, declared["settings"])
    _names(screen, "Checks", declared["checks"])
    if declared["choices"]:
        screen.line(f"  Choices: {', '.join(declared['choices'])}")
    for one in declared["queries"]:
        _head(screen, "Query", one)
        _form(screen, one["params"])


def _head(screen: Screen, kind: str, declared: Json) -> None:
    screen.line()
    screen.line(f"{kind} {declared['name']} ({declared['label']})")


def _names(screen: Screen, title: str, listed: Sequence[Json], indent: str = "  ") -> None:
    if listed:
        screen.line(f"{indent}{title}:")
    for one in listed:
        name = one.get("name") or one.get("scheme")
        screen.line(f"{indent}  {name}{_said(one)}")


def _said(one: Json) -> str:
    told = one.get("sentence") or one.get("label") or one.get("source_object")
    return f" - {told}" if told else ""


def _fields(screen: Screen, fields: Sequence[Json], key: str = "key") -> None:
    rows = [(f"  {one[key]}", _field_kind(one), one["label"]) for one in fields]
    if rows:
        screen.table(rows, ("  Field", "Kind", "Label"))


def _field_kind(field: Json) -> str:
    choices = [str(one["value"]) for one in field["choices"]]
    words = [f"one of {', '.join(choices)}" if choices else field["type"]]
    words += [word for word in ("required", "writable", "secret") if field[word]]
    return "; ".join(words)


def _form(screen: Screen, schema: Json) -> None:
    rows = list(form_rows(schema))
    if rows:
        screen.table(rows, ("  Name", "Kind", "Default", "Meaning"))


def form_rows(schema: Json) -> Iterator[tuple[str, str, str, str]]:
    """Yield name, kind, default and meaning of each member of a form's JSON schema."""
    secret = forms.secrets(schema)
    for name, member in (schema.get("properties") or {}).items():
        words = [kind(member, schema.get("$defs") or {})]
        words += ["required"] if name in schema.get("required", ()) else []
        words += ["secret"] if name in secret else []
        told = ": ".join(one for one in (member.get("title"), member.get("description")) if one)
        yield f"  {name}", "; ".join(words), _default(member.get("default")), told


def kind(member: Json, definitions: Mapping[str, Json]) -> str:
    """Return in words what a member of a JSON schema takes."""
    if "$ref" in member:
        return kind(definitions.get(str(member["$ref"]).rpartition("/")[2], {}), definitions)
    if "enum" in member:
        return f"one of {', '.join(map(str, member['enum']))}"
    if "const" in member:
        return str(member["const"])
    parts = member.get("anyOf") or member.get("oneOf") or member.get("allOf")
    if parts:
        kinds = [kind(one, definitions) for one in parts if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if member.get("type") == "array":
        return f"list of {kind(member.get('items') or {}, definitions)}"
    words = {"string": "text", "integer": "whole number", "boolean": "yes or no", "object": "table"}
    return words.get(str(member.get("type")), str(member.get("type") or "anything"))


def _default(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)
