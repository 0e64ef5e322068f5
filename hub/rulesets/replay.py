"""What rules would have done with past events, counted: the pure half of what-if."""

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from hub.rules import Facts, Linked, Match, Plan, PlannedAction
from hub.sdk.events import RecordRef

MOST_DIFFERENT: Final = 100
_FEWER: Final = 0.2


class Did(NamedTuple):
    """An action that was really done for an event: a run of the ledger that was not skipped."""

    rule: str
    action: str
    connector: str


class Happened(NamedTuple):
    """A past event with what the rules saw then, and what came of it."""

    number: int
    at: datetime
    facts: Facts
    did: tuple[Did, ...]


@dataclass(order=True, slots=True)
class _Different:
    size: int
    number: int
    said: dict[str, Any] = field(compare=False)


@dataclass(slots=True)
class Replay:
    """Goes through past events in their order and counts; `report` can be asked at any time."""

    plan: Plan
    names: Mapping[str, str]
    calls_of: Mapping[str, int]
    quota: Mapping[str, float]
    simulate: bool = True
    read: int = 0
    without_facts: int = 0
    matched: int = 0
    acted: int = 0
    lost: int = 0
    then: Counter[str] = field(default_factory=Counter)
    now: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    calls: dict[str, Counter[str]] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    _made: dict[RecordRef, list[tuple[str, RecordRef]]] = field(default_factory=dict)
    _different: list[_Different] = field(default_factory=list)

    def take(self, happened: Iterable[Happened]) -> None:
        """Count more events; they come in their order."""
        for one in happened:
            self._take(one)

    def _take(self, one: Happened) -> None:
        self.read += 1
        facts = self._with_made(one.facts)
        matches = self.plan.match(facts)
        self.matched += bool(matches)
        self.acted += bool(one.did)
        self.then.update(did.action for did in one.did)
        would = [did for match in matches for did in self._would(match, facts, one.at)]
        self.lost += bool(one.did) and not would
        self._compare(one, matches, would)

    def _with_made(self, facts: Facts) -> Facts:
        """Add the records that earlier events would have made."""
        made = self._made.get(facts.record)
        if not made:
            return facts
        linked: dict[str, tuple[Linked, ...]] = dict(facts.linked)
        for connector, ref in made:
            there = linked.get(ref.source_object, ())
            if not any(one.connector == connector for one in there):
                linked[ref.source_object] = (*there, Linked(ref=ref, connector=connector))
        return replace(facts, linked=linked)

    def _would(self, match: Match, facts: Facts, at: datetime) -> list[Did]:
        self.rules[match.rule] += 1
        found = []
        for planned in match.actions:
            why = planned.failed or planned.skipped or _already(planned, facts)
            if why is not None:
                self.skipped[why] += 1
                continue
            self._count(planned, facts, at)
            found.append(Did(match.rule, planned.action, planned.connector))
        return found

    def _count(self, planned: PlannedAction, facts: Facts, at: datetime) -> None:
        self.now[planned.action] += 1
        day = self.calls.setdefault(planned.connector, Counter())
        day[at.date().isoformat()] += self.calls_of.get(planned.action, 1)
        if self.simulate and planned.unless_linked:
            ref = RecordRef(source_object=planned.target, id=f"would-be-{planned.key}")
            self._made.setdefault(facts.record, []).append((planned.connector, ref))

    def _compare(self, one: Happened, matches: Sequence[Match], would: Sequence[Did]) -> None:
        then = Counter((did.action, did.connector) for did in one.did)
        now = Counter((did.action, did.connector) for did in would)
        size = sum(((then - now) + (now - then)).values())
        full = len(self._different) >= MOST_DIFFERENT
        if not size or (full and size <= self._different[0].size):
            return
        concerned = {match.rule for match in matches} | {did.rule for did in one.did}
        said = {
            "event": one.facts.event_id,
            "at": one.at.isoformat(),
            "trigger": one.facts.trigger,
            "record": f"{one.facts.record.source_object}:{one.facts.record.id}",
            "then": [did._asdict() for did in one.did],
            "now": [did._asdict() for did in would],
            "traces": [
                trace.as_json()
                for rule in sorted(concerned & set(self.names))
                for trace in self.plan.explain(one.facts, rule)
            ],
        }
        push = heapq.heapreplace if full else heapq.heappush
        push(self._different, _Different(size, -one.number, said))

    def report(self) -> dict[str, Any]:
        """Return what was found, as it is shown."""
        actions = sorted(self.then.keys() | self.now.keys())
        return {
            "events": self.read,
            "without_facts": self.without_facts,
            "matches": {"then": self.acted, "now": self.matched},
            "effects": [_effect(name, self.then[name], self.now[name]) for name in actions],
            "skipped": dict(self.skipped),
            "calls": [self._calls(name) for name in sorted(self.calls)],
            "rules": [
                {"rule": rule, "name": name, "matches": self.rules[rule]}
                for rule, name in self.names.items()
            ],
            "never_matched": [name for rule, name in self.names.items() if not self.rules[rule]],
            "different": [one.said for one in sorted(self._different, reverse=True)],
            "warnings": self._warnings(),
            "notes": [
                "Services, value maps and other tables are those of today; no vendor was asked."
            ],
        }

    def _calls(self, connector: str) -> dict[str, Any]:
        days = self.calls[connector]
        quota = self.quota.get(connector)
        over = [day for day, count in days.items() if quota is not None and count > quota]
        return {
            "connector": connector,
            "total": sum(days.values()),
            "days": dict(days),
            "quota_a_day": quota,
            "days_over_quota": sorted(over),
        }

    def _warnings(self) -> list[str]:
        found = []
        if self.acted and self.lost > _FEWER * self.acted:
            share = self.lost / self.acted
            found.append(f"{share:.0%} of the events that were acted on would not be any more.")
        found += [
            f"On some days {name} would get more calls than it allows."
            for name in sorted(self.calls)
            if self._calls(name)["days_over_quota"]
        ]
        if self.without_facts:
            text = f"{self.without_facts} events were left out: it is not kept what rules saw then."
            found.append(text)
        return found


def _already(planned: PlannedAction, facts: Facts) -> str | None:
    if not planned.unless_linked:
        return None
    there = facts.linked.get(planned.target, ())
    linked = any(one.connector == planned.connector for one in there)
    return "already linked" if linked else None


def _effect(action: str, then: int, now: int) -> dict[str, Any]:
    return {"action": action, "then": then, "now": now, "difference": now - then}
