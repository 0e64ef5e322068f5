"""Which rows of the incident history are notes, and what they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_remedyforce.history import RICH, SUMMARY, SYSTEM, TEXT, is_note, note_text
from hub_salesforce.kit import plain_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain", "plain"),
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<ul><li>x</li><li>y</li></ul>", "x\ny"),
        ("<b>bold</b> &amp; <i>more</i>", "bold & more"),
        ('<a href="https://acme.example/x">here</a>', "here (https://acme.example/x)"),
        ('<a href="https://acme.example/x">https://acme.example/x</a>', "https://acme.example/x"),
        ('<a href="javascript:alert(1)">here</a>', "here"),
        ("<a>here</a></a>", "here"),
        ("<script>x()</script><style>p{}</style>said", "said"),
        ("<p>a  lot \n of   space</p>", "a lot of space"),
        ("", ""),
    ],
)
def test_rich_text_is_read_as_text(html: str, text: str) -> None:
    assert text == plain_text(html)


@given(st.text(max_size=200))
def test_any_rich_text_is_readable(html: str) -> None:
    assert "\n\n" not in plain_text(html)


def test_the_first_filled_text_counts() -> None:
    assert note_text({RICH: "<p>rich</p>", TEXT: "note", SUMMARY: "summary"}) == "rich"
    assert note_text({RICH: "<p> </p>", TEXT: "note", SUMMARY: "summary"}) == "note"
    assert note_text({RICH: None, TEXT: "", SUMMARY: "summary"}) == "summary"
    assert note_text({}) == ""


@pytest.mark.parametrize(
    ("row", "notes"),
    [
        ({TEXT: "said"}, True),
        ({TEXT: "said", SYSTEM: False}, True),
        ({TEXT: "said", SYSTEM: "false"}, True),
        ({TEXT: "said", SYSTEM: True}, False),
        ({TEXT: "said", SYSTEM: "true"}, False),
        ({TEXT: " "}, False),
    ],
)
def test_rows_of_the_package_itself_are_no_notes(row: dict[str, object], *, notes: bool) -> None:
    assert notes == is_note(row)
