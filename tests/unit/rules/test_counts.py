"""How much is done for an event: counted, so that no machine is too slow for it."""

import pytest

from bench.rules.measure import count_tests

pytestmark = pytest.mark.slow


def test_few_conditions_are_tested_among_many_rules():
    ten, many = (count_tests("mixed", count)["tests"] for count in (10, 10_000))

    assert many <= 30
    assert many / ten <= 12


def test_few_conditions_are_tested_where_no_set_finds_patterns():
    assert count_tests("mixed", 5_000, sets=False)["tests"] <= 100


@pytest.mark.parametrize(
    ("load", "limit"),
    [("low", 30), ("hot", 60), ("patterns", 30), ("sided", 1_250), ("negative", 300)],
)
def test_few_conditions_are_tested_when_rules_pile_up(load, limit):
    assert count_tests(load, 5_000)["tests"] <= limit
