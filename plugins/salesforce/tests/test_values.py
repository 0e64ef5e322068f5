"""Values between JSON and the hub's types."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import FieldType
from hub_salesforce.values import instant, stamp, to_json, to_value

NINE = datetime(2026, 11, 20, 9, 20, 44, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "type", "value"),
    [
        (None, FieldType.TEXT, None),
        ("", FieldType.TEXT, None),
        (" a\r\nb ", FieldType.TEXT, "a\nb"),
        ("2026-11-20T09:20:44.000+0000", FieldType.TIMESTAMP, NINE),
        ("2026-11-20T09:20:44.000Z", FieldType.TIMESTAMP, NINE),
        ("2026-11-20T10:20:44+01:00", FieldType.TIMESTAMP, NINE),
        ("2026-11-20", FieldType.DATE, date(2026, 11, 20)),
        ("red;blue", FieldType.LIST, ("red", "blue")),
        (12.5, FieldType.DECIMAL, Decimal("12.5")),
        (3.0, FieldType.INTEGER, 3),
        ("true", FieldType.BOOLEAN, True),
        (False, FieldType.BOOLEAN, False),
        ("500xx000000bqjZ", FieldType.REFERENCE, "500xx000000bqjZAAQ"),
        ("not a number", FieldType.DECIMAL, "not a number"),
        ("2026-11-20T09:20:44.000+0000", None, NINE),
        ("2026-11-20", None, date(2026, 11, 20)),
        (1.0, None, 1),
        ({"type": "Case"}, None, None),
    ],
)
def test_what_salesforce_sent_is_read(raw: object, type: FieldType | None, value: object) -> None:
    assert value == to_value(raw, type)


@pytest.mark.parametrize(
    ("value", "type", "json"),
    [
        ("", FieldType.TEXT, None),
        (None, FieldType.BOOLEAN, False),
        ("yes", FieldType.BOOLEAN, True),
        ("12.50", FieldType.DECIMAL, 12.5),
        ("7", FieldType.INTEGER, 7),
        (("red", "blue"), FieldType.LIST, "red;blue"),
        ("red, blue", FieldType.LIST, "red;blue"),
        (NINE, FieldType.TIMESTAMP, "2026-11-20T09:20:44Z"),
        ("2026-11-20T10:20:44+01:00", FieldType.TIMESTAMP, "2026-11-20T09:20:44Z"),
        (date(2026, 11, 20), FieldType.DATE, "2026-11-20"),
        ("2026-11-20T23:59:59-14:00", FieldType.DATE, "2026-11-20"),
    ],
)
def test_what_a_rule_gives_is_turned_into_the_fields_type(
    value: object, type: FieldType, json: object
) -> None:
    assert json == to_json(value, type)


@pytest.mark.parametrize("type", [FieldType.INTEGER, FieldType.DECIMAL, FieldType.BOOLEAN])
def test_text_that_cannot_be_of_the_type_is_refused(type: FieldType) -> None:
    with pytest.raises(ValueError, match="soon"):
        to_json("soon", type)


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001
def test_a_time_comes_back_as_it_was_sent(naive: datetime) -> None:
    moment = naive.replace(tzinfo=UTC, microsecond=0)

    assert moment == instant(stamp(moment))


@given(
    st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none()),
    st.sampled_from(FieldType),
)
def test_reading_never_raises(raw: object, type: FieldType) -> None:
    to_value(raw, type)
