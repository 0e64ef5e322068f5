"""Where the product's files are."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (ROOT / "hub", *sorted((ROOT / "plugins").glob("*/src")))
PLUGINS = tuple(sorted(one.parent for one in (ROOT / "plugins").glob("*/pyproject.toml")))
DOCS = ROOT / "docs"


def modules() -> Iterator[Path]:
    """Yield the product's Python files."""
    for source in SOURCES:
        yield from sorted(source.rglob("*.py"))


def suites() -> Iterator[Path]:
    """Yield the test files of the hub and its plugins."""
    yield from sorted((ROOT / "tests").rglob("*.py"))
    for plugin in PLUGINS:
        yield from sorted((plugin / "tests").rglob("*.py"))


def pages() -> Iterator[Path]:
    """Yield the pages that people read."""
    yield from sorted(ROOT.glob("*.md"))
    yield from sorted(DOCS.rglob("*.md"))
    yield from (plugin / "README.md" for plugin in PLUGINS)


def shown(file: Path) -> str:
    """Return a file's path as a message shows it."""
    return file.relative_to(ROOT).as_posix()


@cache
def parsed(file: Path) -> ast.Module:
    """Return a file's syntax tree."""
    return ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


def tracked() -> list[Path]:
    """Return the files under version control; without git, all that may be."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        return [*modules(), *suites(), *pages()]
    names = listed.stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]
