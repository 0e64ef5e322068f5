"""Lengths and markup."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_pagerduty.text import as_description, cut_note, cut_title
from hub_pagerduty.vocabulary import NOTE_BYTES, TITLE_LENGTH


@given(st.text(max_size=3000))
def test_a_title_always_fits(title):
    assert len(cut_title(title)) <= TITLE_LENGTH


def test_a_title_is_one_line():
    assert cut_title("Disk\n full \t now") == "Disk full now"


def test_a_long_title_shows_that_it_was_cut():
    assert cut_title("x" * 2000) == "x" * 1023 + "…"


@given(st.text(alphabet="aé✓😀", min_size=1), st.sampled_from(["", "https://sf.test/1"]))
def test_a_note_always_fits_and_stays_text(piece, link):
    note = cut_note(piece * (70_000 // len(piece.encode()) + 1), link)

    assert len(note.encode()) <= NOTE_BYTES
    assert "�" not in note
    assert note.endswith(f"…(cut) {link}".rstrip())


def test_a_short_note_stays_as_it_is():
    assert cut_note("Working ✓ שלום") == "Working ✓ שלום"


@pytest.mark.parametrize(
    ("given", "html", "text"),
    [
        ("plain & simple < 3", "plain & simple < 3", "plain & simple < 3"),
        ("<p>One<br>two</p>", "<p>One<br>two</p>", "One\ntwo"),
        ("<b>x</b><script>evil()</script>", "<b>x</b>", "x"),
        ('<a href="javascript:x">y</a>', "<a>y</a>", "y"),
        (
            '<a href="https://e.com/?a=1&b=2">y</a>',
            '<a href="https://e.com/?a=1&amp;b=2">y</a>',
            "y",
        ),
        ("<div>a</div><div>b &lt; c</div>", "ab &lt; c", "a\nb < c"),
    ],
)
def test_descriptions_keep_simple_markup_or_none(given, html, text):
    assert as_description(given, "html") == html
    assert as_description(given, "text") == text


@given(st.text())
def test_any_text_becomes_a_description(text):
    as_description(text, "html")
    as_description(text, "text")
