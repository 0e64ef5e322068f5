"""Reading and writing what belongs to records: matters, last-seen values, receipts, notes."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from hub.correlations.echo import KEPT, Receipt
from hub.correlations.seen import Seen, pack_written, unpack_written
from hub.correlations.values import pack, unpack
from hub.db.bulk import Columns, Kind, Write, as_time, as_uuid, inserting, write_rows
from hub.sdk.events import RecordRef


class RecordKey(NamedTuple):
    """A record of one connector of a tenant."""

    tenant_id: uuid.UUID
    connector_id: uuid.UUID
    source_object: str
    record_id: str

    @property
    def ref(self) -> RecordRef:
        """The record, as plugins name it."""
        return RecordRef(source_object=self.source_object, id=self.record_id)


NoteKey = tuple[uuid.UUID, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """A link that is live, or reserved for a record that is being made."""

    id: int
    connector_id: uuid.UUID
    source_object: str
    state: str
    slot: str = ""
    record_id: str | None = None
    human_id: str | None = None
    url: str | None = None
    made_by_run: int | None = None
    made_by_ruleset: str | None = None
    precise: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """A correlation and its links, the oldest first."""

    id: uuid.UUID
    code: str
    lane: str
    links: tuple[LinkView, ...] = ()

    def link_of(self, key: RecordKey) -> LinkView | None:
        """Return the record's own live link."""
        return next(
            (
                one
                for one in self.links
                if one.state == "live"
                and one.record_id == key.record_id
                and one.connector_id == key.connector_id
                and one.source_object == key.source_object
            ),
            None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What belongs to some records."""

    matters: dict[RecordKey, Matter]
    seen: dict[RecordKey, Seen]
    receipts: dict[RecordKey, list[Receipt]]
    our_notes: frozenset[NoteKey]


_KEY: Final[Columns] = {
    "tenant_id": Kind.UUID,
    "connector_id": Kind.UUID,
    "source_object": Kind.TEXT,
    "record_id": Kind.TEXT,
}
_ON_KEY: Final = (
    "x.tenant_id = v.tenant_id AND x.connector_id = v.connector_id "
    "AND x.source_object = v.source_object AND x.record_id = v.record_id"
)
_OWN_LINKS: Final = f"""
SELECT x.tenant_id, x.connector_id, x.source_object, x.record_id, x.correlation_id
FROM {{rows}} JOIN links x ON {_ON_KEY} AND x.state = 'live'"""  # noqa: S608 - a constant
_MATTERS: Final = """
SELECT c.id, c.code, c.lane, l.id, l.connector_id, l.source_object, l.state, l.slot, l.record_id,
  l.human_id, l.url, l.made_by_run, l.made_by_ruleset, l.precise
FROM {rows} JOIN correlations c ON c.id = v.id JOIN links l ON l.correlation_id = c.id
WHERE l.state IN ('live', 'reserved') ORDER BY l.id"""
_SEEN: Final = f"""
SELECT x.tenant_id, x.connector_id, x.source_object, x.record_id, x."values", x.written,
  x.occurred_at, x.url, x.human_id FROM {{rows}} JOIN last_seen x ON {_ON_KEY}"""  # noqa: S608 - a constant
_RECEIPTS: Final = f"""
SELECT x.tenant_id, x.connector_id, x.source_object, x.record_id, x.field, x.digest, x.run_id,
  x.sent_at, x.ended_at, x.hops FROM {{rows}} JOIN echoes x ON {_ON_KEY}"""  # noqa: S608 - a constant
_NOTES: Final = """
SELECT x.peer_connector_id, x.peer_note_id FROM {rows}
JOIN note_links x ON x.peer_connector_id = v.connector_id AND x.peer_note_id = v.note_id"""
_SEEN_ROW: Final[Columns] = {
    **_KEY,
    "values": Kind.JSON,
    "written": Kind.JSON,
    "url": Kind.TEXT,
    "human_id": Kind.TEXT,
    "occurred_at": Kind.TIME,
    "seen_at": Kind.TIME,
}
_SEEN_UPSERT: Final = (
    "ON CONFLICT (connector_id, source_object, record_id) DO UPDATE SET "
    '"values" = excluded."values", written = excluded.written, url = excluded.url, '
    "human_id = excluded.human_id, occurred_at = excluded.occurred_at, seen_at = excluded.seen_at"
)
_RECEIPT_ROW: Final[Columns] = {
    **_KEY,
    "field": Kind.TEXT,
    "digest": Kind.BYTES,
    "run_id": Kind.INT,
    "sent_at": Kind.TIME,
    "hops": Kind.INT,
    "expires_at": Kind.TIME,
}
_NOTE_ROW: Final[Columns] = {
    "tenant_id": Kind.UUID,
    "connector_id": Kind.UUID,
    "note_id": Kind.TEXT,
    "peer_connector_id": Kind.UUID,
    "peer_note_id": Kind.TEXT,
    "correlation_id": Kind.UUID,
    "created_at": Kind.TIME,
}


def load(
    connection: Connection, records: Iterable[RecordKey], notes: Iterable[NoteKey]
) -> Surroundings:
    """Return what belongs to the records; values also of the records linked to them."""
    wanted = list(set(records))
    matters = _load_matters(connection, wanted)
    linked = {
        RecordKey(key.tenant_id, link.connector_id, link.source_object, link.record_id)
        for key, matter in matters.items()
        for link in matter.links
        if link.record_id is not None and link.state == "live"
    }
    return Surroundings(
        matters=matters,
        seen=load_seen(connection, {*wanted, *linked}),
        receipts=_load_receipts(connection, wanted),
        our_notes=_load_notes(connection, notes),
    )


def load_seen(connection: Connection, records: Iterable[RecordKey]) -> dict[RecordKey, Seen]:
    """Return the last-seen values of the records."""
    return {
        _key(row): Seen(
            values=unpack(row[4]),
            written=unpack_written(row[5]),
            occurred_at=_time(row[6]),
            url=row[7],
            human_id=row[8],
        )
        for row in write_rows(connection, _SEEN, _KEY, list(records))
    }


def matters_by_id(connection: Connection, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Matter]:
    """Return correlations with their links."""
    rows = write_rows(connection, _MATTERS, {"id": Kind.UUID}, [(one,) for one in set(ids)])
    listed: dict[uuid.UUID, list[Any]] = {}
    for row in rows:
        listed.setdefault(as_uuid(row[0]), []).append(row)
    return {
        number: Matter(
            id=number,
            code=found[0][1],
            lane=found[0][2],
            links=tuple(_link(row) for row in found),
        )
        for number, found in listed.items()
    }


def new_seen(values: Iterable[tuple[RecordKey, Seen]], now: datetime) -> Write:
    """Store last-seen values; of one record the last in the sequence."""
    rows = [
        (
            *key,
            pack(dict(seen.values)),
            pack_written(seen),
            seen.url,
            seen.human_id,
            seen.occurred_at,
            now,
        )
        for key, seen in sorted(dict(values).items())
    ]
    return inserting("last_seen", _SEEN_ROW, rows, suffix=_SEEN_UPSERT)


def new_receipts(receipts: Iterable[tuple[RecordKey, Receipt]]) -> Write:
    """Store write receipts."""
    rows = [
        (*key, one.field, one.digest, one.run_id, one.sent_at, one.hops, one.sent_at + KEPT)
        for key, one in receipts
    ]
    return inserting("echoes", _RECEIPT_ROW, rows)


def ended_receipts(ended: Iterable[tuple[RecordKey, Receipt, datetime]]) -> Write:
    """End receipts whose field got another value since."""
    return Write(
        "UPDATE echoes SET ended_at = v.at FROM {rows} WHERE echoes.run_id = v.run_id "
        "AND echoes.field = v.field AND echoes.record_id = v.record_id",
        {"run_id": Kind.INT, "field": Kind.TEXT, "record_id": Kind.TEXT, "at": Kind.TIME},
        [(one.run_id, one.field, key.record_id, at) for key, one, at in ended],
    )


def resent_receipts(sent: Iterable[tuple[int, datetime]]) -> Write:
    """Move the receipts of runs that are sent again to the new time."""
    return Write(
        "UPDATE echoes SET sent_at = v.at, expires_at = v.until FROM {rows} "
        "WHERE echoes.run_id = v.run_id",
        {"run_id": Kind.INT, "at": Kind.TIME, "until": Kind.TIME},
        [(run, at, at + KEPT) for run, at in sent],
    )


def dropped_receipts(runs: Iterable[int], *, field: str | None = None) -> Write:
    """Forget the receipts of runs: they wrote nothing, or are known by a note's id now."""
    only = "" if field is None else " AND echoes.field = v.field"
    return Write(
        "DELETE FROM echoes WHERE EXISTS "  # noqa: S608 - constants
        f"(SELECT 1 FROM {{rows}} WHERE echoes.run_id = v.run_id{only})",
        {"run_id": Kind.INT, "field": Kind.TEXT},
        [(run, field or "") for run in runs],
    )


class NotePair(NamedTuple):
    """A note and the one that was made of it."""

    tenant_id: uuid.UUID
    connector_id: uuid.UUID
    note_id: str
    peer_connector_id: uuid.UUID
    peer_note_id: str
    correlation_id: uuid.UUID | None


def new_note_pairs(pairs: Iterable[NotePair], now: datetime) -> Write:
    """Store which note was made of which."""
    return inserting(
        "note_links",
        _NOTE_ROW,
        [(*pair, now) for pair in pairs],
        suffix="ON CONFLICT DO NOTHING",
    )


def _load_matters(connection: Connection, records: Sequence[RecordKey]) -> dict[RecordKey, Matter]:
    own = {_key(row): as_uuid(row[4]) for row in write_rows(connection, _OWN_LINKS, _KEY, records)}
    if not own:
        return {}
    found = matters_by_id(connection, own.values())
    return {key: found[matter] for key, matter in own.items() if matter in found}


def _load_receipts(
    connection: Connection, records: Sequence[RecordKey]
) -> dict[RecordKey, list[Receipt]]:
    receipts: dict[RecordKey, list[Receipt]] = {}
    for row in write_rows(connection, _RECEIPTS, _KEY, records):
        receipts.setdefault(_key(row), []).append(
            Receipt(
                field=row[4],
                digest=bytes(row[5]),
                run_id=row[6],
                sent_at=_time(row[7]),
                ended_at=as_time(row[8]),
                hops=row[9],
            )
        )
    return receipts


def _load_notes(connection: Connection, notes: Iterable[NoteKey]) -> frozenset[NoteKey]:
    columns = {"connector_id": Kind.UUID, "note_id": Kind.TEXT}
    rows = write_rows(connection, _NOTES, columns, list(set(notes)))
    return frozenset((as_uuid(row[0]), row[1]) for row in rows)


def _link(row: Any) -> LinkView:  # noqa: ANN401 - a row
    return LinkView(
        id=row[3],
        connector_id=as_uuid(row[4]),
        source_object=row[5],
        state=row[6],
        slot=row[7],
        record_id=row[8],
        human_id=row[9],
        url=row[10],
        made_by_run=row[11],
        made_by_ruleset=row[12],
        precise=unpack(row[13]) or {},
    )


def _key(row: Any) -> RecordKey:  # noqa: ANN401 - a row
    return RecordKey(as_uuid(row[0]), as_uuid(row[1]), row[2], row[3])


def _time(value: Any) -> datetime:  # noqa: ANN401 - a column
    found = as_time(value)
    assert found is not None  # noqa: S101 - the column is not null
    return found
