"""Deliveries of all generations, and what becomes of them when parts are missing."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hub
from hub_pagerduty.payloads.values import custom_value, moment
from hub_pagerduty.vocabulary import FIELDS, OLDER_NAMES, custom_key, custom_name
from hub_pagerduty.webhooks import parse

FILES = sorted((Path(__file__).parent / "payloads").glob("*.json"))
BODIES = [json.loads(json.loads(file.read_text())["body"]) for file in FILES]
NEEDED = {
    "id",
    "event_type",
    "occurred_at",
    "event",
    "data",
    "type",
    "messages",
    "created_on",
    "incident",
    "service",
    "created_at",
    "incident_role_assignments",
}


def events_of(body):
    return parse(hub.WebhookRequest(headers={}, body=json.dumps(body).encode()))


def payload(name):
    file = next(file for file in FILES if file.stem == name)
    return json.loads(json.loads(file.read_text())["body"])


@given(st.sampled_from(BODIES), st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_optional_part_is_missed(body, data):
    changed = copy.deepcopy(body)
    for _ in range(data.draw(st.integers(1, 4))):
        spoil(changed, data)

    events = events_of(changed)

    assert len(events) == len(events_of(body))


def spoil(node, data):
    """Drop, null, or replace one optional member somewhere inside."""
    places = list(members(node))
    if not places:
        return
    parent, key = data.draw(st.sampled_from(places))
    how = data.draw(st.sampled_from(["drop", "null", "extra", "huge"]))
    if how == "drop":
        parent.pop(key, None)
    elif how == "null":
        parent[key] = None
    elif how == "huge":
        parent[key] = "x" * 5000
    else:
        parent["brand_new"] = {"a": [1, {"b": None}]}


def members(node):
    if isinstance(node, dict):
        for key, value in list(node.items()):
            if key not in NEEDED:
                yield node, key
            yield from members(value)
    if isinstance(node, list):
        for one in node:
            yield from members(one)


@given(st.text(min_size=1))
def test_an_unknown_event_type_is_never_an_error(kind):
    body = payload("triggered")
    body["event"]["event_type"] = f"incident.{kind}"

    (event,) = events_of(body)

    assert event.record.id == "Q1A2B3C4D5E6F7"


@pytest.mark.covers("RF-071")
@pytest.mark.parametrize(
    ("name", "older"),
    [
        ("triggered", "trigger"),
        ("acknowledged", "acknowledge"),
        ("resolved", "resolve"),
        ("reassigned", "assign"),
        ("escalated", "escalate"),
        ("delegated", "delegate"),
        ("v2_custom", "custom"),
        ("v2_trigger", "trigger"),
        ("v1_assign", "assign"),
        ("reopened", None),
    ],
)
def test_the_older_names_are_offered_whatever_the_version(name, older):
    events = events_of(payload(name))

    assert events[0].record.values["event_type"] == older


@pytest.mark.parametrize("name", ["merged", "v2_resolve_merged"])
def test_a_merge_is_not_a_resolve(name):
    (event,) = events_of(payload(name))

    assert event.trigger == "pagerduty.incident.merged"
    assert event.record.values["resolve_reason"] == "merged"


def test_a_merge_names_the_incident_that_goes_on():
    (event,) = events_of(payload("merged"))

    assert event.record.values["merged_into"] == "Q7F6E5D4C3B2A1"


def test_a_note_carries_its_id_and_author():
    (event,) = events_of(payload("annotated"))

    assert (event.note, event.before) == ("PNOTE01", {"note": None})
    assert event.record.values["note_author"] == "John Doe"
    assert "title" not in event.record.values


def test_old_values_of_custom_fields_come_along():
    (event,) = events_of(payload("custom_field_values_updated"))

    assert event.before == {"environment": "staging"}
    assert event.record.values["environment"] == "production"
    assert event.record.values["affected_users"] == 42
    assert event.record.values["custom_title"] == "named like a declared field"


def test_a_reference_without_a_name_does_not_blank_the_name():
    (event,) = events_of(payload("older_shape"))

    assert event.record.values["service"] == "PDAT001"
    assert "service_name" not in event.record.values


def test_a_conference_number_may_be_a_number():
    (event,) = events_of(payload("older_shape"))

    assert event.record.values["conference_number"] == "14155550100"


def test_the_incident_key_comes_back_as_origin():
    assert events_of(payload("triggered"))[0].origin == "hub-7f3a"
    assert events_of(payload("by_events_api"))[0].origin is None


def test_a_timeout_has_no_actor():
    (event,) = events_of(payload("unacknowledged_by_timeout"))

    assert (event.actor, event.actor_name) == (None, None)


def test_a_ping_and_what_is_not_ours_are_no_events():
    assert events_of(payload("ping")) == []
    assert events_of(payload("unknown_without_incident")) == []


def test_both_generations_name_a_change_alike():
    v3, v2 = events_of(payload("triggered"))[0], events_of(payload("v2_trigger"))[0]

    assert (v3.trigger, v3.record.ref) == (v2.trigger, v2.record.ref)
    assert v3.key != v2.key


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2025-08-23T14:31:00Z", "2025-08-23T14:31:00+00:00"),
        ("2025-08-23T14:31:00.169Z", "2025-08-23T14:31:00.169000+00:00"),
        ("2025-08-23T16:31:00+02:00", "2025-08-23T14:31:00+00:00"),
        ("2025-08-23T14:31:00", "2025-08-23T14:31:00+00:00"),
    ],
)
def test_times_become_utc(text, read):
    assert moment(text).isoformat() == read


@given(st.text() | st.none() | st.integers())
def test_what_is_no_time_is_none_or_aware(value):
    read = moment(value)

    assert read is None or read.tzinfo is not None


@given(
    st.sampled_from(["string", "integer", "float", "boolean", "datetime", "url", "new", None]),
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists),
)
def test_any_custom_value_is_read(data_type, value):
    custom_value({"data_type": data_type, "value": value})


@given(st.sampled_from([field.key for field in FIELDS]) | st.from_regex(r"[a-z0-9_]{1,50}"))
def test_a_custom_fields_key_leads_back_to_its_name(name):
    assert custom_name(custom_key(name)) == name or name.startswith("custom_")


def test_older_names_are_the_seven():
    assert {"trigger", "acknowledge", "resolve", "assign", "escalate", "custom", "delegate"} == set(
        OLDER_NAMES.values()
    )
