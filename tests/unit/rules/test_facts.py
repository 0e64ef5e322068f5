"""Facts: one picture of an event, read once, kept and read again."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules import Linked, dump_facts, load_facts
from hub.rules.values import (
    MAX_TEXT,
    NotOfType,
    coerce,
    fold,
    iso_duration,
    json_value,
    same,
    text_of,
)
from hub.sdk.events import RecordRef
from hub.sdk.vocabulary import FieldType
from tests.unit.rules.random_world import Chance
from tests.unit.rules.world import TICKET, facts, schema

SCHEMA = schema()
T = "desk.ticket."


def link(number, **more):
    ref = RecordRef(source_object="pager.page", id=f"I{number}")
    return Linked(ref=ref, connector="my-pager", **more)


def test_unknown_fields_are_dropped_and_values_are_read():
    made = facts({"amount": "1.50", "status": "", "gone": 1, "tags": ["b", "", "a"]})

    assert made.new[T + "amount"] == Decimal("1.50")
    assert made.new[T + "status"] is None
    assert made.new[T + "tags"] == ("b", "a")
    assert T + "gone" not in made.new


def test_what_can_not_be_read_is_empty_and_noted():
    made = facts({"amount": "abc", "subject": "x" * 70_000})

    assert made.new[T + "amount"] is None
    assert len(made.new[T + "subject"]) == MAX_TEXT
    assert made.notes == {
        T + "amount": "not a number: 'abc'",
        T + "subject": "text cut at 64 KiB",
    }


def test_last_seen_values_fill_what_the_event_does_not_say():
    made = facts({"status": "New"}, last_seen={"status": "Closed", "priority": "P1"})

    assert made.new[T + "status"] == "New"
    assert made.new[T + "priority"] == "P1"
    assert made.prior == {T + "status": "Closed", T + "priority": "P1"}
    assert made.changed is None


def test_what_the_vendor_tells_of_the_past_wins():
    made = facts({"status": "New"}, {"status": "Working"}, last_seen={"status": "x", "age": 1})

    assert made.prior == {T + "status": "Working", T + "age": 1}
    assert made.changed == {T + "status"}


def test_the_past_of_a_new_record_is_nothing_and_of_an_unknown_one_is_unknown():
    assert facts({}, {}, last_seen={"status": "New"}).prior == {}
    assert facts({}).prior is None


def test_a_trigger_that_reports_a_change_tells_of_it_where_nothing_else_does():
    reporting = TICKET.trigger("updated", "Ticket escalated", about=["status"])
    known = schema(triggers=[reporting])

    assert facts({"status": "New"}, None, known).changed == {T + "status"}
    assert facts({"status": "New"}, None, known, last_seen={"status": "x"}).changed is None
    assert facts({"status": "New"}, {}, known).changed is None


def test_linked_records_are_seen_the_first_one_in_the_conditions():
    made = facts({}, linked=[link(1, values={"title": "A"}), link(2, values={"title": "B"})])

    assert made.new["pager.page.title"] == "A"
    assert [one.values for one in made.linked["pager.page"]] == [
        {"pager.page.title": "A"},
        {"pager.page.title": "B"},
    ]


def test_at_most_twenty_linked_records_of_an_object_are_seen():
    made = facts({}, linked=[link(n) for n in range(30)])

    assert len(made.linked["pager.page"]) == 20


def test_the_event_itself_is_in_its_facts():
    made = facts({}, connector_type="desk", source="poll", hops=2)

    assert made.new["hub.event.trigger"] == "desk.ticket.updated"
    assert made.new["hub.event.connector"] == "my-desk"
    assert made.new["hub.event.connector_type"] == "desk"
    assert made.new["hub.event.source"] == "poll"
    assert made.new["hub.event.hops"] == made.hops == 2


@given(st.integers(0, 10_000))
def test_facts_are_kept_as_json_and_read_again(seed):
    made = Chance(seed, SCHEMA).facts()

    assert load_facts(json.loads(json.dumps(dump_facts(made))), SCHEMA) == made


def test_kept_facts_are_read_by_what_is_known_today():
    kept = dump_facts(facts({"amount": 5, "status": "New"}))
    kept["new"] |= {"desk.ticket.gone": 1, T + "amount": "many"}

    read = load_facts(kept, SCHEMA)

    assert read.new[T + "amount"] is None
    assert "desk.ticket.gone" not in read.new


# --------------------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        ("text", "e\u0301", "é"),
        ("text", 5, "5"),
        ("text", 1.5, "1.5"),
        ("text", True, "true"),
        ("text", False, "false"),
        ("text", "\ud800x", "?x"),
        ("text", date(2024, 1, 1), "2024-01-01"),
        ("id", 42, "42"),
        ("boolean", True, True),
        ("boolean", " True ", True),
        ("boolean", 1, True),
        ("boolean", "false", False),
        ("boolean", 0, False),
        ("integer", "7", 7),
        ("integer", 7.0, 7),
        ("integer", "1e3", 1000),
        ("integer", 10**20, 10**20),
        ("decimal", 0.1, Decimal("0.1")),
        ("decimal", " 1.50 ", Decimal("1.50")),
        ("decimal", 3, Decimal(3)),
        ("duration", "PT15M", timedelta(minutes=15)),
        ("duration", "P1DT2H", timedelta(days=1, hours=2)),
        ("duration", "P2W", timedelta(weeks=2)),
        ("duration", "PT1.5S", timedelta(seconds=1.5)),
        ("duration", "15 m", timedelta(minutes=15)),
        ("duration", "3d", timedelta(days=3)),
        ("duration", 90, timedelta(seconds=90)),
        ("duration", timedelta(1), timedelta(1)),
        ("date", "2024-02-29", date(2024, 2, 29)),
        ("date", "2024-02-29T23:00:00Z", date(2024, 2, 29)),
        ("date", date(2024, 1, 1), date(2024, 1, 1)),
        ("date", datetime(2024, 1, 1, 5, tzinfo=UTC), date(2024, 1, 1)),
        ("timestamp", "2024-01-01T00:00:00.000+0000", datetime(2024, 1, 1, tzinfo=UTC)),
        ("timestamp", "2024-01-01T02:00:00+02:00", datetime(2024, 1, 1, tzinfo=UTC)),
        ("timestamp", "2024-01-01", datetime(2024, 1, 1, tzinfo=UTC)),
        ("timestamp", date(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC)),
        ("list", "x", ("x",)),
        ("list", ["a", 1], ("a", "1")),
        ("list", {"b", "a"}, ("a", "b")),
        ("list", [""], None),
        ("list", [], None),
        ("list", list(range(2000)), tuple(str(n) for n in range(1000))),
    ],
)
def test_values_are_read_as_their_type(kind, raw, expected):
    assert coerce(raw, FieldType(kind)) == expected
    assert type(coerce(raw, FieldType(kind))) is type(expected)


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("text", {"a": 1}), ("boolean", "yes"), ("boolean", 2), ("integer", "x"),
        ("integer", 1.5), ("integer", True), ("integer", "1" * 65), ("integer", "1_000"),
        ("integer", [1]), ("decimal", "NaN"), ("decimal", "Infinity"), ("decimal", "1e40"),
        ("decimal", float("inf")), ("decimal", "1e1000000000000000000000"), ("duration", "P"),
        ("duration", "PT"), ("duration", "soon"), ("duration", "P1Y"), ("duration", "1e20"),
        ("duration", 1e29), ("duration", "9999999999w"), ("date", "2024-02-30"), ("date", 5),
        ("timestamp", "x"), ("timestamp", 5), ("timestamp", "0001-01-01T00:00:00+14:00"),
    ],
)  # fmt: skip
def test_what_is_not_of_the_type_is_told(kind, raw):
    with pytest.raises(NotOfType, match=r"^not "):
        coerce(raw, FieldType(kind))


@given(
    st.sampled_from(FieldType),
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()),
)
def test_reading_gives_a_value_or_says_why_not(kind, raw):
    try:
        read = coerce(raw, kind)
    except NotOfType:
        return
    assert read is None or coerce(json_value(read), kind) == read


@given(st.timedeltas())
def test_durations_are_written_as_they_are_read(span):
    assert coerce(iso_duration(span), FieldType.DURATION) == span
    assert iso_duration(-abs(span)).startswith("-P" if span else "PT0S")


@given(st.text())
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text) or not text.isascii()


def test_values_as_text_and_json():
    assert text_of(Decimal("1E+3")) == "1000"
    assert text_of(datetime(2024, 1, 1, tzinfo=UTC)) == "2024-01-01T00:00:00Z"
    assert text_of(7) == "7"
    assert json_value(Decimal("0.1")) == 0.1
    assert json_value(Decimal("2.00")) == 2
    assert json_value(Decimal("0.12345678901234567890")) == "0.12345678901234567890"


def test_the_same_value():
    fine = datetime(2024, 1, 1, 0, 0, 0, 5, tzinfo=UTC)

    assert same(("a", "b"), ("b", "a"))
    assert not same(fine, fine + timedelta(microseconds=1))
    assert same(fine, fine.replace(microsecond=0))
