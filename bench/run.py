"""Run benchmarks and keep their figures: `python -m bench.run [main rules …]`.

Each benchmark is a module of this package that prints JSON objects, one a line:
{"figure": "main.ready_s", "value": 1.9, "unit": "s"}. The lines are passed on as they come
and kept in bench/results/ with the machine they were measured on. The exit status is not 0
when a benchmark fails or a figure misses its limit ("limit" and "ok" beside the value).
"""

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent


def known() -> list[str]:
    """Return the names of the benchmarks: modules with a `main`."""
    files = [*HERE.glob("*.py"), *HERE.glob("*/__main__.py")]
    names = {file.stem if file.parent == HERE else file.parent.name for file in files}
    return sorted(name for name in names if name in ORDER)


ORDER = ("main", "rules", "engine", "faults")


def run(name: str) -> tuple[int, list[dict]]:
    """Run one benchmark in a process of its own; return its status and figures."""
    figures = []
    with subprocess.Popen(
        [sys.executable, "-m", f"bench.{name}"], stdout=subprocess.PIPE, text=True, cwd=HERE.parent
    ) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.startswith("{"):
                figures.append(json.loads(line))
    return process.returncode, figures


def keep(figures: list[dict]) -> Path:
    """Write the figures with what they were measured on."""
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    file = folder / f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}.json"
    machine = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "platform": platform.platform(),
    }
    file.write_text(json.dumps({"machine": machine, "figures": figures}, indent=1))
    return file


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all."""
    wanted = names or [name for name in ORDER if name in known()]
    unknown = sorted(set(wanted) - set(known()))
    if unknown:
        print(f"No benchmark {', '.join(unknown)}. Known: {', '.join(known())}", file=sys.stderr)
        return 2
    failed, figures = [], []
    for name in wanted:
        status, found = run(name)
        figures += found
        missed = [one["figure"] for one in found if one.get("ok") is False]
        failed += [name] if status else []
        failed += missed
    print(f"figures kept in {keep(figures).relative_to(HERE.parent)}", file=sys.stderr)
    if failed:
        print(f"failed or over the limit: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
