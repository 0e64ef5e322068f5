"""How much of the five products works: `python -m tests.parity`.

The list is docs/reference/parity.md. Tests name the rows they prove with
`@pytest.mark.covers("SF-004")`, pages with `<!-- covers: SF-013 SF-014 -->`.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "docs" / "reference" / "parity.md"
TOTAL = 388
PRODUCTS = {
    "SF": "Salesforce Service Cloud",
    "RF": "BMC Remedyforce",
    "IM": "im connector",
    "SK": "StackFlow",
    "PC": "PagerDuty Connect",
}
_ROW = re.compile(r"^\| ([A-Z]{2}-\d{3}) \| (.+?) \| (\w+) \|$", flags=re.MULTILINE)
_PAGE_MARK = re.compile(r"<!-- covers: ([^>]*?) -->")


class Row(NamedTuple):
    """One thing that a product did."""

    id: str
    text: str
    state: str


def rows(text: str | None = None) -> list[Row]:
    """Return the rows of the list."""
    return [Row(*one) for one in _ROW.findall(LIST.read_text() if text is None else text)]


def covered(root: Path = ROOT) -> dict[str, list[str]]:
    """Return which tests and pages cover which ids: id -> places."""
    places: dict[str, list[str]] = {}
    for file in _test_files(root):
        for name, line in _marked(file):
            places.setdefault(name, []).append(f"{file.relative_to(root)}:{line}")
    for page in _page_files(root):
        for mark in _PAGE_MARK.findall(page.read_text(encoding="utf-8")):
            for name in mark.split():
                places.setdefault(name, []).append(str(page.relative_to(root)))
    return places


def _test_files(root: Path) -> Iterator[Path]:
    yield from sorted((root / "tests").rglob("test_*.py"))
    yield from sorted((root / "plugins").glob("*/tests/**/test_*.py"))


def _page_files(root: Path) -> Iterator[Path]:
    yield from sorted((root / "docs").rglob("*.md"))
    yield from sorted((root / "plugins").glob("*/README.md"))


def _marked(file: Path) -> Iterator[tuple[str, int]]:
    """Yield the ids of each `…mark.covers("…", …)` with its line."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.covers"):
            for argument in node.args:
                yield str(ast.literal_eval(argument)), node.lineno


def problems(listed: list[Row], places: dict[str, list[str]]) -> list[str]:
    """Return what is wrong: rows missing or twice, states unproven, ids that do not exist."""
    counts = Counter(row.id for row in listed)
    found = [f"{name} is listed {count} times" for name, count in counts.items() if count > 1]
    if len(counts) != TOTAL:
        found.append(f"{len(counts)} rows are listed, {TOTAL} are expected")
    found += [
        f"{row.id}: the state is works or open, found {row.state!r}"
        for row in listed
        if row.state not in {"works", "open"}
    ]
    found += [
        f"{row.id} is marked as working and covered by nothing"
        for row in listed
        if row.state == "works" and row.id not in places
    ]
    found += [
        f"{name} is covered by {', '.join(where)} and does not exist"
        for name, where in sorted(places.items())
        if name not in counts
    ]
    return found


def summary(listed: list[Row]) -> str:
    """Return how many rows work, by product and in all."""
    lines = []
    for prefix, product in PRODUCTS.items():
        own = [row for row in listed if row.id.startswith(prefix)]
        works = sum(row.state == "works" for row in own)
        lines.append(f"{product:<26}{works:>4} / {len(own)}")
    return "\n".join([*lines, f"works {sum(row.state == 'works' for row in listed)} / {TOTAL}"])


def unclaimed(listed: list[Row], places: dict[str, list[str]]) -> list[str]:
    """Return the ids that something covers and that are still marked as open."""
    return [row.id for row in listed if row.state == "open" and row.id in places]


if __name__ == "__main__":
    if waiting := unclaimed(rows(), covered()):
        print(f"covered and still open: {' '.join(waiting)}")  # noqa: T201 - its purpose
    print(summary(rows()))  # noqa: T201 - its purpose
