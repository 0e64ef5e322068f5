"""What tables of keys have in common."""

from collections.abc import Hashable, Iterable
from typing import Final, NamedTuple, Protocol, TypeAlias

from hub.rules.entries import Entry
from hub.rules.values import Json
from hub.rules.view import View
from hub.sdk.operators import KeyKind

Found: TypeAlias = dict[Entry, None]
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

    def proves(self, place: Hashable, /) -> bool:
        """Tell whether an exact key is exact at this place."""
        ...

    def opened(self, place: Hashable, /) -> None:
        """Learn that a bucket came."""
        ...

    def closed(self, place: Hashable, /) -> None:
        """Learn that a bucket went."""
        ...

    def probe(self, view: View, found: Found) -> None:
        """Run the buckets that the event's value hits."""
        ...
