"""SOQL text, against the simulator's own reader."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_salesforce import soql
from hub_salesforce.testing.query import Test as Comparison
from hub_salesforce.testing.query import parse


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("it's", "'it\\'s'"),
        (None, "null"),
        (True, "true"),
        (3, "3"),
        (Decimal("1.5"), "1.5"),
        (date(2026, 11, 20), "2026-11-20"),
        (datetime(2026, 11, 20, 9, tzinfo=UTC), "2026-11-20T09:00:00Z"),
    ],
)
def test_a_literal_is_written_as_soql_takes_it(value: object, text: str) -> None:
    assert text == soql.literal(value)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=50))
def test_no_text_breaks_out_of_its_quotes(text: str) -> None:
    query = parse(soql.select(["Id"], "Case", f"Subject = {soql.literal(text)}"))

    assert isinstance(query.where, Comparison)
    assert query.where.value.value == text


def test_a_page_goes_on_after_the_last_row() -> None:
    at = datetime(2026, 11, 20, 9, tzinfo=UTC)

    text = soql.select(["Id"], "Case", soql.after(at, "500xx000000bqjZAAQ", at), limit=2000)

    assert text == (
        "SELECT Id FROM Case WHERE (SystemModstamp > 2026-11-20T09:00:00Z OR "
        "(SystemModstamp = 2026-11-20T09:00:00Z AND Id > '500xx000000bqjZAAQ')) AND "
        "SystemModstamp < 2026-11-20T09:00:00Z LIMIT 2000"
    )
    parse(text)
