"""One change, told by a v3 webhook, by an older one, and by the log."""

from typing import Final, Literal, get_args

from hub import Record, RecordRef, Told
from hub_pagerduty.vocabulary import IN_ALL_WAYS, MERGED

Way = Literal["v3", "v2", "v1", "log"]


_TOLD: Final = {way: Told(way=way) for way in get_args(Way)}


def told(trigger: str, way: Way) -> Told | None:
    """Return how the change was told; None for what only one way tells of."""
    return _TOLD[way] if trigger in IN_ALL_WAYS else None


def joined(trigger: str, record: Record) -> RecordRef | None:
    """Return the incident that a merged one went into, where PagerDuty names it."""
    if trigger != MERGED.name:
        return None
    target = record.values.get("merged_into")
    if not isinstance(target, str) or target == record.id:
        return None
    return RecordRef(source_object=record.source_object, id=target)
