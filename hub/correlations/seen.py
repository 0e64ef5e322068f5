"""What is known of a record: what its vendor reported, and what the hub set since. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from hub.correlations.echo import EARLY
from hub.correlations.values import pack, unpack
from hub.sdk.events import Event, Record
from hub.sdk.vocabulary import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A record's newest values; `written` are fields that the hub set and when."""

    values: Mapping[str, Value]
    occurred_at: datetime
    written: Mapping[str, tuple[Value, datetime]] = field(default_factory=dict)
    url: str | None = None
    human_id: str | None = None

    @property
    def present(self) -> dict[str, Value]:
        """The values as they must be by now."""
        return {**self.values, **{name: value for name, (value, _) in self.written.items()}}

    def told(self, event: Event) -> "Seen":
        """Return what is known after the event; an older one than the newest changes nothing."""
        if event.occurred_at < self.occurred_at:
            return self
        record = event.record
        late = event.occurred_at + EARLY
        return Seen(
            values={**self.values, **record.values},
            occurred_at=event.occurred_at,
            written={
                name: (value, at)
                for name, (value, at) in self.written.items()
                if name not in record.values or late < at
            },
            url=record.url or self.url,
            human_id=record.human_id or self.human_id,
        )

    def wrote(self, values: Mapping[str, Value], at: datetime) -> "Seen":
        """Return what is known after the hub set these fields."""
        return replace(
            self, written={**self.written, **{name: (value, at) for name, value in values.items()}}
        )


def first_seen(record: Record, at: datetime) -> Seen:
    """Return what is known of a record that was not seen before."""
    return Seen(
        values=dict(record.values), occurred_at=at, url=record.url, human_id=record.human_id
    )


def pack_written(seen: Seen) -> str:
    """Return what the hub wrote as JSON text."""
    return pack({name: [value, at] for name, (value, at) in seen.written.items()})


def unpack_written(text: Any) -> dict[str, tuple[Value, datetime]]:  # noqa: ANN401 - JSON
    """Read what the hub wrote."""
    return {name: (pair[0], pair[1]) for name, pair in (unpack(text) or {}).items()}
