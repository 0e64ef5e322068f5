"""Texts searched for many things at once: RE2, re2.Set, Aho-Corasick."""

from typing import Final

import re2

MAX_PATTERN: Final = 512
MAX_PROGRAM: Final = 10_000
_HINT: Final = "Look-around, back-references and repeats over 1000 are not supported."


class PatternRefused(ValueError):
    """RE2 does not take the pattern, or it is too large."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Pattern:
    """A tenant's regular expression, compiled by RE2; equal ones are equal."""

    __slots__ = ("_compiled", "ignore_case", "pattern")

    def __init__(self, pattern: str, *, ignore_case: bool) -> None:
        if len(pattern) > MAX_PATTERN:
            raise PatternRefused("regex.too_long", f"At most {MAX_PATTERN} characters.")
        self.pattern = pattern
        self.ignore_case = ignore_case
        try:
            self._compiled = re2.compile(pattern, options(ignore_case=ignore_case))
        except (re2.error, UnicodeEncodeError) as error:
            said = _message(error)
            raise PatternRefused("regex.invalid", f'RE2: {said} at "{pattern}". {_HINT}') from error
        if self._compiled.programsize > MAX_PROGRAM:
            raise PatternRefused(
                "regex.too_big", f"The pattern needs more than {MAX_PROGRAM:,} instructions."
            )

    def search(self, text: str) -> bool:
        """Tell whether the pattern is found anywhere in the text."""
        return self._compiled.search(text) is not None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and (self.pattern, self.ignore_case) == (
            other.pattern,
            other.ignore_case,
        )

    def __hash__(self) -> int:
        return hash((self.pattern, self.ignore_case))

    def __str__(self) -> str:
        return self.pattern


def options(*, ignore_case: bool) -> re2.Options:
    """Give RE2's options for a condition."""
    made = re2.Options()
    made.case_sensitive = not ignore_case
    made.log_errors = False
    return made


def _message(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
