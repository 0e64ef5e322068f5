"""Which events are the same occurrence."""

from datetime import UTC, datetime

from hub.deliveries.reading import new_event
from hub.sdk.events import Event, Record

RECORD = Record(source_object="pagerduty.incident", id="P1", values={"note": "hello"})


def told(key: str, *, note: str | None, verb: str = "annotated") -> str:
    event = Event(
        trigger=f"pagerduty.incident.{verb}",
        record=RECORD,
        occurred_at=datetime(2025, 8, 23, tzinfo=UTC),
        key=key,
        note=note,
    )
    return new_event(event).key


def test_a_note_is_told_once_whatever_the_key_of_the_channel() -> None:
    assert told("webhook-1", note="N1") == told("log.7", note="N1")


def test_two_notes_are_two_events() -> None:
    assert told("webhook-1", note="N1") != told("webhook-1", note="N2")


def test_another_occurrence_about_the_same_note_is_another_event() -> None:
    assert told("webhook-1", note="N1") != told("webhook-2", note="N1", verb="custom_action_run")


def test_without_a_note_the_vendors_key_counts() -> None:
    assert told("webhook-1", note=None) == "webhook-1"
