"""Tables: the ways in which an event's values point at buckets of rules.

A table belongs to one kind of key, one field and one letter case. `places` names the
buckets of a key's value, `opened` and `closed` tell that a bucket came or went, and
`probe` runs the buckets that an event's value hits.
"""

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from math import ceil, floor, frexp, isfinite, ldexp, log2
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from hub.rules.conditions import View
from hub.rules.entries import Entry
from hub.rules.finders import Finder, Rebuild, Upkeep, needles, patterns
from hub.rules.text import Pattern
from hub.rules.values import Json
from hub.sdk.operators import KeyKind

Found: TypeAlias = dict[Entry, None]
_NARROWEST: Final = -20
_STEPS: Final = 16
RANGES: Final = frozenset({KeyKind.INTERVAL, KeyKind.LOWER, KeyKind.UPPER})


class TableId(NamedTuple):
    """Which table: folded and unfolded values live apart."""

    kind: KeyKind
    field: str
    folded: bool


class Spot(Protocol):
    """What a place holds: a bucket, or a level where too many rules came together."""

    def find(self, view: View, found: Found) -> None:
        """Add the rules that the event concerns."""
        ...


Places: TypeAlias = dict[Hashable, Spot]


class Table(Protocol):
    """One kind of key on one field."""

    buckets: Places

    def places(self, value: Json, /) -> Iterable[Hashable]:
        """Name the buckets of a key's value."""
        ...

    def opened(self, place: Hashable) -> None:
        """Learn that a bucket came."""
        ...

    def closed(self, place: Hashable) -> None:
        """Learn that a bucket went."""
        ...

    def probe(self, view: View, found: Found) -> None:
        """Run the buckets that the event's value hits."""
        ...


def as_float(value: Json) -> float:
    """Give a number, date, time or duration as a float, keeping the order."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC).timestamp()
    return float(value)


class Equal:
    """The value is the key; levels probe these by themselves, without a call."""

    __slots__ = ("buckets", "field", "folded")

    def __init__(self, table: TableId) -> None:
        self.buckets: Places = {}
        self.field = table.field
        self.folded = table.folded

    def places(self, value: Json) -> Iterable[Hashable]:
        """Name the value itself."""
        return (value,)

    def opened(self, place: Hashable) -> None:
        """Nothing to learn."""

    def closed(self, place: Hashable) -> None:
        """Nothing to learn."""

    def probe(self, view: View, found: Found) -> None:
        """Run the bucket of the value."""
        value = view.folded[self.field] if self.folded else view.new.get(self.field)
        bucket = self.buckets.get(value)
        if bucket is not None:
            bucket.find(view, found)


class Member:
    """An item of a list is the key."""

    __slots__ = ("buckets", "field", "folded")

    def __init__(self, table: TableId) -> None:
        self.buckets: Places = {}
        self.field = table.field
        self.folded = table.folded

    def places(self, value: Json) -> Iterable[Hashable]:
        """Name the value itself."""
        return (value,)

    def opened(self, place: Hashable) -> None:
        """Nothing to learn."""

    def closed(self, place: Hashable) -> None:
        """Nothing to learn."""

    def probe(self, view: View, found: Found) -> None:
        """Run the bucket of each distinct item."""
        value = view.folded[self.field] if self.folded else view.new.get(self.field)
        if isinstance(value, tuple):
            for one in set(value):
                bucket = self.buckets.get(one)
                if bucket is not None:
                    bucket.find(view, found)


class Affix:
    """The key is how the text begins, or ends; one slice is looked up a distinct length."""

    __slots__ = ("_at_end", "_counts", "_lengths", "buckets", "field", "folded")

    def __init__(self, table: TableId) -> None:
        self.buckets: Places = {}
        self.field = table.field
        self.folded = table.folded
        self._at_end = table.kind is KeyKind.SUFFIX
        self._counts: Counter[int] = Counter()
        self._lengths: tuple[int, ...] = ()

    def places(self, value: Json) -> Iterable[Hashable]:
        """Name the value itself."""
        return (value,)

    def opened(self, place: Hashable) -> None:
        """Count the length."""
        self._counts[len(str(place))] += 1
        self._lengths = tuple(sorted(self._counts))

    def closed(self, place: Hashable) -> None:
        """Count it off."""
        length = len(str(place))
        self._counts[length] -= 1
        if not self._counts[length]:
            del self._counts[length]
        self._lengths = tuple(sorted(self._counts))

    def probe(self, view: View, found: Found) -> None:
        """Run the bucket of each slice."""
        text = view.folded[self.field] if self.folded else view.new.get(self.field)
        if not isinstance(text, str):
            return
        for length in self._lengths:
            if length > len(text):
                break
            bucket = self.buckets.get(text[-length:] if self._at_end else text[:length])
            if bucket is not None:
                bucket.find(view, found)


class Sought:
    """The key is a text or a pattern that is found somewhere in the value."""

    __slots__ = ("_finder", "buckets", "field", "folded")

    def __init__(self, table: TableId) -> None:
        self.buckets: Places = {}
        self.field = table.field
        self.folded = table.folded
        self._finder: Finder[Any] = _FINDERS[table.kind]()

    def places(self, value: Json) -> Iterable[Hashable]:
        """Name the value itself."""
        return (value,)

    def opened(self, place: Hashable) -> None:
        """Look for it."""
        self._finder.add(place)

    def closed(self, place: Hashable) -> None:
        """Look for it no more."""
        self._finder.remove(place)

    def probe(self, view: View, found: Found) -> None:
        """Run the bucket of everything found in the text."""
        text = view.folded[self.field] if self.folded else view.new.get(self.field)
        if isinstance(text, str):
            if self._finder.overdue:
                self._finder.settle()
            for one in self._finder.find(text):
                self.buckets[one].find(view, found)

    def settle(self) -> None:
        """Build the finder anew where that pays."""
        self._finder.settle()

    def upkeep(self) -> Upkeep | None:
        """Give the building that would pay, to be done in another thread."""
        return Rebuild(self._finder) if self._finder.stale else None


_FINDERS: Final[Mapping[KeyKind, Callable[[], Finder[str] | Finder[Pattern]]]] = {
    KeyKind.SUBSTRING: needles,
    KeyKind.REGEX: patterns,
}


class Interval:
    """The key is a pair of bounds, filed under one or two dyadic cells that cover it."""

    __slots__ = ("_counts", "_widths", "buckets", "field")

    def __init__(self, table: TableId) -> None:
        self.buckets: Places = {}
        self.field = table.field
        self._counts: Counter[int] = Counter()
        self._widths: tuple[tuple[int, float], ...] = ()

    def places(self, value: Json) -> Iterable[Hashable]:
        """Name the cells."""
        low, high = as_float(value[0]), as_float(value[1])
        level = _NARROWEST if low >= high else max(_NARROWEST, ceil(log2(high - low)))
        first, last = _cells(low, high, level)
        while last - first > 1:
            level += 1
            first, last = _cells(low, high, level)
        return dict.fromkeys(((level, first), (level, last)))

    def opened(self, place: Hashable) -> None:
        """Count the width of the cell."""
        self._count(place, 1)

    def closed(self, place: Hashable) -> None:
        """Count it off."""
        self._count(place, -1)

    def _count(self, place: Hashable, by: int) -> None:
        if isinstance(place, tuple):
            self._counts[place[0]] += by
            self._counts += Counter()
            self._widths = tuple((level, ldexp(1.0, -level)) for level in self._counts)

    def probe(self, view: View, found: Found) -> None:
        """Run the bucket of the value's cell of each width."""
        value = view.new.get(self.field)
        if value is None:
            return
        at = as_float(value)
        for level, factor in self._widths:
            bucket = self.buckets.get((level, floor(at * factor)))
            if bucket is not None:
                bucket.find(view, found)


def _cells(low: float, high: float, level: int) -> tuple[int, int]:
    factor = ldexp(1.0, -level)
    return floor(low * factor), floor(high * factor)


class Bound:
    """The key is a bound on one side; bounds close to each other share a bucket.

    A bound is rounded down to five significant bits, which keeps the order.
    """

    __slots__ = ("_sorted", "_upper", "buckets", "field")

    def __init__(self, table: TableId) -> None:
        self.buckets: Places = {}
        self.field = table.field
        self._upper = table.kind is KeyKind.UPPER
        self._sorted: list[float] = []

    def places(self, value: Json) -> Iterable[Hashable]:
        """Name the rounded bound."""
        return (rounded(as_float(value)),)

    def opened(self, place: Hashable) -> None:
        """Put the bound into its place."""
        if isinstance(place, float):
            insort(self._sorted, place)

    def closed(self, place: Hashable) -> None:
        """Take it out."""
        if isinstance(place, float):
            del self._sorted[bisect_left(self._sorted, place)]

    def probe(self, view: View, found: Found) -> None:
        """Run the buckets on the right side of the value."""
        value = view.new.get(self.field)
        if value is None:
            return
        at = rounded(as_float(value))
        bounds = self._sorted
        first = bisect_left(bounds, at) if self._upper else 0
        behind = len(bounds) if self._upper else bisect_right(bounds, at)
        for bound in bounds[first:behind]:
            self.buckets[bound].find(view, found)


def rounded(value: float) -> float:
    """Round down to five significant bits."""
    part, power = frexp(value)
    return ldexp(floor(part * 2 * _STEPS), power - 5)


class Changed:
    """The field has changed."""

    __slots__ = ("buckets", "field")

    def __init__(self, table: TableId) -> None:
        self.buckets: Places = {}
        self.field = table.field

    def places(self, _: Json) -> Iterable[Hashable]:
        """Name the only bucket."""
        return (None,)

    def opened(self, place: Hashable) -> None:
        """Nothing to learn."""

    def closed(self, place: Hashable) -> None:
        """Nothing to learn."""

    def probe(self, view: View, found: Found) -> None:
        """Run the bucket when the field has changed."""
        bucket = self.buckets.get(None)
        if bucket is not None and view.changed[self.field]:
            bucket.find(view, found)


class Present:
    """The field is not empty."""

    __slots__ = ("buckets", "field")

    def __init__(self, table: TableId) -> None:
        self.buckets: Places = {}
        self.field = table.field

    def places(self, _: Json) -> Iterable[Hashable]:
        """Name the only bucket."""
        return (None,)

    def opened(self, place: Hashable) -> None:
        """Nothing to learn."""

    def closed(self, place: Hashable) -> None:
        """Nothing to learn."""

    def probe(self, view: View, found: Found) -> None:
        """Run the bucket when the field is not empty."""
        bucket = self.buckets.get(None)
        if bucket is not None and view.new.get(self.field) is not None:
            bucket.find(view, found)


def fitting(kind: KeyKind, value: Json) -> bool:
    """Tell whether a table of the kind can take the value."""
    if kind in {KeyKind.CHANGED, KeyKind.PRESENT}:
        return True
    if kind in {KeyKind.EQUAL, KeyKind.MEMBER}:
        return value is not None and not isinstance(value, (tuple, list, dict, set))
    if kind is KeyKind.REGEX:
        return isinstance(value, Pattern)
    if kind in RANGES:
        return _finite(value if kind is KeyKind.INTERVAL else (value, value))
    return isinstance(value, str) and bool(value)


def _finite(bounds: Json) -> bool:
    try:
        low, high = map(as_float, bounds)
    except (TypeError, ValueError, OverflowError):
        return False
    return isfinite(low) and isfinite(high) and low <= high


TABLES: Final[Mapping[KeyKind, Callable[[TableId], Table]]] = {
    KeyKind.EQUAL: Equal,
    KeyKind.MEMBER: Member,
    KeyKind.PREFIX: Affix,
    KeyKind.SUFFIX: Affix,
    KeyKind.SUBSTRING: Sought,
    KeyKind.INTERVAL: Interval,
    KeyKind.LOWER: Bound,
    KeyKind.UPPER: Bound,
    KeyKind.CHANGED: Changed,
    KeyKind.PRESENT: Present,
    KeyKind.REGEX: Sought,
}
