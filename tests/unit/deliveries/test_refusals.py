"""Refused deliveries: one line a minute, connector and reason, however many come."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.deliveries.refusals import Refusals

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TENANT, ONE, OTHER = (uuid.UUID(int=number) for number in (1, 2, 3))


def texts(lines: Iterable[Mapping[str, Any]]) -> list[tuple[object, object]]:
    return [(line["connector_id"], line["text"]) for line in lines]


def test_a_flood_is_one_line_a_minute_with_the_count() -> None:
    refusals = Refusals()
    told: list[dict[str, Any]] = []
    for second in range(121):
        for _ in range(100):
            refusals.note(TENANT, ONE, "signature", "wrong")
        told += refusals.due(NOON + timedelta(seconds=second))

    assert texts(told) == [
        (ONE, "100 deliveries were refused (signature): wrong"),
        (ONE, "6000 deliveries were refused (signature): wrong"),
        (ONE, "6000 deliveries were refused (signature): wrong"),
    ]


def test_connectors_and_reasons_are_told_apart() -> None:
    refusals = Refusals()
    refusals.note(TENANT, ONE, "signature", "wrong")
    refusals.note(TENANT, ONE, "rate", "too many")
    refusals.note(TENANT, OTHER, "rate", "too many")

    assert texts(refusals.due(NOON)) == [
        (ONE, "A delivery was refused (signature): wrong"),
        (ONE, "A delivery was refused (rate): too many"),
        (OTHER, "A delivery was refused (rate): too many"),
    ]
    assert refusals.due(NOON + timedelta(hours=1)) == []
