"""What pydantic finds wrong, told as the hub tells it: found, expected, what is known here."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, get_args

from pydantic import BaseModel

from hub.errors import Fault

Path = Sequence[str | int]

_PREFIXES: Final = ("Value error, ", "Assertion failed, ")
_OBJECTS: Final = {"model_type", "model_attributes_type", "dict_type", "dataclass_type"}
_KINDS: Final[tuple[tuple[Any, str], ...]] = (
    (bool, "true or false"),
    (str, "text"),
    (int | float, "a number"),
    (Mapping, "an object"),
    (list | tuple, "a list"),
    (type(None), "null"),
)


def pointer_of(parts: Iterable[object]) -> str:
    """Return the JSON pointer of a path: ("rules", 0, "a/b") -> /rules/0/a~1b."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


def fault_of(
    error: Mapping[str, Any], *, path: Path | None = None, model: object = None, before: str = ""
) -> Fault:
    """Return the fault of one of pydantic's errors.

    `path` replaces the error's own; with the `model` that was asked for, a member that does
    not exist is answered with those that do. A value is never repeated, as it may be a secret.
    """
    where: Path = error["loc"] if path is None else path
    return Fault(f"{before}{pointer_of(where)}", text_of(error, where, model), error["type"])


def text_of(error: Mapping[str, Any], where: Path = (), model: object = None) -> str:
    """Return the text alone."""
    kind, given = error["type"], error.get("input")
    if kind == "extra_forbidden":
        return no_such(str(where[-1]) if where else "", members(model, where[:-1]))
    if kind == "missing":
        return "It is needed and was not given."
    if kind in _OBJECTS:
        return f"An object is expected, {_found(given)}. Send JSON as application/json."
    text = str(error["msg"])
    for prefix in _PREFIXES:
        text = text.removeprefix(prefix)
    return f"{text}, {_found(given)}." if kind.endswith(("_type", "_parsing")) else text


def no_such(name: str, names: Iterable[str], what: str = "member") -> str:
    """Say that a name is unknown, with the nearest known one or with all of them."""
    known = sorted(names)
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"There is no {what} {name!r}. Did you mean {near[0]!r}?"
    offered = f" Known here: {', '.join(known)}." if known else ""
    return f"There is no {what} {name!r} here.{offered}"


def members(model: object, path: Path) -> tuple[str, ...]:
    """Return the names that a model has at a path; none when that can't be told."""
    found = _model_in(model)
    for part in path:
        if found is None:
            return ()
        if isinstance(part, str):
            field = found.model_fields.get(part)
            found = _model_in(field.annotation) if field else None
    return tuple(one.alias or name for name, one in found.model_fields.items()) if found else ()


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((one for one in map(_model_in, get_args(annotation)) if one), None)


def _found(value: object) -> str:
    return f"found {next((name for kind, name in _KINDS if isinstance(value, kind)), 'something')}"
