"""Level: tables of keys, buckets that split when rules pile up, and a trie for the rest."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from hub.rules.conditions import NodeOrLeaf, OperatorFailed
from hub.rules.cover import DEAR, Cover, cover
from hub.rules.entries import Entry
from hub.rules.finders import Upkeep
from hub.rules.keys import TABLES, Equal, Sought
from hub.rules.tables import Found, Places, Table, TableId
from hub.rules.trie import Trie
from hub.rules.view import View

Rest: TypeAlias = tuple[NodeOrLeaf, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """When a bucket splits, and how deep levels go."""

    split: int = 24
    depth: int = 4


class Bucket:
    """Rules found by one key, with the conditions that the key does not prove."""

    __slots__ = ("rules",)

    def __init__(self) -> None:
        self.rules: dict[Entry, Rest] = {}

    def find(self, view: View, found: Found) -> None:
        """Add the rules whose remaining conditions hold."""
        for entry, rest in self.rules.items():
            try:
                for one in rest:
                    if not one.check(view):
                        break
                else:
                    found[entry] = None
            except OperatorFailed as failed:
                view.note_failure(entry.id, failed)

    def remove(self, entry: Entry, _: Rest) -> None:
        """Take a rule out."""
        del self.rules[entry]

    def __len__(self) -> int:
        return len(self.rules)


class Level:
    """Finds rules by the cheapest keys that cover them; the rest is in the trie.

    `path` are the keys that whoever comes here has hit: what they say is not asked again.
    """

    __slots__ = (
        "_depth", "_equal", "_folded_equal", "_path", "_probes", "_shape", "_size", "_tables",
        "_trie",
    )  # fmt: skip

    def __init__(
        self, shape: Shape, *, depth: int = 0, path: frozenset[object] = frozenset()
    ) -> None:
        self._shape = shape
        self._depth = depth
        self._path = path
        self._size = 0
        self._tables: dict[TableId, Table] = {}
        self._equal: tuple[tuple[str, Places], ...] = ()
        self._folded_equal: tuple[tuple[str, Places], ...] = ()
        self._probes: tuple[Callable[[View, Found], None], ...] = ()
        self._trie: Trie | None = None

    def __len__(self) -> int:
        return self._size

    # ----------------------------------------------------------------- finding

    def find(self, view: View, found: Found) -> None:
        """Add the rules that the event concerns."""
        new = view.new
        for name, buckets in self._equal:
            bucket = buckets.get(new.get(name))
            if bucket is not None:
                bucket.find(view, found)
        for name, buckets in self._folded_equal:
            bucket = buckets.get(view.folded[name])
            if bucket is not None:
                bucket.find(view, found)
        for probe in self._probes:
            probe(view, found)
        if self._trie is not None:
            self._trie.find(view, found)

    # ----------------------------------------------------------------- changing

    def add(self, entry: Entry, rest: Rest) -> None:
        """File a rule under the keys of its cheapest condition."""
        self._size += 1
        chosen = self._chosen(rest)
        if chosen is None:
            self._trie = self._trie or Trie()
            self._trie.add(entry, rest)
            return
        for (name, place), (path, left) in self._filings(chosen, rest).items():
            self._file(self._tables[name], place, path, (entry, left))

    def remove(self, entry: Entry, rest: Rest) -> None:
        """Take a rule out; it is looked for where it was filed."""
        self._size -= 1
        chosen = self._chosen(rest)
        if chosen is None:
            if self._trie is not None:
                self._trie.remove(entry)
            return
        for (name, place), (_, left) in self._filings(chosen, rest).items():
            self._unfile(name, place, (entry, left))

    def _chosen(self, rest: Rest) -> tuple[NodeOrLeaf, Cover] | None:
        """Choose the condition whose keys are hit least often."""
        best: tuple[NodeOrLeaf, Cover] | None = None
        for one in rest:
            found = cover(one)
            if found is None or (best is not None and found.cost >= best[1].cost):
                continue
            if not self._path or all(key.path not in self._path for key in found.keys):
                best = one, found
        return best if best is None or not self._depth or best[1].cost <= DEAR else None

    def _filings(
        self, chosen: tuple[NodeOrLeaf, Cover], rest: Rest
    ) -> dict[tuple[TableId, object], tuple[object, Rest]]:
        """Name the places of a rule, and what is left to be tested at each."""
        pivot, found = chosen
        proven = tuple(one for one in rest if one is not pivot)
        filings: dict[tuple[TableId, object], tuple[object, Rest]] = {}
        for key in found.keys:
            table, exact = self._table(key.table), key.exact and found.pivot
            for place in table.places(key.value):
                left = proven if exact and table.proves(place) else rest
                at = key.table, place
                if at not in filings or len(left) > len(filings[at][1]):
                    filings[at] = key.path, left
        return filings

    def _file(self, table: Table, place: object, path: object, what: tuple[Entry, Rest]) -> None:
        spot = table.buckets.get(place)
        if spot is None:
            spot = table.buckets[place] = Bucket()
            table.opened(place)
        if isinstance(spot, Level):
            spot.add(*what)
        elif isinstance(spot, Bucket):
            spot.rules[what[0]] = what[1]
            if len(spot.rules) > self._shape.split and self._depth < self._shape.depth:
                table.buckets[place] = self._split(spot, path)

    def _split(self, bucket: Bucket, path: object) -> "Level":
        level = Level(self._shape, depth=self._depth + 1, path=self._path | {path})
        for entry, rest in bucket.rules.items():
            level.add(entry, rest)
        return level

    def _unfile(self, name: TableId, place: object, what: tuple[Entry, Rest]) -> None:
        table = self._tables[name]
        spot = table.buckets[place]
        if isinstance(spot, (Bucket, Level)):
            spot.remove(*what)
            if not len(spot):
                del table.buckets[place]
                table.closed(place)

    def _table(self, name: TableId) -> Table:
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = TABLES[name.kind](name)
            self._arrange()
        return table

    def _arrange(self) -> None:
        equal = [one for one in self._tables.values() if isinstance(one, Equal)]
        self._equal = tuple((one.field, one.buckets) for one in equal if not one.folded)
        self._folded_equal = tuple((one.field, one.buckets) for one in equal if one.folded)
        self._probes = tuple(
            one.probe for one in self._tables.values() if not isinstance(one, Equal)
        )

    # ----------------------------------------------------------------- upkeep

    def settle(self) -> None:
        """Build all finders."""
        for table in self._sought():
            table.settle()

    def upkeep(self) -> Iterator[Upkeep]:
        """Give the buildings that would pay."""
        for table in self._sought():
            job = table.upkeep()
            if job is not None:
                yield job

    def _sought(self) -> Iterator[Sought]:
        for table in self._tables.values():
            if isinstance(table, Sought):
                yield table
            for spot in table.buckets.values():
                if isinstance(spot, Level):
                    yield from spot._sought()  # noqa: SLF001  a level below this one
