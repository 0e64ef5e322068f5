"""Keys of what was filed: a delivery or an event that comes again is known by its key."""

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection

from hub.db.bulk import Columns, Kind, as_uuid, insert_rows, query, write_rows

if TYPE_CHECKING:
    from hub.deliveries.filing import Filing, NewEvent

_SEEN: Final[Columns] = {
    "tenant_id": Kind.UUID,
    "connector_id": Kind.UUID,
    "key_hash": Kind.BYTES,
    "delivery_id": Kind.INT,
    "seen_at": Kind.TIME,
}
_FIRST: Final = """
SELECT s.connector_id, s.key_hash, s.delivery_id FROM seen_keys s
JOIN {rows} ON s.connector_id = v.connector_id AND s.key_hash = v.key_hash"""
_Key = tuple[uuid.UUID, bytes]
_SeenRow = tuple[uuid.UUID, uuid.UUID, bytes, int, datetime]
Listed = tuple[int, int, "NewEvent"]
"""An event to file: the place of its filing, its own in it."""


def remember(
    connection: Connection, filings: Sequence["Filing"], ids: Sequence[int]
) -> tuple[list[int], dict[int, int], list[Listed]]:
    """Keep the keys of deliveries and events, all at once.

    Return each filing's first delivery (its own id when it is new), how often first ones were
    repeated, and the events that are new.
    """
    keys = [key_of(one) for one in filings]
    listed = [(n, i, event) for n, one in enumerate(filings) for i, event in enumerate(one.events)]
    rows = [_seen(filings[n], key, ids[n]) for n, key in enumerate(keys)]
    of_events = [
        _seen(filings[n], key, ids[n])
        for n, _, event in listed
        for key in _keys_of_event(filings[n], event)
    ]
    held = _insert_keys(connection, rows + of_events)
    repeats = Counter(key for key, number in zip(keys, ids, strict=True) if held.get(key) != number)
    known = _first_deliveries(connection, set(repeats)) if repeats else {}
    firsts = [
        number if held.get(key) == number else known.get(key, number)
        for key, number in zip(keys, ids, strict=True)
    ]
    if repeats:
        new = {number for first, number in zip(firsts, ids, strict=True) if first == number}
        _give_back(connection, held, of_events, new)
    events = [one for one in listed if _takes(held, filings[one[0]], one[2], ids[one[0]])]
    return firsts, {number: repeats[key] for key, number in known.items()}, events


def _takes(held: dict[_Key, int], filing: "Filing", event: "NewEvent", number: int) -> bool:
    """Whether this is the delivery that brings the event first; says so once."""
    key = (filing.connector_id, _hash("e", event.key))
    if held.get(key) != number:
        return False
    del held[key]  # the same key twice in one delivery is one event
    return True


def _give_back(
    connection: Connection, held: dict[_Key, int], rows: Sequence[_SeenRow], new: set[int]
) -> None:
    """Let go of keys that repeats took, whose events are not filed; new deliveries get them."""
    taken = {key for key, number in held.items() if number not in new}
    forget(connection, taken)
    for key in taken:
        del held[key]
    again = [row for row in rows if row[3] in new and (row[1], row[2]) in taken]
    held |= _insert_keys(connection, again)


def forget(connection: Connection, keys: Iterable[_Key]) -> None:
    """Forget keys: of polls that found only what is known, which leave no delivery."""
    for connector, hashed in keys:
        query(
            connection,
            "DELETE FROM seen_keys WHERE connector_id = ? AND key_hash = ?",
            connector,
            hashed,
        )


def key_of(filing: "Filing") -> _Key:
    """Return the key of a delivery."""
    return (filing.connector_id, _hash("d", filing.key))


def _keys_of_event(filing: "Filing", event: "NewEvent") -> Iterator[_Key]:
    yield (filing.connector_id, _hash("e", event.key))
    if event.mark:
        yield (filing.connector_id, event.mark.hash)


def _seen(filing: "Filing", key: _Key, number: int) -> _SeenRow:
    return (filing.tenant_id, *key, number, filing.received_at)


def _insert_keys(connection: Connection, rows: Iterable[_SeenRow]) -> dict[_Key, int]:
    ordered = sorted(rows, key=lambda row: (row[1].int, row[2], row[3]))
    found = insert_rows(
        connection,
        "seen_keys",
        _SEEN,
        ordered,
        suffix="ON CONFLICT DO NOTHING RETURNING connector_id, key_hash, delivery_id",
    )
    return {(as_uuid(connector), bytes(hashed)): number for connector, hashed, number in found}


def _first_deliveries(connection: Connection, keys: Iterable[_Key]) -> dict[_Key, int]:
    columns = {"connector_id": Kind.UUID, "key_hash": Kind.BYTES}
    found = write_rows(connection, _FIRST, columns, list(keys))
    return {(as_uuid(connector), bytes(hashed)): number for connector, hashed, number in found}


def _hash(kind: str, key: str) -> bytes:
    text = f"{kind}\x1f{key}".encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=16).digest()
