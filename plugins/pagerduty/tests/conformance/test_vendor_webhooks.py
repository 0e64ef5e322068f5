"""Signed deliveries and example webhooks that PagerDuty published are accepted and read."""

import json

import pytest
from pd_folder import vendor_folder

import hub
from hub_pagerduty.settings import PagerDutySettings
from hub_pagerduty.subscription import EVENTS
from hub_pagerduty.vocabulary import TRIGGER_NAMES
from hub_pagerduty.webhooks import parse, verify

FOLDER = vendor_folder()
WEBHOOKS = FOLDER.parent / "webhooks" if FOLDER else None
pytestmark = pytest.mark.skipif(
    WEBHOOKS is None or not WEBHOOKS.is_dir(),
    reason="VENDOR_DATA does not name the folder with PagerDuty's published webhooks",
)


def vectors():
    return json.loads((WEBHOOKS / "v3" / "signed-vectors.json").read_text()) if WEBHOOKS else []


def request_of(vector, body=None, header=None):
    header = header or vector["header_X-PagerDuty-Signature"]
    body = vector["body"].encode() if body is None else body
    return hub.WebhookRequest(headers={"x-pagerduty-signature": header}, body=body)


def trusting(*secrets):
    return PagerDutySettings(api_key="unused", webhook_secret=" ".join(secrets))


@pytest.mark.parametrize("vector", vectors(), ids=lambda one: one["event_type"])
class TestSignedVectors:
    def test_it_verifies_with_its_secret_among_others(self, vector):
        verify(trusting("another", vector["secret"]), request_of(vector))

    def test_it_verifies_behind_a_signature_that_nobody_knows(self, vector):
        header = f"v1={'0' * 64},   {vector['header_X-PagerDuty-Signature']}"

        verify(trusting(vector["secret"]), request_of(vector, header=header))

    def test_one_changed_byte_is_refused(self, vector):
        body = bytearray(vector["body"].encode())
        body[len(body) // 2] ^= 1

        with pytest.raises(hub.InvalidSignature):
            verify(trusting(vector["secret"]), request_of(vector, body=bytes(body)))

    def test_json_written_anew_is_refused(self, vector):
        body = json.dumps(json.loads(vector["body"])).encode()

        with pytest.raises(hub.InvalidSignature):
            verify(trusting(vector["secret"]), request_of(vector, body=body))

    def test_another_secret_is_refused(self, vector):
        with pytest.raises(hub.InvalidSignature):
            verify(trusting("another"), request_of(vector))

    def test_it_is_read(self, vector):
        names = [event.trigger for event in parse(request_of(vector))]

        wanted = f"pagerduty.{vector['event_type']}"
        assert ([] if vector["event_type"] == "pagey.ping" else [wanted]) == names


def examples():
    if WEBHOOKS is None:
        return []
    folders = [
        WEBHOOKS / "v1",
        WEBHOOKS / "v2",
        WEBHOOKS / "v3" / "docs-full",
        WEBHOOKS / "v3" / "composed",
    ]
    return [file for folder in folders for file in sorted(folder.glob("*.json"))]


@pytest.mark.parametrize("file", examples(), ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_published_example_is_read(file):
    events = parse(hub.WebhookRequest(headers={}, body=file.read_bytes()))

    if file.stem == "pagey.ping":
        assert events == []
        return
    assert [bool(event.record.id) for event in events] == [True]
    assert events[0].record.source_object in {"pagerduty.incident", "pagerduty.service"}


def test_every_published_event_type_has_its_trigger():
    published = set(json.loads((WEBHOOKS / "v3" / "event-types.json").read_text()))

    assert set(EVENTS) == published - {"pagey.ping"}
    assert {f"pagerduty.{one}" for one in EVENTS} <= TRIGGER_NAMES
