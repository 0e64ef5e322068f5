"""Ids of 15 and 18 characters."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_salesforce.ids import is_id, key_prefix, same_id, to_18

HEADS = st.text(alphabet=string.ascii_letters + string.digits, min_size=15, max_size=15)


@pytest.mark.parametrize(
    ("short", "whole"),
    [
        ("005xx000001SwiU", "005xx000001SwiUAAS"),
        ("500xx000000bqjZ", "500xx000000bqjZAAQ"),
        ("000000000000000", "000000000000000AAA"),
    ],
)
def test_the_checksum_is_salesforces(short: str, whole: str) -> None:
    assert whole == to_18(short)


@given(HEADS)
def test_18_characters_stay_as_they_are(head: str) -> None:
    whole = to_18(head)

    assert whole == to_18(whole)
    assert same_id(head, whole)


@given(HEADS.filter(lambda head: head != head.lower()))
def test_an_id_whose_letter_case_was_changed_is_refused(head: str) -> None:
    with pytest.raises(ValueError, match="letter case"):
        to_18(to_18(head).lower())


@given(st.text(max_size=20))
def test_any_text_is_an_id_or_not_and_never_an_error(text: str) -> None:
    assert is_id(text) in {True, False}
    assert same_id(text, "500xx000000bqjZ") in {True, False}


def test_the_prefix_tells_the_object() -> None:
    assert key_prefix("500xx000000bqjZAAQ") == "500"
