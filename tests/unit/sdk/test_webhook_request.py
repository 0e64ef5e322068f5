"""A delivery's body is read as JSON, whatever vendors call JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hub

content = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


def request(body: bytes) -> hub.WebhookRequest:
    return hub.WebhookRequest(headers={}, body=body)


@given(content)
def test_json_is_read(told):
    assert request(json.dumps(told).encode()).json() == told


def test_half_a_character_is_read():
    assert request(b'{"title": "a\\ud800"}').json() == {"title": "a\ud800"}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"<html>"])
def test_what_is_no_json_is_an_invalid_payload(body):
    with pytest.raises(hub.InvalidPayload, match="The body is no JSON"):
        request(body).json()
