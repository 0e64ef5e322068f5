"""Who may deliver."""

import base64
import hashlib
import hmac
import json

import pytest

import hub
from hub_pagerduty.settings import PagerDutySettings
from hub_pagerduty.webhooks import delivery_key, parse, verify

BODY = json.dumps({"event": {"event_type": "pagey.ping"}}).encode()
TIME = "/event/occurred_at"
LEGACY = json.dumps({"messages": []}).encode()
SECRET = "kR2/looks+like+base64=="


def settings(**more):
    return PagerDutySettings.model_validate({"api_key": "k", "webhook_secret": SECRET, **more})


def signature(body=BODY, secret=SECRET):
    return "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def request(header=None, body=BODY, query=None, **headers):
    given = {"x-pagerduty-signature": header} if header is not None else {}
    return hub.WebhookRequest(headers=given | headers, body=body, query=query or {})


@pytest.mark.covers("IM-078")
@pytest.mark.parametrize(
    "header",
    [
        signature(),
        f"v1={'0' * 64},{signature()}",
        f"v1={'0' * 64} ,  {signature()}",
        f"v2=abc,{signature()}",
    ],
)
def test_one_fitting_signature_is_enough(header):
    verify(settings(), request(header))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "v1=",
        signature().removeprefix("v1="),
        signature().replace("v1", "v2"),
        signature(BODY + b" "),
        signature(secret=SECRET + "x"),
        "v1=ünicode",
    ],
)
def test_anything_else_is_refused(header):
    with pytest.raises(hub.InvalidSignature):
        verify(settings(), request(header))


def test_old_and_new_secret_are_both_good_while_keys_rotate():
    both = settings(webhook_secret=f"new-one {SECRET}")

    verify(both, request(signature()))
    verify(both, request(signature(secret="new-one")))


def test_without_a_secret_nothing_is_accepted():
    with pytest.raises(hub.InvalidSignature, match="No webhook secret"):
        verify(settings(webhook_secret=None), request(signature()))


def test_an_unsigned_test_is_refused_and_told_which_header_is_missing():
    with pytest.raises(hub.InvalidSignature, match="x-pagerduty-signature"):
        verify(settings(), request(body=b'{"test": "ping"}'))


def test_v1_and_v2_are_accepted_with_the_legacy_token_only():
    legacy = settings(webhook_legacy=True, webhook_token="t0ken")
    basic = base64.b64encode(b"pagerduty:t0ken").decode()

    verify(legacy, request(body=LEGACY, query={"token": "t0ken"}))
    verify(legacy, request(body=LEGACY, **{"x-hub-token": "t0ken"}))
    verify(legacy, request(body=LEGACY, authorization=f"Basic {basic}"))
    for refused in (
        request(body=LEGACY),
        request(body=LEGACY, query={"token": "other"}),
        request(body=LEGACY, authorization="Basic !"),
        request(body=LEGACY, authorization="Bearer t0ken"),
        request(body=BODY, query={"token": "t0ken"}),
    ):
        with pytest.raises(hub.InvalidSignature):
            verify(legacy, refused)


def test_v1_and_v2_are_refused_while_they_are_not_allowed():
    with pytest.raises(hub.InvalidSignature):
        verify(settings(webhook_token="t0ken"), request(body=LEGACY, query={"token": "t0ken"}))


def test_a_delivery_is_known_by_pagerdutys_id():
    assert delivery_key(request(**{"x-webhook-id": "abc"})) == "abc"
    assert delivery_key(request()) == ""


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"", ""),
        (b"no json", ""),
        (b"[]", ""),
        (b"{}", "/event"),
        (b'{"event": []}', "/event"),
        (b'{"event": {}}', "/event/event_type"),
        (b'{"event": {"event_type": "incident.resolved"}}', "/event/data"),
        (b'{"event": {"event_type": "incident.x", "data": {"incident": {"id": "P"}}}}', TIME),
        (b'{"messages": 1}', "/messages"),
        (b'{"messages": [{}]}', "/messages/0"),
        (b'{"messages": [{"event": "incident.trigger"}]}', "/messages/0/incident"),
    ],
)
def test_what_cannot_be_read_says_where(body, pointer):
    with pytest.raises(hub.InvalidPayload) as found:
        parse(request(body=body))

    assert found.value.pointer == pointer


def test_deep_nesting_is_unreadable_rather_than_fatal():
    with pytest.raises(hub.InvalidPayload):
        parse(request(body=b"[" * 100_000))


def test_numbers_and_letters_that_no_database_keeps_are_made_harmless():
    body = json.dumps(
        {
            "event": {
                "id": "e",
                "event_type": "incident.triggered",
                "occurred_at": "2025-08-23T14:00:00Z",
                "data": {"type": "incident", "id": "P1", "title": "a\x00b\ud800c"},
            }
        }
    ).encode()

    (event,) = parse(request(body=body))

    assert event.record.values["title"] == "ab?c"
