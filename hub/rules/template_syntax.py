"""The grammar of templates: text with {{ path | filter: arguments }}."""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from hub.rules.values import Json

MAX_SOURCE: Final = 8_192
MAX_EXPRESSIONS: Final = 50
MAX_FILTERS: Final = 10
_PATH: Final = re.compile(
    r"[A-Za-z_][A-Za-z0-9_-]*(?:\.(?:[A-Za-z_][A-Za-z0-9_-]*|[0-9]+))*", re.ASCII
)
_FILTER: Final = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?", re.ASCII)
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_ARGUMENT: Final = re.compile(
    r'"(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null', re.ASCII
)
_UP_TO: Final = re.compile(r"(?:(?!\||\}\}).){0,60}", re.DOTALL)


class TemplateFault(ValueError):
    """The template can not be used; `code` is that of a problem."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class FilterCall:
    """A filter's name and its arguments."""

    name: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Expression:
    """A path and what is done with its value."""

    path: str
    filters: tuple[FilterCall, ...]


def parse(source: str) -> list[str | Expression]:
    """Take a template apart in one pass; TemplateFault says what is wrong with it."""
    if len(source) > MAX_SOURCE:
        raise TemplateFault("template.syntax", f"longer than {MAX_SOURCE:,} characters")
    parts: list[str | Expression] = []
    at = 0
    while at < len(source):
        at = _next_part(source, at, parts)
    if sum(isinstance(part, Expression) for part in parts) > MAX_EXPRESSIONS:
        raise TemplateFault("template.syntax", f"more than {MAX_EXPRESSIONS} expressions")
    return _joined(parts)


def _next_part(source: str, at: int, parts: list[str | Expression]) -> int:
    opening = source.find("{{", at)
    if opening < 0:
        parts.append(source[at:])
        return len(source)
    if opening > at:
        parts.append(source[at:opening])
    if source.startswith("{{{{", opening):
        parts.append("{{")
        return opening + 4
    expression, end = _Reader(source, opening + 2).expression()
    parts.append(expression)
    return end


def _joined(parts: list[str | Expression]) -> list[str | Expression]:
    joined: list[str | Expression] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return joined


class _Reader:
    def __init__(self, source: str, at: int) -> None:
        self._source = source
        self._at = at

    def expression(self) -> tuple[Expression, int]:
        path = self._take(_PATH)
        if path is None:
            raise TemplateFault("template.syntax", f"not a field path: '{self._ahead()}'")
        filters: list[FilterCall] = []
        while self._skip("|"):
            filters.append(self._filter())
        if not self._skip("}}"):
            raise self._unclosed()
        if len(filters) > MAX_FILTERS:
            raise TemplateFault("template.syntax", f"more than {MAX_FILTERS} filters")
        return Expression(path, tuple(filters)), self._at

    def _filter(self) -> FilterCall:
        name = self._take(_FILTER)
        if name is None:
            raise TemplateFault("template.syntax", f"not a filter: '{self._ahead()}'")
        arguments: list[Any] = []
        if self._skip(":"):
            arguments.append(self._argument(name))
            while self._skip(","):
                arguments.append(self._argument(name))
        return FilterCall(name, tuple(arguments))

    def _argument(self, name: str) -> Json:
        written = self._take(_ARGUMENT)
        try:
            if written is not None:
                return json.loads(written, strict=False)
        except ValueError:
            pass
        found = self._ahead()
        raise TemplateFault("template.syntax", f"{name}: not a JSON value: '{found}'")

    def _take(self, what: re.Pattern[str]) -> str | None:
        self._blank()
        found = what.match(self._source, self._at)
        if found is None:
            return None
        self._at = found.end()
        return found[0]

    def _skip(self, mark: str) -> bool:
        self._blank()
        if not self._source.startswith(mark, self._at):
            return False
        self._at += len(mark)
        return True

    def _blank(self) -> None:
        blank = _SPACE.match(self._source, self._at)
        self._at = blank.end() if blank else self._at

    def _ahead(self) -> str:
        found = _UP_TO.match(self._source, self._at)
        return found[0].strip() if found else ""

    def _unclosed(self) -> TemplateFault:
        rest = self._ahead()
        if "}}" not in self._source[self._at :]:
            return TemplateFault("template.syntax", "}} missing")
        return TemplateFault("template.syntax", f"not a field path: '{rest}'")
