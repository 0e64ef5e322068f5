"""What is written down of requests and answers: never a secret."""

import gzip
import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.connectors import redaction
from hub.logs import HIDDEN

SECRET = "s3cr3t-Value-0001"
JSON = {"content-type": "application/json"}
names = st.sampled_from(["api_key", "password", "access_token", "routing_key", "client_secret"])
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(names, plain, st.lists(st.sampled_from(["a", "list", "deep"]), max_size=4))
def test_a_secret_member_is_hidden_however_deep(name, beside, path) -> None:
    value = {name: SECRET, "beside": beside}
    for step in path:
        value = [value] if step == "list" else {step: value}

    told = redaction.body(json.dumps(value).encode(), JSON)

    assert SECRET not in told
    assert HIDDEN in told


@given(st.binary(max_size=200), st.sampled_from(["application/json", "text/xml", "", "x"]))
def test_any_body_can_be_written_down(body: bytes, kind: str) -> None:
    told = redaction.body(body, {"content-type": kind})

    assert "\x00" not in told


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (f"grant_type=password&password={SECRET}&x=1", "application/x-www-form-urlencoded"),
        (f"<ns:password>{SECRET}</ns:password>", "text/xml"),
        (f"<sessionId>{SECRET}</sessionId>", "text/xml"),
        (json.dumps([{"Authorization": SECRET}]), ""),
    ],
)
def test_other_shapes_hide_it_too(body: str, kind: str) -> None:
    assert SECRET not in redaction.body(body.encode(), {"content-type": kind})


def test_addresses_lose_users_and_secret_values() -> None:
    told = redaction.url(f"https://me:{SECRET}@vendor.example/a?token={SECRET}&page=2")

    assert told == f"https://vendor.example/a?token={HIDDEN.replace(' ', '+')}&page=2"


def test_a_packed_answer_is_unpacked_and_a_broken_one_told() -> None:
    headers = {"content-encoding": "gzip", **JSON}
    packed = httpx.Response(200, headers=headers, stream=_bytes(gzip.compress(b'{"a": 1}')))
    broken = httpx.Response(200, headers=headers, stream=_bytes(b"no gzip"))

    assert redaction.answer(packed) == '{"a": 1}'
    assert "can't be unpacked" in redaction.answer(broken)


def _bytes(content: bytes) -> httpx.ByteStream:
    return httpx.ByteStream(content)


def test_long_bodies_are_shortened() -> None:
    told = redaction.body(b"x" * 100_000, {})

    assert len(told) < 17_000
    assert told.endswith("(100000 bytes)")
