"""The small parts of the HTTP layer: bodies, ETags, pointers, problems."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import BadRequest, ChangedMeanwhile, Overloaded, PreconditionMissing
from hub.http.bodies import unstorable
from hub.http.etags import require_match, require_version
from hub.http.problems import pointer_of, problem_answer

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
)


@given(anything)
def test_what_passes_can_be_stored_as_json_and_text(value) -> None:
    if unstorable(value) is None:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        text.encode()
        assert "\\u0000" not in text


@pytest.mark.parametrize("bad", ["\x00", "\ud800", float("nan"), float("inf")])
@given(st.lists(st.sampled_from(["list", "value", "key"]), max_size=4))
def test_what_can_not_be_stored_is_found_anywhere(bad, path) -> None:
    value = bad
    for step in path:
        if step == "key":
            value = {value: 1} if isinstance(value, str) else {"x": value}
        else:
            value = [1, value] if step == "list" else {"x": value}

    assert unstorable(value) is not None


@dataclass
class Row:
    row_version: int = 3
    updated_at: datetime = datetime(2025, 11, 21, 9, 30, tzinfo=UTC)
    updated_by: str = "Ana"


@pytest.mark.parametrize("told", ['"3"', "*", 'W/"3"', '"1", "3"'])
def test_the_shown_state_may_be_changed(told: str) -> None:
    require_match(told, Row())


@pytest.mark.parametrize("told", ["3", "", "garbage", '"3", 4'])
def test_what_is_no_etag_is_called_so(told: str) -> None:
    with pytest.raises(BadRequest, match="is no ETag"):
        require_version(told, 3)


@pytest.mark.parametrize("told", ['"2"', '"33"', 'W/"4", "2"'])
def test_another_state_may_not(told: str) -> None:
    with pytest.raises(ChangedMeanwhile, match="Ana changed it at 2025-11-21T09:30:00Z"):
        require_match(told, Row())
    with pytest.raises(ChangedMeanwhile):
        require_version(told, 3)


def test_a_change_must_say_its_state() -> None:
    with pytest.raises(PreconditionMissing):
        require_match(None, Row())


def test_pointers_escape_what_rfc_6901_says() -> None:
    assert pointer_of(["a/b", 0, "c~d", ""]) == "/a~1b/0/c~0d/"


def test_a_problem_tells_when_to_come_again() -> None:
    answer = problem_answer(Overloaded("Full.", retry_after=0.2), "i")

    assert answer.headers["retry-after"] == "1"
    assert answer.media_type == "application/problem+json"
