"""The scenario judged: shapes seen, deviations allowed, failures left."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pd_deviations import DEVIATIONS, REPAIRS, Deviation
from pd_oracle import Exchange, Finding, judge, load
from pd_scenario import played
from pd_sweep import swept


@dataclass
class Judgement:
    """What the published documents say of everything that went over the wire."""

    shapes: set[str] = field(default_factory=set)
    responses: int = 0
    deviations: set[Deviation] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)


def allowed() -> int:
    """Return how many differences from the published documents are allowed."""
    return len(REPAIRS) + len(DEVIATIONS)


def judged(folder: Path) -> Judgement:
    """Play the scenario and judge every exchange."""
    oracles, found = load(folder), Judgement()
    for one in played():
        known = next(
            (
                o.operation(one.method, one.path)
                for o in oracles
                if o.operation(one.method, one.path)
            ),
            None,
        )
        template = known[0] if known else one.path
        found.shapes.add(shape_of(one, template))
        found.responses += 1
        for finding in judge(oracles, one):
            _file(found, finding)
    for one in swept()[0]:
        found.responses += 1
        for finding in judge(oracles, one):
            _file(found, finding)
    unused = set(DEVIATIONS) - found.deviations
    found.failures += [f"no longer needed: {one}" for one in sorted(unused)]
    found.failures = sorted(set(found.failures))
    return found


def shape_of(one: Exchange, template: str) -> str:
    """Return the operation with the names of what it was asked with."""
    names = sorted({key for key, _ in one.query} - {"limit", "offset", "cursor"})
    return f"{one.method} {template} ?{','.join(names)} {','.join(_members(one.body))}"


def _members(body: Any) -> list[str]:
    if not isinstance(body, dict):
        return []
    inner = [value for value in body.values() if isinstance(value, dict)]
    return sorted(inner[0] if len(body) == 1 and inner else body)


def _file(found: Judgement, finding: Finding) -> None:
    for one in DEVIATIONS:
        about = f"{finding.where} {finding.message}"
        if one.operation == finding.operation and one.about in about:
            found.deviations.add(one)
            return
    found.failures.append(f"{finding.operation}: {finding.where}: {finding.message}")
