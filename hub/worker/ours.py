"""What of an event's changes is somebody else's."""

from collections.abc import Mapping
from dataclasses import replace

from hub.sdk.events import Event
from hub.sdk.vocabulary import Value


def without_ours(
    event: Event, ours: frozenset[str], seen: Mapping[str, Value] | None
) -> tuple[Event, Mapping[str, Value] | None]:
    """Take what the hub wrote itself, and what was never reported before, out of what changed."""
    if event.before:
        left = {name: value for name, value in event.before.items() if name not in ours}
        return (replace(event, before=left or None) if ours else event), seen
    if event.before is not None or seen is None:
        return event, seen
    unchanged = {
        name: value
        for name, value in event.record.values.items()
        if name in ours or name not in seen
    }
    return event, {**seen, **unchanged}
