"""Tables of ranges: intervals, and bounds on one side."""

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Hashable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from math import ceil, floor, frexp, ldexp, log2
from typing import Final

from hub.rules.tables import Found, Places, TableId
from hub.rules.values import Json
from hub.rules.view import View
from hub.sdk.operators import KeyKind

_NARROWEST: Final = -20
_STEPS: Final = 16
BEYOND: Final = True
AMONG: Final = False


def as_float(value: Json) -> float:
    """Give a number, date, time or duration as a float, keeping the order."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC).timestamp()
    return float(value)


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

    def proves(self, _: Hashable) -> bool:
        """Tell that a cell proves what its operator says it does."""
        return True

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

    A bound is rounded down to five significant bits, which keeps the order. Each has two
    places: one for values that lie beyond all bounds of the bucket, one for those among them.
    """

    __slots__ = ("_sorted", "_upper", "buckets", "field")

    def __init__(self, table: TableId) -> None:
        self.buckets: Places = {}
        self.field = table.field
        self._upper = table.kind is KeyKind.UPPER
        self._sorted: list[float] = []

    def places(self, value: Json) -> Iterable[Hashable]:
        """Name both places of the rounded bound."""
        at = rounded(as_float(value))
        return ((at, BEYOND), (at, AMONG))

    def proves(self, place: Hashable) -> bool:
        """Tell whether the place is the one for values beyond."""
        return isinstance(place, tuple) and place[1] is BEYOND

    def opened(self, place: Hashable) -> None:
        """Put the bound into its place."""
        if isinstance(place, tuple) and place[1] is BEYOND:
            insort(self._sorted, place[0])

    def closed(self, place: Hashable) -> None:
        """Take it out."""
        if isinstance(place, tuple) and place[1] is BEYOND:
            del self._sorted[bisect_left(self._sorted, place[0])]

    def probe(self, view: View, found: Found) -> None:
        """Run the buckets on the right side of the value, and the one around it."""
        value = view.new.get(self.field)
        if value is None:
            return
        at, buckets = rounded(as_float(value)), self.buckets
        around = buckets.get((at, AMONG))
        if around is not None:
            around.find(view, found)
        bounds = self._sorted
        first = bisect_right(bounds, at) if self._upper else 0
        behind = len(bounds) if self._upper else bisect_left(bounds, at)
        for bound in bounds[first:behind]:
            buckets[bound, BEYOND].find(view, found)


def rounded(value: float) -> float:
    """Round down to five significant bits."""
    part, power = frexp(value)
    return ldexp(floor(part * 2 * _STEPS), power - 5)
