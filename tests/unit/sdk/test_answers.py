"""HTTP answers become errors that say what happens next."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hub


def answer(status: int, *, method: str = "POST", text: str = "", **headers: str) -> httpx.Response:
    return httpx.Response(
        status,
        text=text,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        request=httpx.Request(method, "https://vendor.example/things"),
    )


def error_of(found: httpx.Response) -> hub.ConnectorError:
    with pytest.raises(hub.ConnectorError) as caught:
        hub.raise_for_answer(found)
    return caught.value


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_success_raises_nothing(status):
    hub.raise_for_answer(answer(status))


@pytest.mark.parametrize(
    ("method", "status", "expected"),
    [
        ("POST", 401, hub.AuthenticationFailed),
        ("POST", 404, hub.Gone),
        ("GET", 410, hub.Gone),
        ("POST", 429, hub.RateLimited),
        ("POST", 408, hub.Unavailable),
        ("POST", 502, hub.Unavailable),
        ("POST", 503, hub.Unavailable),
        ("GET", 500, hub.Unavailable),
        ("HEAD", 504, hub.Unavailable),
        ("POST", 500, hub.OutcomeUnknown),
        ("PUT", 504, hub.OutcomeUnknown),
        ("POST", 400, hub.Rejected),
        ("POST", 403, hub.Rejected),
        ("POST", 422, hub.Rejected),
        ("GET", 302, hub.Rejected),
    ],
)
def test_the_status_decides_the_class(method, status, expected):
    assert type(error_of(answer(status, method=method))) is expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [("30", 30.0), ("0.5", 0.5), ("-3", 0.0), ("soon", None), ("", None)],
)
def test_retry_after_is_read_in_seconds(header, expected):
    assert error_of(answer(429, retry_after=header)).retry_after == expected


def test_a_missing_retry_after_is_none():
    assert error_of(answer(429)).retry_after is None


def test_the_message_shows_the_vendors_words_on_one_line():
    found = error_of(answer(400, text='{\n  "error": "no such   service"\n}'))

    assert str(found) == '400 Bad Request: { "error": "no such service" }'


def test_an_empty_body_is_called_so():
    assert str(error_of(answer(500))) == "500 Internal Server Error: empty body"


def test_a_long_page_is_cut():
    assert len(str(error_of(answer(502, text="<html>" * 1000)))) < 540


@given(status=st.integers(300, 599), text=st.text(max_size=40))
def test_whatever_is_no_success_is_a_connector_error(status, text):
    assert isinstance(error_of(answer(status, text=text)), hub.ConnectorError)


def test_json_is_read_from_a_success():
    assert hub.json_of(answer(200, text='{"id": 1}')) == {"id": 1}


@pytest.mark.parametrize(
    ("method", "expected"), [("GET", hub.Unavailable), ("POST", hub.OutcomeUnknown)]
)
def test_a_page_in_place_of_json_is_no_success(method, expected):
    with pytest.raises(expected, match="Expected JSON, found 200 OK: <html>"):
        hub.json_of(answer(200, method=method, text="<html>"))


def test_an_empty_success_is_no_json():
    with pytest.raises(hub.OutcomeUnknown, match="empty body"):
        hub.json_of(answer(200))


def test_an_error_with_json_is_still_an_error():
    with pytest.raises(hub.Rejected):
        hub.json_of(answer(400, text="{}"))


def test_a_vendor_that_is_away_may_say_when_to_come_back():
    assert error_of(answer(503, retry_after="7")).retry_after == 7.0
    assert error_of(answer(503)).retry_after is None
