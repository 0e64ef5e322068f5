"""What people type for settings and parameters: `key=value`, JSON, `@file`, `-`."""

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import typer
import yaml

from hub.cli.failure import Failed, Usage
from hub.cli.show import Screen


class _Yaml(yaml.SafeLoader):
    """YAML whose only booleans are `true` and `false`: a rule's `on` is a name, not a yes."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own attribute, never changed
        first: [(tag, pattern) for tag, pattern in listed if not tag.endswith(":bool")]
        for first, listed in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Yaml.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def pairs(
    given: Iterable[str], *, secret: Iterable[str] = (), screen: Screen | None = None
) -> dict[str, Any]:
    """Read `key=value` arguments.

    `key=-` asks for the value without echo, `key=@file` reads it from a file; values that
    begin with `[` or `{` are JSON. Members of groups are written with dots: `poll.enabled=true`.
    A secret given on the line draws a warning.
    """
    found: dict[str, Any] = {}
    for one in given:
        key, equals, text = one.partition("=")
        if not equals or not key:
            raise Usage(f"{one!r} is not of the form key=value.")
        if screen and key in secret and text not in ("", "-") and text[0] != "@":
            screen.warn(f"The value of {key} is now in the shell's history; {key}=- asks for it.")
        _put(found, key.split("."), _value(key, text))
    return found


def document(given: str) -> Any:  # noqa: ANN401 - JSON
    """Read a JSON or YAML document: the text itself, `@file`, or `-` for standard input."""
    text = _text(given)
    try:
        return yaml.load(text, Loader=_Yaml)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        place = " ".join(str(error).split())
        raise Failed(f"This is neither JSON nor YAML: {place}", "Correct it and repeat.") from error


def mapping(given: str) -> dict[str, Any]:
    """Read a document that is an object."""
    found = document(given)
    if not isinstance(found, Mapping):
        raise Failed(
            f"Expected an object with named members, found {type(found).__name__}.",
            "Give JSON in braces, @file, or - for standard input.",
        )
    return dict(found)


def _value(key: str, text: str) -> Any:  # noqa: ANN401 - JSON
    if text == "-":
        return ask_secret(key)
    if text.startswith("@"):
        return _read(Path(text[1:]))
    if text.startswith(("[", "{")):
        try:
            return json.loads(text)
        except ValueError as error:
            raise Usage(f"The value of {key} is not JSON: {error}.") from error
    return text


def ask_secret(title: str) -> str:
    """Ask for a secret without echo; from a pipe, read one line."""
    if sys.stdin.isatty():
        return str(typer.prompt(title, hide_input=True))
    line = sys.stdin.readline()
    if not line:
        raise Usage(f"There is no line left on standard input for {title}.")
    return line.rstrip("\n")


def _text(given: str) -> str:
    if given == "-":
        return sys.stdin.read()
    if given.startswith("@"):
        return _read(Path(given[1:]))
    return given


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise Failed(f"{file} can't be read ({reason}).", "Check the file's name.") from error


def _put(into: dict[str, Any], keys: list[str], value: object) -> None:
    for key in keys[:-1]:
        into = into.setdefault(key, {})
        if not isinstance(into, dict):
            raise Usage(f"{key} is given both as a value and as a group.")
    into[keys[-1]] = value
