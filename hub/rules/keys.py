"""Tables: the ways in which an event's values point at buckets of rules.

A table belongs to one kind of key, one field and one letter case. `places` names the
buckets of a key's value, `opened` and `closed` tell that a bucket came or went, and
`probe` runs the buckets that an event's value hits.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from math import isfinite
from typing import Any, Final

from hub.rules.finders import Finder, Rebuild, Upkeep, needles, patterns
from hub.rules.ranges import Bound, Interval, as_float
from hub.rules.tables import RANGES, Found, Places, Table, TableId
from hub.rules.text import Pattern
from hub.rules.values import Json
from hub.rules.view import View
from hub.sdk.operators import KeyKind


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

    def proves(self, _: Hashable) -> bool:
        """Tell that an exact key always is."""
        return True

    def opened(self, _: Hashable) -> None:
        """Nothing to learn."""

    def closed(self, _: Hashable) -> None:
        """Nothing to learn."""

    def probe(self, view: View, found: Found) -> None:
        """Nothing to do: see above."""


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

    def proves(self, _: Hashable) -> bool:
        """Tell that an exact key always is."""
        return True

    def opened(self, _: Hashable) -> None:
        """Nothing to learn."""

    def closed(self, _: Hashable) -> None:
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

    def proves(self, _: Hashable) -> bool:
        """Tell that an exact key always is."""
        return True

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

    def proves(self, _: Hashable) -> bool:
        """Tell that an exact key always is."""
        return True

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
            buckets = self.buckets
            for one in self._finder.find(text):
                buckets[one].find(view, found)

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


class Whether:
    """Something holds of the field or does not: one bucket."""

    __slots__ = ("_holds", "buckets", "field")

    def __init__(self, table: TableId, holds: Callable[[View, str], bool]) -> None:
        self.buckets: Places = {}
        self.field = table.field
        self._holds = holds

    def places(self, _: Json) -> Iterable[Hashable]:
        """Name the only bucket."""
        return (None,)

    def proves(self, _: Hashable) -> bool:
        """Tell that an exact key always is."""
        return True

    def opened(self, _: Hashable) -> None:
        """Nothing to learn."""

    def closed(self, _: Hashable) -> None:
        """Nothing to learn."""

    def probe(self, view: View, found: Found) -> None:
        """Run the bucket when it holds."""
        bucket = self.buckets.get(None)
        if bucket is not None and self._holds(view, self.field):
            bucket.find(view, found)


def changed(table: TableId) -> Whether:
    """Make the table of conditions that want a field to have changed."""
    return Whether(table, lambda view, field: view.changed[field])


def present(table: TableId) -> Whether:
    """Make the table of conditions that want a field not to be empty."""
    return Whether(table, lambda view, field: view.new.get(field) is not None)


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
    KeyKind.CHANGED: changed,
    KeyKind.PRESENT: present,
    KeyKind.REGEX: Sought,
}
