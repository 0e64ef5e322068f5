"""Problems: what is wrong with a rule, and where."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import ValidationError

Severity = Literal["error", "warning"]
_KIDS: Final = frozenset({"group", "condition"})
_OPERANDS: Final = frozenset({"scalar", "list", "field", "from_to"})
_SCALARS: Final = frozenset({"str", "int", "float", "bool"})
_WORDS: Final[Mapping[str, str]] = {
    "missing": "is required",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "union_tag_invalid": "must be a condition or a group",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong; `pointer` (RFC 6901) says where in the request body."""

    pointer: str
    code: str
    message: str
    severity: Severity = "error"


def pointer(base: str, *steps: object) -> str:
    """Extend a JSON pointer."""
    return base + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def shape_problems(error: ValidationError, base: str) -> list[Problem]:
    """Put what the model found into our words, without its library's."""
    found: dict[tuple[str, str], Problem] = {}
    for one in error.errors(include_url=False):
        problem = _shape_problem(one, base)
        found.setdefault((problem.pointer, problem.code), problem)
    return list(found.values())


def _shape_problem(error: Mapping[str, Any], base: str) -> Problem:
    steps = list(_steps(error["loc"]))
    kind = error["type"]
    if kind == "extra_forbidden":
        message = f"unknown member '{steps.pop()}'"
    elif kind == "value_error":
        message = str(error["ctx"]["error"])
    else:
        message = _WORDS.get(kind) or _with_limit(kind, error.get("ctx") or {}, error["msg"])
    return Problem(pointer=pointer(base, *steps), code=f"schema.{_code(kind)}", message=message)


def _steps(location: tuple[int | str, ...]) -> Iterator[int | str]:
    """Leave out what the model's unions add to a location."""
    before: int | str = ""
    for step in location:
        kid = isinstance(before, int) and step in _KIDS
        operand = before == "value" and step in _OPERANDS
        if not (kid or operand or step in _SCALARS):
            yield step
        before = step


def _code(kind: str) -> str:
    if kind == "missing":
        return "required"
    if kind == "extra_forbidden":
        return "unknown"
    return "type" if kind.endswith("_type") else "value"


def _with_limit(kind: str, context: Mapping[str, Any], said: str) -> str:
    if kind in {"too_long", "string_too_long"}:
        return f"takes at most {context['max_length']}"
    if kind in {"too_short", "string_too_short"}:
        return "must not be empty"
    if kind == "string_pattern_mismatch":
        return "is not written as such a name is"
    if kind == "literal_error":
        return f"must be {context['expected']}"
    if kind in {"greater_than_equal", "less_than_equal"}:
        return (
            f"must be {'at least' if 'ge' in context else 'at most'} {next(iter(context.values()))}"
        )
    return said[:1].lower() + said[1:]
