"""Print how well plugin and simulator agree with what others wrote: JSON lines.

    VENDOR_DATA=/path/to/vendor python plugins/salesforce/tests/conformance/run.py

`VENDOR_DATA` is the folder that has salesforce/ in it. simple-salesforce, and Node with the
packages of package.json, are used where they are; what is left out is said.
"""

import asyncio
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import sf_foreign
import sf_recordings
import sf_soql
from sf_server import served


@dataclass
class Report:
    """The figures, what failed, and what was left out."""

    figures: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def add(self, name: str, count: int) -> None:
        """Add to a figure."""
        self.figures[name] = self.figures.get(name, 0) + count


def main() -> int:
    """Print the figures; 1 when something does not agree."""
    sf_foreign.install_node()
    report = judged(vendor_folder())
    report.figures["failures"] = len(report.failures)
    for name, value in report.figures.items():
        line = {"figure": f"conformance.salesforce.{name}", "value": value, "unit": "count"}
        sys.stdout.write(json.dumps(line) + "\n")
    for text in [*report.failures, *(f"left out: {why}" for why in report.skipped)]:
        sys.stderr.write(f"{text}\n")
    return 1 if report.failures else 0


def judged(vendor: Path | None) -> Report:
    """Let everybody who is here judge."""
    report = Report(figures={"clients": 0, "calls": 0})
    _clients(report)
    _texts(report)
    if vendor is None:
        report.skipped.append("recordings: VENDOR_DATA does not name the folder of the data")
    else:
        found = sf_recordings.judged(vendor)
        report.add("recordings", found.calls)
        report.failures += found.failures
    return report


def vendor_folder() -> Path | None:
    """Return the folder of the recorded answers, where it is given."""
    given = os.environ.get("VENDOR_DATA", "")
    for folder in (Path(given) / "salesforce", Path(given)):
        if given and (folder / "cumulusci").is_dir():
            return folder
    return None


def _clients(report: Report) -> None:
    why = sf_foreign.missing_python()
    if why:
        report.skipped.append(why)
    else:
        import sf_simple  # noqa: PLC0415 - only where it is installed

        with served() as org:
            steps = sf_simple.drive(org)
        report.add("clients", 1)
        report.add("calls", steps.calls)
        report.failures += steps.failures
    if sf_foreign.missing_node() is None:
        with served() as org:
            found = sf_foreign.run_jsforce(org)
        report.add("clients", 1)
        report.add("calls", found["calls"])
        report.failures += found["failures"]


def _texts(report: Report) -> None:
    why = sf_foreign.missing_node()
    if why:
        report.skipped.append(f"jsforce and the parser: {why}")
        return
    soql = [*asyncio.run(sf_soql.statements()), *sf_soql.ACCEPTED]
    queries = [{"name": text, "rule": "query", "text": text} for text in soql]
    bad = [{"name": text, "rule": "query", "text": text} for text in sf_soql.REFUSED]
    files = sf_foreign.apex_texts()
    for one in sf_foreign.parse([*queries, *files]):
        report.failures += [f"{one['name']:.120}: {problem}" for problem in one["problems"]]
    for one in sf_foreign.parse(bad):
        if not one["problems"]:
            report.failures.append(f"the parser takes what the simulator refuses: {one['name']}")
    report.add("soql", len(queries) + len(bad))
    report.add("apex_files", len(files))


if __name__ == "__main__":
    sys.exit(main())
