"""Trie: rules without a usable key; a condition that many share is tested once an event."""

from typing import Final, TypeAlias

from hub.rules.conditions import NodeOrLeaf, OperatorFailed
from hub.rules.entries import Entry
from hub.rules.tables import Found
from hub.rules.view import View

Rest: TypeAlias = tuple[NodeOrLeaf, ...]
BURST: Final = 8


class _Knot:
    """Rules that share what was tested so far; too many are parted by their next condition."""

    __slots__ = ("edges", "ends", "rules")

    def __init__(self) -> None:
        self.ends: Found = {}
        self.rules: dict[Entry, Rest] = {}
        self.edges: dict[NodeOrLeaf, _Knot] = {}

    def find(self, view: View, found: Found) -> None:
        found.update(self.ends)
        for entry, rest in self.rules.items():
            try:
                for one in rest:
                    if not one.check(view):
                        break
                else:
                    found[entry] = None
            except OperatorFailed as failed:
                view.note_failure(entry.id, failed)
        for one, knot in self.edges.items():
            try:
                met = one.check(view)
            except OperatorFailed as failed:
                view.note_failure("", failed)
                continue
            if met:
                knot.find(view, found)

    def add(self, entry: Entry, rest: Rest) -> None:
        if not rest:
            self.ends[entry] = None
        elif rest[0] in self.edges:
            self.edges[rest[0]].add(entry, rest[1:])
        else:
            self.rules[entry] = rest
            if len(self.rules) > BURST:
                self._burst()

    def _burst(self) -> None:
        parted, self.rules = self.rules, {}
        for entry, rest in parted.items():
            self.edges.setdefault(rest[0], _Knot()).add(entry, rest[1:])

    def remove(self, entry: Entry, rest: Rest) -> None:
        if not rest:
            del self.ends[entry]
        elif entry in self.rules:
            del self.rules[entry]
        else:
            knot = self.edges[rest[0]]
            knot.remove(entry, rest[1:])
            if not (knot.ends or knot.rules or knot.edges):
                del self.edges[rest[0]]


class Trie:
    """Rules by their conditions, the most shared ones first."""

    __slots__ = ("_order", "_root")

    def __init__(self) -> None:
        self._root = _Knot()
        self._order: dict[Entry, Rest] = {}

    def add(self, entry: Entry, rest: Rest) -> None:
        """File a rule."""
        ordered = tuple(sorted(rest, key=_rank))
        self._order[entry] = ordered
        self._root.add(entry, ordered)

    def remove(self, entry: Entry) -> None:
        """Take a rule out."""
        self._root.remove(entry, self._order.pop(entry))

    def find(self, view: View, found: Found) -> None:
        """Add the rules whose conditions hold."""
        self._root.find(view, found)


def _rank(one: NodeOrLeaf) -> tuple[int, float, int]:
    return -one.uses, one.weight, one.id
