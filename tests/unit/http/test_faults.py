"""What pydantic finds wrong is told with what was found, what is expected and what is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from hub.http.faults import fault_of


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    size: int = 0


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    key: SecretStr = SecretStr("")
    inner: Inner = Inner()
    rows: list[Inner] = []


def told(given: object) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        Asked.model_validate(given)
    faults = [fault_of(one, model=Asked) for one in caught.value.errors()]
    return {one.pointer: one.detail for one in faults}


def test_a_member_that_is_near_a_known_one_is_asked_for():
    assert told({"name": "a", "keys": "b"}) == {
        "/keys": "There is no member 'keys'. Did you mean 'key'?"
    }


@pytest.mark.parametrize(
    ("given", "pointer"),
    [({"inner": {"colour": 1}}, "/inner/colour"), ({"rows": [{"colour": 1}]}, "/rows/0/colour")],
)
def test_a_strange_member_is_answered_with_those_of_its_place(given, pointer):
    assert told({"name": "a", **given}) == {
        pointer: "There is no member 'colour' here. Known here: size."
    }


def test_what_is_missing_is_said_plainly():
    assert told({}) == {"/name": "It is needed and was not given."}


def test_a_wrong_kind_is_named_beside_the_expected_one():
    assert told({"name": 3}) == {"/name": "Input should be a valid string, found a number."}
    assert told([]) == {"": "An object is expected, found a list. Send JSON as application/json."}


@given(st.text(min_size=6, alphabet="XYZ"))
def test_no_value_is_repeated_as_it_may_be_a_secret(secret):
    texts = told({"name": [secret], "key": {"a": secret}, "inner": secret, "rows": {"b": secret}})

    assert len(texts) == 4
    assert not any(secret in text for text in texts.values())
