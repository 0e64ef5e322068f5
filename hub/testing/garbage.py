"""Requests that no vendor ever sent: any bytes, and genuine bodies gone wrong."""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from hub.sdk.connector_types import WebhookRequest
from hub.testing.payloads import Payload

_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
)
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


def requests(payloads: Sequence[Payload]) -> st.SearchStrategy[WebhookRequest]:
    """Give requests of any kind, close to genuine ones and far from them."""
    bodies = st.binary(max_size=200) | _JSON.map(lambda one: json.dumps(one).encode())
    if not payloads:
        return st.builds(WebhookRequest, headers=_HEADERS, body=bodies)
    genuine = st.sampled_from([one.request for one in payloads])
    return genuine.flatmap(
        lambda one: st.builds(
            WebhookRequest,
            headers=_HEADERS | st.just(dict(one.headers)),
            body=bodies | _cut(one.body) | _changed(one.body),
            query=st.just(dict(one.query)),
        )
    )


_HEADERS = st.dictionaries(st.text("abcdefgxyz-", min_size=1, max_size=20), st.text(max_size=20))


def _cut(body: bytes) -> st.SearchStrategy[bytes]:
    return st.integers(0, len(body)).map(lambda end: body[:end])


def _changed(body: bytes) -> st.SearchStrategy[bytes]:
    """Give a JSON body with one value anywhere in it replaced; any other body with a hole."""
    try:
        whole = json.loads(body)
    except ValueError:
        return st.integers(0, len(body)).map(lambda place: body[:place] + b"\x00" + body[place:])
    places = list(_places(whole, ()))
    return st.builds(
        lambda place, value: json.dumps(_replaced(whole, place, value)).encode(),
        st.sampled_from(places),
        _JSON,
    )


def _places(value: Any, here: tuple[Any, ...]) -> list[tuple[Any, ...]]:  # noqa: ANN401 - JSON
    members: Sequence[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        members = list(value.items())
    elif isinstance(value, list):
        members = list(enumerate(value))
    return [here, *(place for key, one in members for place in _places(one, (*here, key)))]


def _replaced(value: Any, place: tuple[Any, ...], new: Any) -> Any:  # noqa: ANN401 - JSON
    if not place:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = _replaced(value[place[0]], place[1:], new)
    return copy
