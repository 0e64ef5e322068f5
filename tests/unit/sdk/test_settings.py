"""Addresses in settings are checked when they are written, not when they are called."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hub


@pytest.mark.parametrize(
    "text", ["https://api.example.com", "http://127.0.0.1:8501/base", "https://[::1]:80", ""]
)
def test_an_address_passes_without_its_last_slash(text):
    assert hub.web_address(f" {text}/ " if text else "") == text


@pytest.mark.parametrize(
    "text",
    [
        "htp:/x",
        "api.example.com",
        "https://",
        "ftp://example.com",
        "https://user:secret@example.com",
        "https://example.com?x=1",
        "https://exa mple.com",
        "https://example.com:0",
        "https://example.com:99999",
        "https://[::1",
    ],
)
def test_what_is_no_address_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match=r"one looks like https://"):
        hub.web_address(text)


@given(st.text())
def test_any_text_passes_or_is_refused(text):
    with contextlib.suppress(ValueError):
        assert isinstance(hub.web_address(text), str)
