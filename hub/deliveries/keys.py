"""Keys of what was filed: what comes again is known by its key.

An accepted event has one row, of its own key; of an event that is told in several ways it is
its mark. A delivery is known by its events: one that shares a key with a stored delivery which
has the same delivery key is that delivery come again, so it needs a row of its own only when it
brings no event that is new, or none at all. What follows from this:

* A delivery that comes again is counted at the first one and files nothing, whether it comes
  later, in the same batch, or to another process at the same moment; what is new in it (its
  plugin reads more of it than before) is not filed, and free for other deliveries.
* A delivery that tells of known events under another key is stored, says how many it was of,
  and is itself known when it comes again.
* A delivery whose events are all new is a new one, whatever its key: one that could not be
  read, or was nothing for the hub, and can be read when it comes again is filed with its events.
* A poll that brings nothing new leaves neither a delivery nor a key.
* Where retention took the first delivery but not its keys, the events stay known; the delivery
  is stored anew, without them.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import Connection

from hub.db.bulk import Columns, Kind, as_uuid, insert_rows, query, write_rows

if TYPE_CHECKING:
    from hub.deliveries.filing import Filing, NewEvent

COLUMNS: Final[Columns] = {
    "tenant_id": Kind.UUID,
    "connector_id": Kind.UUID,
    "key_hash": Kind.BYTES,
    "delivery_id": Kind.INT,
    "seen_at": Kind.TIME,
}
LENGTH_OF_KEYS: Final = 200
"""So much of a delivery's key its row keeps."""
_HELD: Final = """
SELECT s.connector_id, s.key_hash, s.delivery_id FROM {rows}
JOIN seen_keys s ON s.connector_id = v.connector_id AND s.key_hash = v.key_hash"""
_STORED: Final = "SELECT d.id, d.key FROM {rows} JOIN deliveries d ON d.id = v.id"
_MOVED: Final = """
UPDATE seen_keys SET delivery_id = v.delivery_id FROM {rows}
WHERE seen_keys.connector_id = v.connector_id AND seen_keys.key_hash = v.key_hash"""
_HASH: Final = itemgetter(2)
_Key = tuple[uuid.UUID, bytes]
Row = tuple[uuid.UUID, uuid.UUID, bytes, int, datetime]
Listed = tuple[int, int, "NewEvent"]
"""An event to file: the place of its filing, its own in it."""


class Settled(NamedTuple):
    """What is new: each filing's first delivery (its own id when it is new), and the events."""

    firsts: Sequence[int]
    events: list[tuple[int, Listed]]
    """With their places among all that are listed."""
    repeats: Mapping[int, int]
    """How often first deliveries came again."""


def rows_of(filings: Sequence["Filing"], ids: Sequence[int]) -> list[Row]:
    """Return the rows that the filings need, in an order in which no two writers deadlock."""
    at = max(one.received_at for one in filings)  # one value is converted once
    rows = [
        (one.tenant_id, one.connector_id, hashed, number, at)
        for one, number in zip(filings, ids, strict=True)
        for hashed in _hashes(one)
    ]
    rows.sort(key=_HASH)  # stable: of two filings with one key the first one has it
    return rows


def listed(filings: Sequence["Filing"]) -> list[Listed]:
    """Return all events, with their places."""
    return [(n, i, event) for n, one in enumerate(filings) for i, event in enumerate(one.events)]


def settle(connection: Connection, filings: Sequence["Filing"], ids: Sequence[int]) -> Settled:
    """Return what is new where some keys were known; the others are kept already."""
    keys = {(one.connector_id, hashed) for one in filings for hashed in _hashes(one)}
    held = _held(connection, keys)
    before = set(held.values()).difference(ids)
    known = write_rows(connection, _STORED, {"id": Kind.INT}, [(number,) for number in before])
    settling = _Settling(filings=filings, ids=ids, held=held, stored=dict(known))
    settling.find_repeats()
    settling.keep_deliveries(connection)
    settling.give_back(connection)
    events = [one for one in enumerate(listed(filings)) if settling.takes(*one[1])]
    repeats = Counter(
        first for first, own in zip(settling.firsts, ids, strict=True) if first != own
    )
    return Settled(settling.firsts, events, repeats)


@dataclass(slots=True, kw_only=True)
class _Settling:
    """Deciding what comes again, the filings one after the other; `held` is who has a key."""

    filings: Sequence["Filing"]
    ids: Sequence[int]
    held: dict[_Key, int]
    stored: dict[int, str]
    firsts: list[int] = field(init=False)
    _places: dict[int, int] = field(init=False)
    _free: set[_Key] = field(default_factory=set)
    _moved: dict[_Key, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.firsts = list(self.ids)
        self._places = {number: n for n, number in enumerate(self.ids)}

    def find_repeats(self) -> None:
        """Find the deliveries that came before; others get the keys that those took."""
        for n, filing in enumerate(self.filings):
            own, keys = self.ids[n], [(filing.connector_id, one) for one in _hashes(filing)]
            first = self._first_of(n, keys)
            if first is not None:
                self.firsts[n] = first
                self._let_go({key for key in keys if self.held.get(key) == own})
                continue
            for key in self._free.intersection(keys):
                self._free.discard(key)
                self.held[key] = self._moved[key] = own

    def _let_go(self, keys: Collection[_Key]) -> None:
        self._free.update(keys)
        for key in keys:
            del self.held[key]

    def _first_of(self, n: int, keys: Iterable[_Key]) -> int | None:
        holders = {self.held.get(key, self.ids[n]) for key in keys} - {self.ids[n]}
        same = (self._same(self.filings[n], holder) for holder in holders)
        return min((one for one in same if one is not None), default=None)

    def _same(self, filing: "Filing", holder: int) -> int | None:
        """Return the first of the holder of a key, if it is the same delivery."""
        place = self._places.get(holder)
        if place is not None:
            return self.firsts[place] if self.filings[place].key == filing.key else None
        known = not filing.events or self.stored.get(holder) == filing.key[:LENGTH_OF_KEYS]
        return holder if known else None

    def keep_deliveries(self, connection: Connection) -> None:
        """Keep the keys of new deliveries that bring no event that is new."""
        holding = set(self.held.values())
        bare = defaultdict[_Key, list[int]](list)
        for n, one in enumerate(self.filings):
            if (not one.events and one.source != "poll") or self._is_bare(n, holding):
                bare[one.connector_id, _of_delivery(one)].append(n)
        rows = sorted((self._row(key, min(found)) for key, found in bare.items()), key=_HASH)
        insert_rows(connection, "seen_keys", COLUMNS, rows, suffix="ON CONFLICT DO NOTHING")
        for key, holder in _held(connection, bare).items():
            self._repeat(key, holder, bare[key])

    def _is_bare(self, n: int, holding: Collection[int]) -> bool:
        one, own = self.filings[n], self.ids[n]
        return one.source != "poll" and self.firsts[n] == own and own not in holding

    def _row(self, key: _Key, n: int) -> Row:
        return (self.filings[n].tenant_id, *key, self.ids[n], self.filings[n].received_at)

    def _repeat(self, key: _Key, holder: int, bare: Sequence[int]) -> None:
        """Let all be repeats of who has their key, or of the first of them in this batch."""
        first = holder
        if holder in self._places:
            first = self.ids[min(bare)]
        if first != holder:
            self._moved[key] = first
        for n in bare:
            self.firsts[n] = first

    def give_back(self, connection: Connection) -> None:
        """Store who got the keys that repeats took; what nobody needs is forgotten."""
        columns = {name: COLUMNS[name] for name in ("connector_id", "key_hash", "delivery_id")}
        rows = [(*key, number) for key, number in self._moved.items()]
        write_rows(connection, _MOVED, columns, rows)
        for connector, hashed in self._free:
            query(
                connection,
                "DELETE FROM seen_keys WHERE connector_id = ? AND key_hash = ?",
                connector,
                hashed,
            )

    def takes(self, n: int, _: int, event: "NewEvent") -> bool:
        """Whether this filing is the one that brings the event; says so once."""
        key = (self.filings[n].connector_id, hashes_of(event)[0])
        if self.firsts[n] != self.ids[n] or self.held.get(key) != self.ids[n]:
            return False
        del self.held[key]  # the same key twice in one delivery is one event
        return True


def hashes_of(event: "NewEvent") -> tuple[bytes, ...]:
    """Return the keys of an event, its own first.

    A mark holds the vendor's key; it is the event's own unless that is another, as of notes.
    """
    mark = event.mark
    if mark is None:
        return (_hash("e", event.key),)
    if mark.key == event.key:
        return (mark.hash,)
    return (_hash("e", event.key), mark.hash)


def _hashes(filing: "Filing") -> list[bytes]:
    if filing.events:
        return [one for event in filing.events for one in hashes_of(event)]
    return [] if filing.source == "poll" else [_of_delivery(filing)]


def _of_delivery(filing: "Filing") -> bytes:
    return _hash("d", filing.key)


def _held(connection: Connection, keys: Iterable[_Key]) -> dict[_Key, int]:
    columns = {"connector_id": Kind.UUID, "key_hash": Kind.BYTES}
    found = write_rows(connection, _HELD, columns, list(keys))
    return {(as_uuid(connector), bytes(hashed)): number for connector, hashed, number in found}


def _hash(kind: str, key: str) -> bytes:
    text = f"{kind}\x1f{key}".encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=16).digest()
