"""Index: which rules an event concerns."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from hub.rules.conditions import OperatorFailed
from hub.rules.entries import Entry
from hub.rules.finders import Upkeep
from hub.rules.level import Level, Shape
from hub.rules.tables import Found
from hub.rules.view import View

_FEW: Final = 3
_SETS: Final = 8


class Index:
    """Finds the entries whose conditions an event meets.

    Rules of few triggers are filed once a trigger. Rules of many are filed once for their
    set of triggers, while the plan has few such sets.
    """

    def __init__(self, shape: Shape | None = None) -> None:
        self._shape = shape or Shape()
        self._levels: dict[object, Level] = {}
        self._by_trigger: dict[str, tuple[Level, ...]] = {}
        self._single: dict[frozenset[str], tuple[object, ...]] = {}
        self._sets: set[frozenset[str]] = set()
        self._objects: dict[str, Counter[str]] = {}

    def add(self, entry: Entry) -> None:
        """File an entry."""
        entry.filed = self._under(entry.triggers)
        for one in entry.rest:
            one.uses += 1
        for trigger in entry.triggers:
            self._objects.setdefault(trigger, Counter())[entry.object] += 1
        for name in entry.filed:
            self._level(name).add(entry, entry.rest)

    def remove(self, entry: Entry) -> None:
        """Take an entry out."""
        for one in entry.rest:
            one.uses -= 1
        for trigger in entry.triggers:
            self._objects[trigger] -= Counter((entry.object,))
        for name in entry.filed:
            self._levels[name].remove(entry, entry.rest)
        entry.filed = ()

    def objects(self, trigger: str) -> Counter[str]:
        """Count by object the rules on a trigger."""
        return self._objects.get(trigger, _NONE)

    def find(self, view: View) -> Found:
        """Find the entries that the view's event concerns."""
        found: Found = {}
        for level in self._by_trigger.get(view.facts.trigger, ()):
            level.find(view, found)
        return found

    def settle(self) -> None:
        """Build everything that finds texts and patterns."""
        for level in self._levels.values():
            level.settle()

    def upkeep(self) -> Iterator[Upkeep]:
        """Give the buildings that would make finding quicker."""
        for level in self._levels.values():
            yield from level.upkeep()

    def _under(self, triggers: frozenset[str]) -> tuple[object, ...]:
        if len(triggers) <= _FEW:
            return self._singly(triggers)
        if triggers not in self._sets and len(self._sets) >= _SETS:
            return self._singly(triggers)
        self._sets.add(triggers)
        return (triggers,)

    def _singly(self, triggers: frozenset[str]) -> tuple[object, ...]:
        known = self._single.get(triggers)
        if known is None:
            known = self._single[triggers] = tuple(triggers)
        return known

    def _level(self, name: object) -> Level:
        level = self._levels.get(name)
        if level is None:
            level = self._levels[name] = Level(self._shape)
            for trigger in name if isinstance(name, frozenset) else (str(name),):
                self._by_trigger[trigger] = (*self._by_trigger.get(trigger, ()), level)
        return level


_NONE: Final[Counter[str]] = Counter()


def holds(entry: Entry, view: View) -> bool:
    """Test an entry directly; a failing operator keeps the rule from matching."""
    try:
        return all(one.check(view) for one in entry.rest)
    except OperatorFailed:
        return False
