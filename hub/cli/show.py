"""What commands print: plain columns and marks for people, JSON for programs."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TextIO

_GREEN: Final = "32"
_RED: Final = "31"
_YELLOW: Final = "33"
_DIM: Final = "2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """Standard output and standard error, in the manner that was asked for.

    With `json` only `data` prints to standard output; with `quiet` only data and failures
    are printed. Every mark comes with words, so nothing depends on colour.
    """

    json: bool = False
    quiet: bool = False
    color: bool = False
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)

    def line(self, text: str = "") -> None:
        """Print a line for people."""
        if not (self.json or self.quiet):
            print(text, file=self.out, flush=True)

    def done(self, text: str) -> None:
        """Print a line for something that was done."""
        self.line(f"{self._paint('✓', _GREEN)} {text}")

    def failed(self, text: str, fix: str = "") -> None:
        """Print a line for something that failed, and what to do about it."""
        self.line(f"{self._paint('✗', _RED)} {text}")
        if fix:
            self.line(f"  Fix: {fix}")

    def warn(self, text: str) -> None:
        """Print a warning."""
        self.line(f"{self._paint('!', _YELLOW)} {text}")

    def skipped(self, text: str) -> None:
        """Print a line for something that was left out."""
        self.line(f"{self._paint('-', _DIM)} {text}")

    def data(self, value: object) -> None:
        """Print JSON, whatever the manner."""
        print(json.dumps(value, indent=2, ensure_ascii=False), file=self.out, flush=True)

    def text(self, text: str) -> None:
        """Print text that is itself what was asked for."""
        print(text, file=self.out, flush=True)

    def table(self, rows: Iterable[Sequence[object]], header: Sequence[str]) -> None:
        """Print columns, header first, two spaces apart."""
        cells = [[_cell(value) for value in row] for row in rows]
        widths = [
            max(_width(row[index]) for row in [list(header), *cells])
            for index in range(len(header))
        ]
        self.line(self._paint(_columns(header, widths), _DIM))
        for row in cells:
            self.line(_columns(row, widths))

    def facts(self, pairs: Mapping[str, object]) -> None:
        """Print `Name: value` lines."""
        for name, value in pairs.items():
            self.line(f"{name}: {_cell(value)}")

    def failure(self, cause: str, details: Sequence[str] = (), fix: str = "") -> None:
        """Print to standard error what went wrong and what to do, also when quiet."""
        for line in (f"{self._paint('✗', _RED)} {cause}", *details):
            print(line, file=self.err)
        if fix:
            print(f"Fix: {fix}", file=self.err)
        self.err.flush()

    def _paint(self, text: str, color: str) -> str:
        return f"\x1b[{color}m{text}\x1b[0m" if self.color else text


def shown(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return a JSON value as people read it: text in quotes, nothing as `(empty)`."""
    if value is None or value == "":
        return "(empty)"
    if isinstance(value, str):
        return f'"{value}"'
    return json.dumps(value, ensure_ascii=False)


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value) or "-"
    return str(value).replace("\n", " ")


def _columns(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True)
    )
    return "  ".join(padded).rstrip()


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 - only for wide characters

    return cell_len(text)
