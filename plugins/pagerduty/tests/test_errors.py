"""Error answers of every shape that was ever seen."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hub
from hub_pagerduty import errors
from hub_pagerduty.errors import error_of, read_answer


def answer(status, body=None, *, method="GET", headers=None, text=None):
    request = httpx.Request(method, "https://api.pagerduty.com/incidents")
    if text is not None:
        return httpx.Response(status, text=text, headers=headers, request=request)
    return httpx.Response(status, json=body, headers=headers, request=request)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"message": "No", "code": 2001, "errors": ["a", "b"]}}, "400: No, a, b"),
        ({"error": {"message": "No", "code": 2001, "errors": "one text"}}, "400: No, one text"),
        ({"error": ["links should have at most 50 item(s)"]}, "400: links should have at most"),
        ({"error": "Please use a user-level token."}, "400: Please use a user-level token."),
        (
            {"status": "invalid event", "message": "Event object is invalid", "errors": ["x"]},
            "400: Event object is invalid, x",
        ),
    ],
)
def test_each_shape_is_read(body, said):
    assert answer_said(400, body).startswith(said)


def answer_said(status, body):
    return read_answer(status, answer(status, body).text).said


@pytest.mark.parametrize("text", ["", "<html>Bad Gateway</html>", "null", "[1]", '"text"', "{"])
def test_what_is_no_error_object_is_still_told(text):
    assert read_answer(502, text).said.startswith("502: ")


@given(st.text(), st.integers(400, 599))
def test_no_body_makes_it_fail(text, status):
    assert read_answer(status, text).status == status


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, 2006, hub.AuthenticationFailed),
        (400, 2006, hub.AuthenticationFailed),
        (404, 2100, hub.Gone),
        (400, 5001, hub.Gone),
        (402, 2014, hub.Rejected),
        (403, 2010, hub.Rejected),
        (400, 2001, hub.Rejected),
        (413, 2001, hub.Rejected),
        (429, 2020, hub.RateLimited),
        (408, 2016, hub.Unavailable),
        (400, 1005, hub.Unavailable),
        (500, 2000, hub.Unavailable),
        (503, 2000, hub.Unavailable),
    ],
)
def test_the_class_says_what_happens_next(status, code, kind):
    body = {"error": {"message": "It did not work", "code": code}}

    assert isinstance(error_of(answer(status, body)), kind)


def test_a_write_that_met_a_500_may_have_happened():
    assert isinstance(error_of(answer(500, {}, method="POST")), hub.OutcomeUnknown)
    assert isinstance(error_of(answer(502, {}, method="POST")), hub.Unavailable)


def test_a_429_says_how_many_seconds_to_wait():
    told = error_of(answer(429, {}, headers={"ratelimit-reset": "20"}))
    silent = error_of(answer(429, text=""))

    assert told.retry_after == 20.0
    assert silent.retry_after is None


def test_a_402_names_the_ability_that_is_lacking():
    body = {"error": {"message": "Account lacks priorities", "code": 2014}}

    assert "plan lacks" in str(error_of(answer(402, body)))


def test_a_403_names_role_and_scope():
    said = str(error_of(answer(403, {"error": {"message": "Access Denied", "code": 2010}})))

    assert "read-only" in said
    assert "role" in said


def test_the_duplicate_is_recognised_by_its_words():
    body = {
        "error": {
            "message": "Arguments Caused Error",
            "code": 2002,
            "errors": ["Open incident with matching dedup key already exists on this service"],
        }
    }

    refused = error_of(answer(400, body, method="POST"))

    assert isinstance(refused, errors.Refused)
    assert refused.answer.is_duplicate_key
