"""A tenant's regular expressions: RE2, and the literal text a pattern can not do without."""

import re
from functools import lru_cache
from typing import Final

import re2

MAX_PATTERN: Final = 512
MAX_PROGRAM: Final = 10_000
SHORTEST_LITERAL: Final = 3
_DEEPEST: Final = 40
_KEPT: Final = 2_048
_TOO_BIG: Final = f"The pattern needs more than {MAX_PROGRAM:,} instructions."
_HINT: Final = "Look-around, back-references and repeats over 1000 are not supported."


class PatternRefused(ValueError):
    """RE2 does not take the pattern, or it is too large."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Pattern:
    """A tenant's regular expression, checked; equal ones are equal.

    What RE2 compiled is kept for the patterns used last, so that many patterns do not
    hold much memory.
    """

    __slots__ = ("ignore_case", "pattern")

    def __init__(self, pattern: str, *, ignore_case: bool) -> None:
        if len(pattern) > MAX_PATTERN:
            raise PatternRefused("regex.too_long", f"At most {MAX_PATTERN} characters.")
        self.pattern = pattern
        self.ignore_case = ignore_case
        try:
            program = _compiled(pattern, ignore_case).programsize
        except (re2.error, UnicodeEncodeError) as error:
            raise _refusal(pattern, _message(error)) from error
        if program > MAX_PROGRAM:
            raise PatternRefused("regex.too_big", _TOO_BIG)

    def search(self, text: str) -> bool:
        """Tell whether the pattern is found anywhere in the text."""
        return _compiled(self.pattern, self.ignore_case).search(text) is not None

    def __eq__(self, other: object) -> bool:
        mine = (self.pattern, self.ignore_case)
        return isinstance(other, Pattern) and mine == (other.pattern, other.ignore_case)

    def __hash__(self) -> int:
        return hash((self.pattern, self.ignore_case))

    def __repr__(self) -> str:
        return f"Pattern({self.pattern!r}, ignore_case={self.ignore_case})"


@lru_cache(maxsize=_KEPT)
def _compiled(pattern: str, ignore_case: bool) -> "re2._Regexp":  # noqa: FBT001  a cache's key
    return re2.compile(pattern, options(ignore_case=ignore_case))


def options(*, ignore_case: bool, max_mem: int | None = None) -> re2.Options:
    """Give RE2's options for a condition."""
    made = re2.Options()
    made.case_sensitive = not ignore_case
    made.log_errors = False
    if max_mem is not None:
        made.max_mem = max_mem
    return made


def _refusal(pattern: str, said: str) -> PatternRefused:
    if said.startswith("pattern too large"):
        return PatternRefused("regex.too_big", _TOO_BIG)
    return PatternRefused("regex.invalid", f'RE2: {said} at "{pattern}". {_HINT}')


def _message(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


# --------------------------------------------------------------------------- literals

_CLASS: Final = re.compile(r"\[\^?\]?(?:\\.|\[:\^?[a-z]+:\]|[^\]\\])*\]", re.DOTALL)
_QUANTIFIER: Final = re.compile(r"(?:[*+?]|\{(?P<least>\d+)(?:,\d*)?\})\??")
_GROUP: Final = re.compile(r"\((?!\?)|\(\?:|\(\?P?<[A-Za-z_]\w*>")
_NAMED_ESCAPE: Final = re.compile(
    r"\\(?:[pP](?:\{\^?\w+\}|\w)|x(?:\{[0-9A-Fa-f]+\}|[0-9A-Fa-f]{2})|\w)"
)


def literal_of(pattern: Pattern) -> str | None:
    """Find the longest text that every match contains, of three characters or more.

    Folded where the pattern ignores case; then plain ASCII only, where RE2's folding and
    Python's agree. Whatever is not understood counts as "no such text".
    """
    try:
        runs = _Scanner(pattern.pattern).runs()
    except _NotUnderstood:
        return None
    if pattern.ignore_case:
        runs = [run.casefold() for run in runs if run.isascii()]
    best = max(runs, key=len, default="")
    return best if len(best) >= SHORTEST_LITERAL else None


class _NotUnderstood(Exception):
    """The pattern uses something that this reader does not know."""


class _Scanner:
    """Reads RE2's syntax as far as it is certain what a match must contain."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._depth = 0

    def runs(self) -> list[str]:
        """List the texts that every match contains."""
        runs = self._sequence()
        if self._at != len(self._pattern):
            raise _NotUnderstood
        return runs

    def _sequence(self) -> list[str]:
        """Read up to the end or the closing bracket; alternatives promise nothing."""
        runs: list[str] = []
        run = ""
        choice = False
        while self._at < len(self._pattern) and self._pattern[self._at] != ")":
            if self._pattern[self._at] == "|":
                self._at += 1
                choice = True
                continue
            literal, inner = self._atom()
            least = self._least()
            if literal is not None and least == 1:
                run += literal
                continue
            runs.append(run)
            run = ""
            runs += inner if least else []
        return [] if choice else [*runs, run]

    def _atom(self) -> tuple[str | None, list[str]]:
        """Read one atom: a literal character, or what it promises at least."""
        sign = self._pattern[self._at]
        if sign == "(":
            return None, self._group()
        if sign == "[":
            return self._skipped(_CLASS)
        if sign == "\\":
            return self._escape()
        self._at += 1
        return (None, []) if sign in ".^$" else (sign, [])

    def _group(self) -> list[str]:
        self._skipped(_GROUP)
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _NotUnderstood
        runs = self._sequence()
        self._depth -= 1
        self._at += 1
        return runs

    def _escape(self) -> tuple[str | None, list[str]]:
        following = self._pattern[self._at + 1 : self._at + 2]
        if (following and following in "QEC") or following.isdigit():
            raise _NotUnderstood
        if following.isalpha() or following == "_":
            return self._skipped(_NAMED_ESCAPE)
        self._at += 2
        return following, []

    def _skipped(self, what: re.Pattern[str]) -> tuple[None, list[str]]:
        found = what.match(self._pattern, self._at)
        if found is None:
            raise _NotUnderstood
        self._at = found.end()
        return None, []

    def _least(self) -> int:
        """Read a quantifier: 0 = may be absent, 1 = none or exactly as written, 2 = repeated."""
        found = _QUANTIFIER.match(self._pattern, self._at)
        if found is None:
            return 1
        self._at = found.end()
        if _QUANTIFIER.match(self._pattern, self._at):
            raise _NotUnderstood
        if found["least"] is not None:
            return 2 if int(found["least"]) else 0
        return 2 if found[0][0] == "+" else 0
