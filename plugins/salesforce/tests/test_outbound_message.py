"""Outbound Messages: hardened reading, the Ack, sending again."""

import asyncio
import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import InvalidPayload, InvalidSignature, WebhookRequest
from hub_salesforce.case import OBJECTS
from hub_salesforce.inbound import outbound_message as messages
from hub_salesforce.inbound.receiver import delivery_key, receiver_of, verify
from hub_salesforce.settings import SalesforceSettings
from hub_salesforce.testing import AGENT, PUSH_KEY, FakeSalesforce

PARSE = receiver_of(OBJECTS).parse
URL = f"http://hub.test/webhook?token={PUSH_KEY}"
FIELDS = ("Id", "CaseNumber", "Status", "Subject", "IsClosed", "SystemModstamp", "LastModifiedById")


def xml(text: str) -> WebhookRequest:
    return WebhookRequest(headers={"content-type": "text/xml"}, body=text.encode())


async def test_a_message_is_acknowledged_and_read(
    org: FakeSalesforce, hub_end: Any, settings: SalesforceSettings
) -> None:
    hub_end.settings = settings
    org.outbound_message("Case", URL, fields=FIELDS)
    case = org.create(AGENT, "Case", Subject="Shop floor & line 3")
    hub_end.status = 200
    await org.settled()

    (event,) = hub_end.events
    assert event.record.id == case
    assert event.record.values["subject"] == "Shop floor & line 3"
    assert event.record.values["is_closed"] is False
    assert event.before is None
    assert org.outgoing.queue == []


async def test_a_202_is_no_acknowledgement_and_the_latest_data_come_again(
    org: FakeSalesforce, hub_end: Any, clock: Any
) -> None:
    org.outbound_message("Case", URL, fields=FIELDS)
    hub_end.status = 202
    case = org.create(AGENT, "Case", Subject="a")
    await org.settled()
    org.update(AGENT, "Case", case, Status="Closed")
    hub_end.status = 200

    clock.advance(31)
    await org.outgoing.send_messages()

    assert org.outgoing.queue == []
    assert {event.record.values["status"] for event in hub_end.events} == {"New", "Closed"}


async def test_what_is_never_acknowledged_is_dropped_after_a_day(
    org: FakeSalesforce, hub_end: Any, clock: Any
) -> None:
    org.outbound_message("Case", URL)
    hub_end.status = 500
    org.create(AGENT, "Case", Subject="a")
    await org.settled()

    for _ in range(30):
        clock.advance(3600)
        await org.outgoing.send_messages()

    assert org.outgoing.queue == []
    assert 10 < len(org.outgoing.deliveries) < 30


async def test_a_message_sent_again_has_the_same_key(
    org: FakeSalesforce, hub_end: Any, clock: Any
) -> None:
    org.outbound_message("Case", URL)
    hub_end.status = 500
    org.create(AGENT, "Case", Subject="a")
    await org.settled()
    clock.advance(60)
    await org.outgoing.send_messages()

    keys = {delivery_key(request) for request in hub_end.requests}

    assert len(hub_end.requests) == 2
    assert len(keys) == 1


def test_the_key_in_the_address_is_the_proof(settings: SalesforceSettings) -> None:
    body = b"<notifications/>"

    verify(settings, WebhookRequest(headers={}, body=body, query={"token": PUSH_KEY}))
    with pytest.raises(InvalidSignature):
        verify(settings, WebhookRequest(headers={}, body=body, query={"token": "other"}))


@pytest.mark.parametrize(
    "text",
    [
        "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
        "<x>",
        "<x/>",
        "<x>\x00</x>",
    ],
)
def test_dangerous_or_foreign_documents_are_refused(text: str) -> None:
    with pytest.raises(InvalidPayload):
        PARSE(xml(text))


def test_too_large_a_document_is_refused_unread() -> None:
    with pytest.raises(InvalidPayload, match="too large"):
        PARSE(xml("<x>" + "a" * messages.LARGEST + "</x>"))


@given(st.text(alphabet="<>/&;!?abc\"' =x", max_size=80))
def test_any_xml_is_events_or_an_invalid_payload(text: str) -> None:
    with contextlib.suppress(InvalidPayload):
        PARSE(xml("<" + text))


async def test_a_session_id_is_neither_read_nor_kept(org: FakeSalesforce, hub_end: Any) -> None:
    org.outbound_message("Case", URL, include_session=True)
    org.create(AGENT, "Case", Subject="a")
    await org.settled()

    assert b"<SessionId>" in hub_end.requests[0].body
    assert org.world.id not in str(hub_end.events[0])


async def test_while_served_a_message_is_sent_again_without_being_asked(
    org: FakeSalesforce, hub_end: Any, clock: Any
) -> None:
    org.pump.every = 0.01
    org.outbound_message("Case", URL)
    hub_end.status = 500
    org.create(AGENT, "Case", Subject="a")
    await org.settled()
    org.pump.ensure()
    hub_end.status = 200
    clock.advance(60)

    for _ in range(100):
        await asyncio.sleep(0.01)
        if not org.outgoing.queue:
            break

    assert [one.status for one in org.outgoing.deliveries] == [500, 200]
