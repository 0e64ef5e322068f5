"""A record that ended by going into another: what was linked to it is linked to that one."""

from hub.correlations.linking import LinkWanted
from hub.correlations.repository import RecordKey
from hub.deliveries.pending import PendingEvent
from hub.deliveries.steps import Line
from hub.worker.loading import Known
from hub.worker.parts import Parts
from hub.worker.telling import event_line


def joining(event: PendingEvent, known: Known) -> LinkWanted | None:
    """Return the link to make, in place of the event's record; None when nothing is linked."""
    target, matter = event.event.joins, known.matter_of(event.record)
    if target is None or matter is None:
        return None
    return LinkWanted(
        record=RecordKey(event.tenant_id, event.connector_id, target.source_object, target.id),
        correlation_id=matter.id,
        instead_of=event.record,
        by=f"{event.record.record_id} went into it",
    )


def joining_lines(parts: Parts, event: PendingEvent, known: Known) -> tuple[Line, ...]:
    """Say in the activity where the links went."""
    wanted = joining(event, known)
    if wanted is None:
        return ()
    said = f"what was linked to it is linked to {wanted.record.record_id} now"
    return (event_line(parts, event, known, said, "info"),)
