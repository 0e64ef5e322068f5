"""State: what the handles of one plan share - entries, their homes, the index."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from hub.rules.compiler import Compiler
from hub.rules.conditions import Leaf, NodeOrLeaf, OperatorFailed
from hub.rules.entries import Entry, Home, source_of
from hub.rules.facts import Facts
from hub.rules.finders import Upkeep
from hub.rules.index import Index, holds
from hub.rules.level import Shape
from hub.rules.matches import Disagreement, Failure, Match
from hub.rules.model import Rule, Ruleset
from hub.rules.schema import Schema
from hub.rules.tables import Found
from hub.rules.view import View
from hub.rules.views import Picture, act, pictures, still_true
from hub.sdk.events import RecordRef

_KEPT_FAILURES: Final = 1_000


class State:
    """What the handles of one plan share."""

    def __init__(self, schema: Schema, shape: Shape | None = None) -> None:
        self.compiler = Compiler(schema)
        self.entries: dict[str, Entry] = {}
        self._members: dict[str, dict[str, Entry]] = {}
        self._homes: dict[str, Home] = {}
        self._shape = shape
        self._failures: dict[Failure, None] = {}
        self._failing: Counter[str] = Counter()
        self._index = Index(shape)

    def replace(self, ruleset: Ruleset) -> dict[str, Entry | None]:
        """Put a ruleset in the place of what is there of it; say what was there."""
        home = self._home(ruleset)
        kept = {rule.id for rule in ruleset.rules}
        gone = [one for one in self._of(home) if one.id not in kept]
        undo: dict[str, Entry | None] = {one.id: self._remove(one) for one in gone}
        for place, rule in zip(_places(ruleset.rules), ruleset.rules, strict=True):
            undo |= self._put(rule, home, place)
        return undo

    def drop(self, ruleset_id: str) -> dict[str, Entry | None]:
        """Take a ruleset out; say what was there."""
        home = self._homes.pop(ruleset_id, None)
        return {one.id: self._remove(one) for one in self._of(home)} if home else {}

    def reorder(self, order: Iterable[str]) -> None:
        """Put the rulesets into the tenant's order."""
        for place, ruleset_id in enumerate(order):
            if ruleset_id in self._homes:
                self._homes[ruleset_id].order = place

    def change(
        self, add: Iterable[Rule], remove: Iterable[str], ruleset: Ruleset | None
    ) -> dict[str, Entry | None]:
        """Add, replace and remove rules; say what was there."""
        undo: dict[str, Entry | None] = {}
        for rule_id in remove:
            if rule_id in self.entries:
                undo[rule_id] = self._remove(self.entries[rule_id])
        given = self._same_home(ruleset) if ruleset else None
        for rule in add:
            there = self.entries.get(rule.id or "")
            home = given or (there.home if there else self._first_home())
            undo = self._put(rule, home, rule.position) | undo
        return undo

    def _same_home(self, ruleset: Ruleset) -> Home:
        known = self._homes.get(ruleset.id)
        if known is None:
            return self._home(ruleset)
        if known.state != ruleset.state:
            raise ValueError(f"the state of ruleset '{known.name}' changed: use with_rulesets")
        known.name, known.version = ruleset.name, ruleset.version
        return known

    def _first_home(self) -> Home:
        return min(self._homes.values(), key=lambda one: one.order)

    def _home(self, ruleset: Ruleset) -> Home:
        known = self._homes.get(ruleset.id)
        last = max((one.order for one in self._homes.values()), default=-1)
        order = last + 1 if known is None else known.order
        home = Home(ruleset.id, ruleset.name, ruleset.version, ruleset.state, order)
        self._homes[ruleset.id] = home
        return home

    def _of(self, home: Home) -> list[Entry]:
        return list(self._members.get(home.id, {}).values())

    def _put(self, rule: Rule, home: Home, place: int) -> dict[str, Entry | None]:
        known = self.entries.get(rule.id or "")
        if known is not None and known.source == source_of(rule) and known.home.live == home.live:
            del self._members[known.home.id][known.id]
            known.home, known.place = home, place
            self._members.setdefault(home.id, {})[known.id] = known
            return {}
        before = self._remove(known) if known is not None else None
        entry = self.compiler.entry(rule, home, place)
        self.entries[entry.id] = entry
        self._members.setdefault(home.id, {})[entry.id] = entry
        if entry.live:
            self._index.add(entry)
        return {entry.id: before}

    def _remove(self, entry: Entry) -> Entry:
        del self.entries[entry.id]
        del self._members[entry.home.id][entry.id]
        if entry.live:
            self._index.remove(entry)
        return entry

    def settle(self) -> None:
        """Build everything that finds texts and patterns."""
        self._index.settle()

    def upkeep(self) -> Iterator[Upkeep]:
        """Give the buildings that would make matching quicker."""
        return self._index.upkeep()

    def find(self, view: View) -> Found:
        """Find the entries whose conditions hold for one picture; nothing is planned."""
        return self._index.find(view)

    def take_failures(self) -> list[Failure]:
        """Give the operators that raised since last time."""
        taken, self._failures = list(self._failures), {}
        return taken

    def take_failing(self) -> Counter[str]:
        """Count by operator the events on which it raised since last time."""
        taken, self._failing = self._failing, Counter()
        return taken

    def _note(self, view: View) -> None:
        named: set[str] = set()
        for rule_id, failed in view.failures:
            if isinstance(failed, OperatorFailed):
                leaf = failed.leaf
                named.add(leaf.operator.name)
                if len(self._failures) < _KEPT_FAILURES:
                    kind = type(failed.__cause__).__name__
                    noted = Failure(leaf.operator.name, leaf.name, rule_id, str(failed), kind)
                    self._failures.setdefault(noted, None)
        self._failing.update(named)

    def disagreements(self, facts: Facts) -> list[Disagreement]:
        """Compare the index with direct evaluation on one event."""
        view = View(facts, self.compiler.schema)
        found = self.find(view)
        live = (one for one in self.entries.values() if one.live and facts.trigger in one.triggers)
        return [
            Disagreement(one.id, one in found, operators_of(one.rest))
            for one in live
            if holds(one, view) is not (one in found)
        ]

    def distrust(self, operators: Collection[str]) -> None:
        """File all rules anew, without the keys of these operators."""
        self.compiler.conditions.distrust(operators)
        self._index = Index(self._shape)
        for one in self.entries.values():
            if one.live:
                self._index.add(one)
        self.settle()

    def match(self, facts: Facts) -> list[Match]:
        """Find the rules that fire, in order, with the actions they want."""
        found: list[Firing] = []
        about = self._index.objects(facts.trigger)
        for picture in pictures(facts, self.compiler.schema, about):
            for entry in self.find(picture.view):
                if picture.shows(entry.object) and not still_true(entry, picture.view):
                    ref = picture.about(entry.object)
                    found.append(Firing(entry.order, picture.number, entry, picture, ref))
            if picture.view.failures:
                self._note(picture.view)
        if len(found) > 1:
            found.sort(key=_in_order)
        return [self._match(one) for one in unstopped(found)]

    def _match(self, found: "Firing") -> Match:
        home = found.entry.home
        return Match(
            ruleset=home.id,
            ruleset_version=home.version,
            rule=found.entry.id,
            about=found.about,
            shadow=home.state == "shadow",
            actions=act(found.entry, found.picture, self.compiler),
        )


def operators_of(parts: Iterable[NodeOrLeaf]) -> frozenset[str]:
    """Name the operators of conditions and groups."""
    named: set[str] = set()
    for one in parts:
        named |= {one.operator.name} if isinstance(one, Leaf) else operators_of(one.kids)
    return frozenset(named)


class Firing(NamedTuple):
    """An entry whose conditions hold for a picture."""

    order: tuple[int, int]
    number: int
    entry: Entry
    picture: Picture
    about: RecordRef | None


def _in_order(found: Firing) -> tuple[tuple[int, int], int]:
    return found.order, found.number


def unstopped(found: Sequence[Firing]) -> list[Firing]:
    """Leave out what comes after a rule that ends its ruleset for this event."""
    stopped: dict[str, str] = {}
    kept: list[Firing] = []
    for one in found:
        home = one.entry.home.id
        if stopped.get(home, one.entry.id) == one.entry.id:
            kept.append(one)
            if one.entry.stop:
                stopped[home] = one.entry.id
    return kept


def _places(rules: Sequence[Rule]) -> Sequence[int]:
    """Give the rules' own positions where they say the order, else their places."""
    own = [rule.position for rule in rules]
    return own if all(one < other for one, other in pairwise(own)) else range(len(rules))
