"""What matching answers: matches with planned actions, and traces that explain."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from hub.sdk.events import RecordRef


@dataclass(frozen=True, slots=True)
class PlannedAction:
    """An action that a matched rule wants; nothing has been done yet.

    `params` are JSON; those named in `late` are finished by `render_late` before the run.
    `target` is the object the action makes or acts on. `skipped` says why there is nothing
    to do ("no linked PagerDuty incident"), `failed` why the run is given up at once.
    `notes` say what happened to values on the way.
    """

    index: int
    action: str
    connector: str
    record: RecordRef | None
    params: Mapping[str, Any]
    late: frozenset[str]
    unless_linked: bool
    on_error: str
    key: str
    target: str = ""
    skipped: str | None = None
    failed: str | None = None
    notes: tuple[str, ...] = ()


class Match(NamedTuple):
    """A rule that fires; `about` is the linked record it is about, if it is not the event's."""

    ruleset: str
    ruleset_version: int
    rule: str
    about: RecordRef | None
    shadow: bool
    actions: tuple[PlannedAction, ...]


class Trace(NamedTuple):
    """A condition or group as it was tested; `text` is in plain words."""

    met: bool
    kind: str
    text: str
    field: str | None = None
    expected: Any = None
    actual: Any = None
    prior: Any = None
    reason: str | None = None
    children: tuple["Trace", ...] = ()
    op: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Give the trace as JSON."""
        if self.kind == "condition":
            names = ("field", "op", "text", "expected", "actual", "prior", "met", "reason")
            return {"kind": "condition"} | {name: getattr(self, name) for name in names}
        children = [child.as_json() for child in self.children]
        return {"kind": self.kind, "met": self.met, "text": self.text, "children": children}


class RuleTrace(NamedTuple):
    """Why a rule fired or not for one event (and one linked record, `about`).

    `met` is what its conditions say, before any `stop`; `skipped` names the switch that kept
    a met or unmet rule from acting; `because` says what decided, in plain words.
    """

    event: str
    plan: int
    ruleset: str
    ruleset_version: int
    rule: str
    name: str
    about: RecordRef | None
    met: bool
    fired: bool
    because: str
    skipped: str | None
    conditions: Trace
    actions: tuple[PlannedAction, ...] = ()
    near: bool = False
    calls: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Give the trace as JSON, as it is stored and shown."""
        about = self.about and f"{self.about.source_object}:{self.about.id}"
        rule = {"id": self.rule, "name": self.name, "ruleset": self.ruleset}
        return {
            "event": self.event,
            "plan": self.plan,
            "rule": rule | {"version": self.ruleset_version},
            "about": about,
            "met": self.met,
            "fired": self.fired,
            "because": self.because,
            "skipped": self.skipped,
            "near": self.near,
            "conditions": self.conditions.as_json(),
            "actions": [self._action(at, one) for at, one in enumerate(self.actions)],
        }

    def _action(self, at: int, planned: PlannedAction) -> dict[str, Any]:
        outcome = planned.failed or planned.skipped
        return {
            "index": planned.index,
            "do": planned.action,
            "connector": planned.connector,
            "record": planned.record and f"{planned.record.source_object}:{planned.record.id}",
            "with": dict(planned.params),
            "late": sorted(planned.late),
            "unless_linked": planned.unless_linked,
            "calls": self.calls[at] if at < len(self.calls) else 1,
            "notes": list(planned.notes),
            "outcome": outcome or "planned",
        }


class Failure(NamedTuple):
    """An operator that raised; `rule` is "" where several rules share the condition.

    `error` is the kind of what it raised.
    """

    operator: str
    field: str
    rule: str
    message: str
    error: str = ""


class Disagreement(NamedTuple):
    """A rule that the index judged otherwise than direct evaluation, and its operators."""

    rule: str
    found: bool
    operators: frozenset[str]


def run_key(
    event: str, rule: str, index: int, about: RecordRef | None, record: RecordRef | None
) -> str:
    """Name a run: the same for the same event, rule, action and records, for ever."""
    parts = (event, rule, str(index), _written(about), _written(record))
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()[:20]
    return "h" + base64.b32encode(digest).decode().lower()


def _written(ref: RecordRef | None) -> str:
    return f"{ref.source_object}:{ref.id}" if ref else ""
