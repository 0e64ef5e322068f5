"""What is accepted though it is large or can't be stored as it is, and what is told of it."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, OperationalError

from hub.deliveries.filing import Accepted, Filer, Filing
from hub.deliveries.patience import Patience
from hub.errors import InvalidDeliverySignature
from hub.sdk.connector_types import WebhookRequest
from hub.testing.rig import SECRET, Rig, item, request_of
from hub.testing.workload import SIGNATURE, sign

LARGE = json.dumps({"events": [item("a", 1)], "more": "x" * 300_000}).encode()


def signed(body: bytes) -> WebhookRequest:
    return WebhookRequest(headers={SIGNATURE: sign(SECRET, body)}, body=body)


async def stored(rig: Rig) -> list[tuple[Any, ...]]:
    return [tuple(one) for one in await rig.rows("SELECT state, events, detail FROM deliveries")]


@pytest.mark.parametrize("patience", [Patience(), Patience(5)])
async def test_a_large_delivery_is_accepted_as_any_other(rig: Rig, patience: Patience) -> None:
    accepted = await rig.engine.intake.accept(await rig.connector(), signed(LARGE), patience)
    again = await rig.engine.intake.accept(await rig.connector(), signed(LARGE), patience)

    assert (accepted.events, accepted.repeated) == (1, False)
    assert (again.delivery_id, again.repeated) == (accepted.delivery_id, True)
    assert await stored(rig) == [("accepted", 1, None)]


async def test_a_large_delivery_is_verified_too(rig: Rig) -> None:
    forged = WebhookRequest(headers={SIGNATURE: sign("other", LARGE)}, body=LARGE)

    with pytest.raises(InvalidDeliverySignature):
        await rig.engine.intake.accept(await rig.connector(), forged)

    assert await stored(rig) == []


async def test_a_large_delivery_that_is_not_read_in_time_ends_the_wait(rig: Rig) -> None:
    with pytest.raises(TimeoutError):
        await rig.engine.intake.accept(await rig.connector(), signed(LARGE), Patience(0))


class Refusing:
    """Stands for a database that does not take a value of any event."""

    def __init__(self, filer: Filer, error: Callable[..., Exception]) -> None:
        self._filer = filer
        self._error = error

    def write(self, connection: Connection, filings: Sequence[Filing]) -> list[Accepted]:
        if any(one.events for one in filings):
            raise self._error("INSERT", None, ValueError("out of range"))
        return self._filer.write(connection, filings)


@pytest.mark.parametrize("patience", [Patience(), Patience(5)])
async def test_the_body_is_kept_of_what_can_not_be_stored(rig: Rig, patience: Patience) -> None:
    intake = rig.engine.intake
    intake.filer = Refusing(intake.filer, DataError)

    accepted = await intake.accept(await rig.connector(), request_of([item("a", 1)]), patience)

    assert accepted.events == 0
    assert await stored(rig) == [("unreadable", 0, "A value can't be stored: DataError")]
    told = intake.counters.value("hub_deliveries_total", source="webhook", outcome="unreadable")
    assert told == 1


async def test_what_a_database_refuses_for_other_reasons_is_not_kept_as_unreadable(
    rig: Rig,
) -> None:
    intake = rig.engine.intake
    intake.filer = Refusing(
        intake.filer, lambda *_: OperationalError("INSERT", None, OSError("disk full"))
    )

    with pytest.raises(OperationalError):
        await intake.accept(await rig.connector(), request_of([item("a", 1)]))

    assert await stored(rig) == []
