"""Our own writes coming back: which changes of an event a vendor only repeats to us. Pure."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from hub.correlations.values import digest, same
from hub.sdk.events import Event
from hub.sdk.vocabulary import Value

EARLY: Final = timedelta(minutes=2)
KEPT: Final = timedelta(hours=72)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One field that a run of ours wrote to a record."""

    field: str
    digest: bytes
    run_id: int
    sent_at: datetime
    ended_at: datetime | None = None
    hops: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A run of ours that the event carries the mark of, or that made the record or note."""

    run_id: int
    creates: bool
    hops: int = 0
    correlation_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What an event is: `echo` names why it is only our own write, None = a genuine change.

    `ours` are the fields that we wrote, when others changed beside them. `ended` are the
    receipts that a newer, different value ends. `caused_by` is the run it derives from.
    """

    echo: str | None = None
    ours: frozenset[str] = frozenset()
    ended: tuple[Receipt, ...] = ()
    caused_by: int | None = None
    hops: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the hub knows of an event's record when the event is judged.

    `values` are what the vendor last reported, without what we wrote since. `note_of` is the
    run that wrote the event's note. `creating` is the run that made the record. `about` are
    the fields whose change the event's trigger reports; () = any. `follows` are, by field,
    those that the vendor works it out from.
    """

    values: Mapping[str, Value] | None
    receipts: Sequence[Receipt] = ()
    noise: frozenset[str] = frozenset()
    about: frozenset[str] = frozenset()
    follows: Mapping[str, frozenset[str]] = field(default_factory=dict)
    origin: Made | None = None
    creating: Made | None = None
    note_is_ours: bool = False
    window: timedelta = timedelta(minutes=10)


def judge(event: Event, known: Known) -> Judgement:
    """Tell whether an event is only our own write coming back, and which fields are."""
    if event.note is not None and known.note_is_ours:
        return Judgement(echo="a note that the hub made")
    made = _created_by_us(event, known)
    if made is not None:
        return Judgement(echo="a record that the hub made", caused_by=made.run_id, hops=made.hops)
    changed = changed_fields(event, known)
    live = _live(event, known)
    ours = frozenset(
        field
        for field in (live if changed is None else changed)
        if field in live and live[field].digest == digest(event.record.values.get(field))
    )
    ours |= _consequences(changed, ours, known.follows)
    caused = max(
        (live[field] for field in ours if field in live), key=lambda one: one.sent_at, default=None
    )
    if ours and _is_all_ours(changed, ours, known.about):
        fields = ", ".join(sorted(ours))
        assert caused is not None  # noqa: S101 - there is one for each of `ours`
        return Judgement(
            echo=f"the hub wrote {fields}", ours=ours, caused_by=caused.run_id, hops=caused.hops
        )
    ended = tuple(
        one
        for one in known.receipts
        if one.ended_at is None
        and changed is not None
        and one.field in changed - ours
        and one.sent_at <= event.occurred_at
        and one.digest != digest(event.record.values.get(one.field))
    )
    return Judgement(
        ours=ours,
        ended=ended,
        caused_by=caused.run_id if caused else None,
        hops=caused.hops + 1 if caused else 0,
    )


def _consequences(
    changed: frozenset[str] | None, ours: frozenset[str], follows: Mapping[str, frozenset[str]]
) -> frozenset[str]:
    """Return the changed fields that only follow from what we wrote."""
    return frozenset(one for one in (changed or ()) if follows.get(one, frozenset()) & ours)


def _is_all_ours(
    changed: frozenset[str] | None, ours: frozenset[str], about: frozenset[str]
) -> bool:
    if changed is None:
        return not about or about <= ours
    reported = changed & about
    return reported <= ours if reported else ours == changed


def changed_fields(event: Event, known: Known) -> frozenset[str] | None:
    """Return the fields that changed, noise left out; None: it can't be told.

    Where the vendor does not tell, a field that was never reported before did not change:
    nobody knows what it was. One that the hub wrote did.
    """
    told, values = event.before, event.record.values
    if told:
        return frozenset(field for field in told if field not in known.noise)
    if told is None and known.values is None:
        return None
    if told is not None:
        return frozenset(
            field
            for field, value in values.items()
            if field not in known.noise and not same(value, None)
        )
    written = {one.field for one in known.receipts}
    before = known.values or {}
    return frozenset(
        field
        for field, value in values.items()
        if field not in known.noise
        and (field in before or field in written)
        and not (field in before and same(value, before[field]))
    )


def receipts_of(writes: Mapping[str, Value], run_id: int, sent_at: datetime) -> list[Receipt]:
    """Return the receipts of a run's writes."""
    return [
        Receipt(field=field, digest=digest(value), run_id=run_id, sent_at=sent_at)
        for field, value in writes.items()
    ]


def _created_by_us(event: Event, known: Known) -> Made | None:
    if event.before != {}:
        return None
    if known.creating is not None:
        return known.creating
    return known.origin if known.origin is not None and known.origin.creates else None


def _live(event: Event, known: Known) -> dict[str, Receipt]:
    at = event.occurred_at
    live: dict[str, Receipt] = {}
    for one in sorted(known.receipts, key=lambda each: each.sent_at):
        in_time = one.sent_at - EARLY <= at <= one.sent_at + known.window
        if not in_time or (one.ended_at is not None and at > one.ended_at):
            continue
        reported = event.record.values.get(one.field)
        kept = live.get(one.field)
        if kept is None or one.digest == digest(reported):
            live[one.field] = one
    return live
