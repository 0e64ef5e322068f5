"""Pushes of the Apex triggers: proof, shapes, events."""

import contextlib
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import InvalidPayload, InvalidSignature, WebhookRequest
from hub_salesforce.case import CASE, OBJECTS
from hub_salesforce.inbound.receiver import delivery_key, receiver_of, verify
from hub_salesforce.settings import SalesforceSettings
from hub_salesforce.testing import AGENT, INTEGRATION, PUSH_KEY, FakeSalesforce

ID = "500xx000000bqjZAAQ"
OPPORTUNITY = "006xx000001abcdAAA"
PARSE = receiver_of(OBJECTS).parse
PROOF = "sha256="


def row(**more: Any) -> dict[str, Any]:
    plain = {
        "attributes": {"type": "Case", "url": "/x"},
        "Id": ID,
        "Status": "New",
        "SystemModstamp": "2026-11-20T09:15:02.000+0000",
    }
    return {**plain, **more}


def request(body: object, **headers: str) -> WebhookRequest:
    return WebhookRequest(headers=headers, body=json.dumps(body).encode())


def signed(body: bytes, key: str = PUSH_KEY) -> WebhookRequest:
    digest = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    return WebhookRequest(headers={"x-hub-signature": PROOF + digest}, body=body)


def test_a_signed_push_is_accepted_and_a_changed_one_refused(settings: SalesforceSettings) -> None:
    good = signed(b'{"new":[]}')

    verify(settings, good)
    with pytest.raises(InvalidSignature, match="not that of this body"):
        verify(settings, WebhookRequest(headers=good.headers, body=b'{"new":[ ]}'))


@pytest.mark.covers("SF-021", "RF-030")
def test_a_basic_header_tells_which_box_is_checked(settings: SalesforceSettings) -> None:
    with pytest.raises(InvalidSignature, match="uncheck 'Generate Authorization Header'"):
        verify(settings, request({}, authorization="Basic c2VjcmV0"))


@pytest.mark.covers("SF-022", "RF-031")
def test_an_unfilled_key_tells_which_box_is_not_checked(settings: SalesforceSettings) -> None:
    with pytest.raises(InvalidSignature, match="check 'Allow Merge Fields in HTTP Header'"):
        verify(settings, request({}, authorization="Bearer {!$Credential.Password}"))


def test_the_key_of_the_named_credential_is_a_proof(settings: SalesforceSettings) -> None:
    verify(settings, request({}, authorization=f"Bearer {PUSH_KEY}"))
    with pytest.raises(InvalidSignature):
        verify(settings, request({}, authorization="Bearer other"))


def test_nothing_is_accepted_without_a_key(settings: SalesforceSettings) -> None:
    open_one = settings.model_copy(update={"webhook_secret": None})

    with pytest.raises(InvalidSignature, match="no push key is set"):
        verify(open_one, request({}))
    with pytest.raises(InvalidSignature, match="proves nothing"):
        verify(settings, request({}))


def test_another_orgs_push_is_refused(settings: SalesforceSettings) -> None:
    with pytest.raises(InvalidSignature, match="comes from org 00Dxx0000001gPLEAY"):
        verify(settings, signed(b'{"orgId":"00Dxx0000001gPLEAY","new":[]}'))


def test_15_characters_of_the_same_org_are_the_same_org(
    settings: SalesforceSettings, org: FakeSalesforce
) -> None:
    verify(settings, signed(json.dumps({"orgId": org.world.id[:15]}).encode()))


def test_what_is_left_out_of_new_was_cleared() -> None:
    push = {"old": {ID: row(Reason="Breakdown")}, "new": {ID: row()}}

    (event,) = PARSE(request(push))

    assert event.before == {"reason": "Breakdown"}
    assert event.record.values["reason"] is None


def test_a_save_without_any_change_is_nothing_for_us() -> None:
    assert PARSE(request({"old": {ID: row()}, "new": {ID: row()}})) == []


def test_a_save_that_moved_only_the_stamp_changed_only_noise() -> None:
    later = row(SystemModstamp="2026-11-20T09:16:02.000+0000")

    (event,) = PARSE(request({"old": {ID: row()}, "new": {ID: later}}))

    assert set(event.before or ()) == {"stamped_at"}


def test_the_acting_persons_email_is_a_field() -> None:
    push = {
        "new": {ID: row()},
        "old": {ID: row(Status="Working")},
        "actingEmail": "agent@acme.example",
    }

    (event,) = PARSE(request(push))

    assert event.record.values["changed_by_email"] == "agent@acme.example"


def test_our_key_in_a_custom_field_is_the_events_origin() -> None:
    key = "h" + "b7" * 16
    push = {
        "operation": "insert",
        "new": {ID: row(Any_Key__c=key, CreatedDate="2026-11-20T09:15:02.000+0000")},
    }

    (event,) = PARSE(request(push))

    assert event.origin == key


def test_an_object_that_nobody_declared_keeps_its_api_names() -> None:
    both = {
        "attributes": {"type": "Opportunity"},
        "Id": OPPORTUNITY,
        "SystemModstamp": "2026-11-20T09:15:02.000+0000",
    }
    push = {
        "object": "Opportunity",
        "operation": "update",
        "old": {OPPORTUNITY: {**both, "StageName": "Prospecting"}},
        "new": {OPPORTUNITY: {**both, "StageName": "Closed Won", "CloseDate": "2026-12-01"}},
    }

    (event,) = PARSE(request(push))

    assert event.trigger == "salesforce.opportunity.updated"
    assert event.before == {"StageName": "Prospecting", "CloseDate": None}


def test_a_bare_map_of_new_records_is_read_by_its_stamps() -> None:
    stamp = {"CreatedDate": "2026-11-20T09:15:02.000+0000"}

    (made,) = PARSE(request({ID: row(**stamp)}))
    (changed,) = PARSE(request({ID: row(**stamp, SystemModstamp="2026-11-20T10:00:00.000+0000")}))

    assert made.trigger.endswith("created")
    assert changed.trigger.endswith("updated")
    assert changed.before is None


def test_ids_alone_are_left_to_the_poller() -> None:
    assert PARSE(request({"operation": "comment", "ids": [ID]})) == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"new": {ID: {"Id": "x"}}}, "/new/0"),
        ({"new": {ID: row(attributes=None)}}, f"/new/{ID}"),
        ({"new": "{"}, "/new"),
        ({"new": 7}, "/new"),
        ([], ""),
    ],
)
def test_what_cannot_be_read_is_pointed_at(body: object, pointer: str) -> None:
    with pytest.raises(InvalidPayload) as refused:
        PARSE(request(body))

    assert pointer == refused.value.pointer


@given(st.binary(max_size=200))
def test_any_bytes_are_events_or_an_invalid_payload(body: bytes) -> None:
    with contextlib.suppress(InvalidPayload):
        PARSE(WebhookRequest(headers={}, body=body))


def test_the_job_is_the_deliverys_key() -> None:
    assert delivery_key(request({}, **{"x-hub-delivery": "707"})) == "707"
    assert delivery_key(request({})) == ""


async def test_a_change_of_250_cases_is_two_pushes(
    pushing: None, org: FakeSalesforce, hub_end: Any
) -> None:
    cases = org.act(AGENT, lambda t: [t.create("Case", {"Subject": str(n)}) for n in range(250)])
    await org.settled()

    assert len(cases) == 250
    assert len(hub_end.requests) == 2
    assert len({event.key for event in hub_end.events}) == 250


async def test_a_push_that_fails_is_lost(pushing: None, org: FakeSalesforce, hub_end: Any) -> None:
    hub_end.status = 503
    org.create(AGENT, "Case", Subject="a")
    await org.settled()

    assert [one.status for one in org.outgoing.deliveries] == [503]


async def test_a_flow_that_answers_our_write_is_told_apart_by_its_values(
    pushing: None, org: FakeSalesforce, hub_end: Any
) -> None:
    def escalate(world: Any, new: Any, old: Any) -> None:
        if old and new["Status"] == "Working" and old["Status"] != "Working":
            new["IsEscalated"] = True

    org.world.automation.before["Case"] = [escalate]
    case = org.create(AGENT, "Case", Subject="a")
    org.update(INTEGRATION, "Case", case, Status="Working")
    await org.settled()

    change = hub_end.events[-1]
    assert change.actor == org.world.users[INTEGRATION].id
    assert {"status": "New", "is_escalated": False}.items() <= change.before.items()


async def test_a_push_may_come_twice_with_the_same_keys(
    pushing: None, org: FakeSalesforce, hub_end: Any
) -> None:
    org.faults.add("double_push")
    org.create(AGENT, "Case", Subject="a")
    await org.settled()

    first, second = hub_end.requests
    assert delivery_key(first) == delivery_key(second)
    assert len({event.key for event in hub_end.events}) == 1


@pytest.mark.parametrize("style", ["hub", "lists", "bare"])
async def test_every_shape_of_a_push_tells_of_the_same_case(
    org: FakeSalesforce, hub_end: Any, style: str
) -> None:
    org.apex_trigger("Case", "http://hub.test/", PUSH_KEY, style=style, proof="bearer")
    case = org.create(AGENT, "Case", Subject="a")
    await org.settled()

    (event,) = hub_end.events
    assert (event.trigger, event.record.id) == (f"{CASE.name}.created", case)


@pytest.mark.parametrize("odd", [[], {}, 7, True])
def test_odd_members_of_the_envelope_are_as_if_they_were_missing(odd: object) -> None:
    names = ("instanceUrl", "userName", "userEmail", "userId")
    push = {"operation": "update", "new": {ID: row()}, **dict.fromkeys(names, odd)}

    (event,) = PARSE(request(push))

    assert (event.record.url, event.actor_name) == (None, None)


@pytest.mark.parametrize("stamp", ["0001-01-01T00:00:00+14:00", "soon", ""])
def test_a_stamp_that_is_no_time_makes_the_push_unreadable(stamp: str) -> None:
    with pytest.raises(InvalidPayload):
        PARSE(request({"new": {ID: row(SystemModstamp=stamp)}}))
