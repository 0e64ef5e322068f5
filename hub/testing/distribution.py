"""What the kit asks of a plugin's files: its page, its payloads, its cost of import."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TypedDict

from hub.testing.compatibility import breaking_changes
from hub.testing.subject import Subject

HEADINGS = (
    "Prerequisites",
    "Permissions",
    "Set up",
    "What it can do",
    "Limits",
    "Troubleshooting",
)
_IMPORT = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
import time
started = time.process_time()
import hub
own = time.process_time() - started
import httpx
opened = []
def watch(event, arguments):
    if event in {"socket.connect", "socket.bind", "subprocess.Popen", "os.system"}:
        opened.append(event)
    elif event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        if "__pycache__" not in str(arguments[0]):
            opened.append(f"open {arguments[0]!r} for writing")
sys.addaudithook(watch)
started = time.process_time()
__import__(sys.argv[2])
print(json.dumps({"took": time.process_time() - started, "own": own, "opened": opened,
                  "heavy": sorted({"fastapi", "sqlalchemy", "starlette"} & set(sys.modules))}))
"""
MOST_S, MOST_TIMES = 0.15, 5


def distribution_folder(start: Path) -> Path | None:
    """Return the nearest folder at or above `start` that has a pyproject.toml."""
    for folder in (start, *start.parents):
        if (folder / "pyproject.toml").is_file():
            return folder
    return None


def page_faults(folder: Path | None) -> list[str]:
    """Find headings that the plugin's README lacks."""
    readme = folder / "README.md" if folder else None
    if readme is None or not readme.is_file():
        return ["There is no README.md beside the plugin's pyproject.toml."]
    lines = readme.read_text(encoding="utf-8").splitlines()
    given = {line.lstrip("#").strip() for line in lines if line.startswith("#")}
    return [f"README.md has no heading {one!r}" for one in HEADINGS if one not in given]


def leak_faults(subject: Subject, folder: Path) -> list[str]:
    """Find payload files and cassettes that hold a secret of the settings."""
    files = [one for one in sorted(folder.rglob("*")) if one.suffix in {".json", ".yaml", ".yml"}]
    return [
        f"{file.relative_to(folder)} holds a secret of the settings"
        for file in files
        if any(secret in file.read_text(encoding="utf-8") for secret in subject.secrets())
    ]


def import_faults(plugin: ModuleType, *, tries: int = 8) -> list[str]:
    """Find what importing the plugin opens, and whether it takes too long beyond the hub.

    Processor time is counted, and `import hub` on the same machine is the measure: a busy
    or a slow machine does not change their ratio.
    """
    if find_spec(plugin.__name__) is None:
        return [f"{plugin.__name__} can't be imported by its name"]
    found = [_imported(plugin.__name__) for _ in range(tries)]
    took = min(one["took"] for one in found)
    allowed = max(MOST_S, MOST_TIMES * min(one["own"] for one in found))
    opened, heavy = found[0]["opened"], found[0]["heavy"]
    return [
        *(f"importing it does: {one}" for one in opened),
        *(f"importing it loads {one}" for one in heavy),
        *(
            [f"importing it takes {took:.2f} s, {allowed:.2f} s are allowed"]
            if took > allowed
            else []
        ),
    ]


class _Import(TypedDict):
    took: float
    own: float
    opened: list[str]
    heavy: list[str]


def _imported(name: str) -> _Import:
    done = subprocess.run(  # noqa: S603 - this interpreter, our own text
        [sys.executable, "-c", _IMPORT, json.dumps(sys.path), name],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: _Import = json.loads(done.stdout.splitlines()[-1])
    return found


def settings_faults(subject: Subject, folder: Path | None) -> list[str]:
    """Find saved settings that are no longer accepted (settings.schema.json)."""
    file = folder / "settings.schema.json" if folder else None
    if file is None or not file.is_file():
        return []
    saved = json.loads(file.read_text(encoding="utf-8"))
    found = []
    for name, declared in subject.connector_types.items():
        old = saved.get(name) if "properties" not in saved else saved
        if old is not None:
            found += breaking_changes(old, declared.settings.model_json_schema())
    return found
