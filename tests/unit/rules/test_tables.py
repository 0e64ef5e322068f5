"""Tables of keys: whoever meets a condition is found by one of its keys."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.rules.conditions import Conditions
from hub.rules.cover import Key, cost, cover, rank
from hub.rules.keys import TABLES, fitting
from hub.rules.operands import NOT_GIVEN
from hub.rules.ranges import Bound, Interval, as_float, rounded
from hub.rules.tables import TableId
from hub.rules.text import Pattern
from hub.rules.view import View
from hub.sdk.operators import AccessKey, KeyKind, Operator
from hub.sdk.vocabulary import FieldType
from tests.unit.rules.world import AT, facts, schema

SCHEMA = schema()
NUMBERS = st.floats(-1e15, 1e15) | st.integers(-1000, 1000).map(float)
FIELD = "desk.ticket.amount"


class Spot:
    def __init__(self):
        self.runs = 0

    def find(self, *_):
        self.runs += 1


def hit(table, value, at):
    """Tell whether a value of the field hits a key's bucket."""
    spot = Spot()
    for place in table.places(value):
        table.buckets[place] = spot
        table.opened(place)
    view = View(facts({}), SCHEMA, {FIELD: at})
    table.probe(view, {})
    for place in table.places(value):
        del table.buckets[place]
        table.closed(place)
    return spot.runs


@given(NUMBERS, NUMBERS, NUMBERS)
@example(0.9999, 2.00001, 1.5)
@example(-1.0, 1.0, 0.0)
@example(5.0, 5.0, 5.0)
def test_an_interval_is_found_from_inside(one, other, at):
    low, high = sorted((one, other))
    table = Interval(TableId(KeyKind.INTERVAL, FIELD, False))

    runs = hit(table, (low, high), min(max(at, low), high))

    assert runs == 1
    assert not table._widths


@given(NUMBERS, NUMBERS)
@example(0.0, 0.0)
@example(-5.0, 0.0)
@example(8192.0, 8192.0)
def test_a_bound_is_found_from_its_side(one, other):
    low, high = sorted((one, other))

    assert hit(Bound(TableId(KeyKind.LOWER, FIELD, False)), low, high) == 1
    assert hit(Bound(TableId(KeyKind.UPPER, FIELD, False)), high, low) == 1


@given(NUMBERS, NUMBERS)
def test_a_value_beyond_a_bound_is_proven_to_be(bound, at):
    for kind in (KeyKind.LOWER, KeyKind.UPPER):
        table = Bound(TableId(kind, FIELD, False))
        beyond = next(place for place in table.places(bound) if table.proves(place))
        spot = table.buckets[beyond] = Spot()
        table.opened(beyond)
        table.probe(View(facts({}), SCHEMA, {FIELD: at}), {})

        assert not spot.runs or (at > bound if kind is KeyKind.LOWER else at < bound)


@given(NUMBERS, NUMBERS)
def test_rounding_keeps_the_order(one, other):
    low, high = sorted((one, other))

    assert rounded(low) <= rounded(high)
    assert rounded(low) <= low


@pytest.mark.parametrize("kind", [KeyKind.PREFIX, KeyKind.SUFFIX])
@pytest.mark.parametrize("length", [1, 2, 6, 40])
def test_a_beginning_may_be_the_whole_text_and_not_more(kind, length):
    name = "desk.ticket.subject"
    whole = "abcdef"[: length % 7] or "a" * length
    table = TABLES[kind](TableId(kind, name, False))
    spots = {one: Spot() for one in (whole, f"{whole}y", f"z{whole}")}
    for one, spot in spots.items():
        table.buckets[one] = spot
        table.opened(one)

    table.probe(View(facts({}), SCHEMA, {name: whole}), {})

    assert [spot.runs for spot in spots.values()] == [1, 0, 0]


def test_dates_times_and_spans_are_numbers_in_order():
    assert as_float(timedelta(minutes=1)) == 60
    assert as_float(Decimal("1.5")) == 1.5
    assert as_float(date(1970, 1, 2)) == as_float(datetime(1970, 1, 2, tzinfo=UTC)) == 86400


def test_what_no_table_can_take():
    assert not fitting(KeyKind.EQUAL, None)
    assert not fitting(KeyKind.EQUAL, ("a",))
    assert not fitting(KeyKind.PREFIX, "")
    assert not fitting(KeyKind.SUBSTRING, 3)
    assert not fitting(KeyKind.REGEX, "x")
    assert not fitting(KeyKind.INTERVAL, (2, 1))
    assert not fitting(KeyKind.INTERVAL, 3)
    assert not fitting(KeyKind.LOWER, "x")
    assert not fitting(KeyKind.UPPER, float("inf"))
    assert fitting(KeyKind.CHANGED, None)


def test_every_kind_of_key_has_a_table():
    assert set(TABLES) == set(KeyKind)


SAMPLES = {
    KeyKind.INTERVAL: (1, 2),
    KeyKind.LOWER: 5,
    KeyKind.UPPER: 5,
    KeyKind.REGEX: Pattern("x", ignore_case=False),
}


@pytest.mark.parametrize("kind", KeyKind)
def test_what_an_exact_key_proves(kind):
    table = TABLES[kind](TableId(kind, FIELD, False))
    places = list(table.places(SAMPLES.get(kind, "x")))

    proven = [table.proves(place) for place in places]

    assert proven == (
        [True, False] if kind in {KeyKind.LOWER, KeyKind.UPPER} else [True] * len(places)
    )


@pytest.mark.parametrize("kind", [KeyKind.PREFIX, KeyKind.SUFFIX])
def test_only_the_lengths_in_use_are_looked_up(kind):
    table = TABLES[kind](TableId(kind, FIELD, False))
    for place in ("a", "b", "ccc", "ccc1"):
        table.opened(place)
    assert table._lengths == (1, 3, 4)

    for place in ("a", "ccc", "ccc1"):
        table.closed(place)
    assert table._lengths == (1,)
    table.closed("b")
    assert table._lengths == ()


@pytest.mark.parametrize("value", [None, 5, "", ("a",)])
@pytest.mark.parametrize("kind", [KeyKind.PREFIX, KeyKind.SUBSTRING, KeyKind.MEMBER])
def test_values_of_another_type_hit_nothing(kind, value):
    if kind is KeyKind.MEMBER and isinstance(value, tuple):
        return

    assert hit(TABLES[kind](TableId(kind, FIELD, False)), "zz", value) == 0


# --------------------------------------------------------------------------- covers


def leaf(field, op, *value, known=SCHEMA, **more):
    raw = value[0] if value else NOT_GIVEN
    return Conditions(known).leaf(f"desk.ticket.{field}", op, raw, **more)


def kinds(tree):
    found = cover(tree)
    return found and [(key.table.kind.value, key.exact) for key in found.keys]


def test_the_keys_of_conditions():
    assert kinds(leaf("subject", "is", "x")) == [("equal", True)]
    assert kinds(leaf("subject", "is_not", "x")) is None
    assert kinds(leaf("status", "is_any_of", ["New", "Closed"])) == [("equal", True)] * 2
    assert kinds(leaf("priority", "at_least", "P2")) == [("equal", True)] * 2
    assert kinds(leaf("tags", "has", "x")) == [("member", True)]
    assert kinds(leaf("tags", "changed_to", "x")) == [("member", False)]
    assert kinds(leaf("status", "changed_to", None)) == [("changed", False)]
    assert kinds(leaf("status", "changed")) == [("changed", True)]
    assert kinds(leaf("status", "was", "New")) is None
    assert kinds(leaf("amount", "gt", 5)) == [("lower", True)]
    assert kinds(leaf("opened", "before", "2024-01-01")) == [("upper", False)]
    assert kinds(leaf("opened", "on", "2024-01-01")) == [("interval", False)]
    assert kinds(leaf("subject", "matches", "abc+")) == [("regex", True)]
    assert kinds(leaf("subject", "matches", "abcd+")) == [("substring", False)]
    assert kinds(leaf("subject", "is", {"$field": "desk.ticket.origin"})) is None
    assert kinds(leaf("subject", "changed_to", {"$field": "desk.ticket.origin"})) == [
        ("changed", False)
    ]


def test_the_cover_of_groups():
    conditions = Conditions(SCHEMA)
    one = conditions.leaf("desk.ticket.subject", "is", "x")
    other = conditions.leaf("desk.ticket.age", "gt", 5)
    bare = conditions.leaf("desk.ticket.status", "is_not", "New")

    assert kinds(conditions.group("any", [one, other])) == [("equal", True), ("lower", True)]
    assert kinds(conditions.group("any", [one, bare])) is None
    assert kinds(conditions.group("all", [other, one, bare])) == [("equal", True)]
    assert kinds(conditions.group("all", [bare])) is None
    assert kinds(conditions.group("none", [one])) is None
    assert not cover(conditions.group("any", [one])).pivot
    assert rank(one) < rank(bare) < rank(conditions.group("none", [one]))


def operator(**changes):
    made = {
        "name": "plug.in", "label": "in", "sentence": "{field} in", "types": frozenset(FieldType),
        "compile": lambda *_: lambda *_: True,
    }  # fmt: skip
    return Operator(**(made | changes))


def test_an_operator_whose_keys_can_not_be_used_is_tested_for_every_event():
    def failing(operand, name):
        raise RuntimeError("no keys today")

    def foreign(operand, name):
        return [AccessKey(KeyKind.EQUAL, "desk.ticket.other", operand)]

    def wrong(_, name):
        return [AccessKey(KeyKind.REGEX, name, "x")]

    for keys in (failing, foreign, wrong, lambda *_: None):
        known = schema(operators=[operator(keys=keys)])
        assert kinds(leaf("subject", "plug.in", "x", known=known)) is None


def test_costs_come_from_the_fields():
    def of(field, kind, value):
        name = f"desk.ticket.{field}"
        return cost(Key(TableId(kind, name, False), value, True), SCHEMA.fields[name])

    assert of("status", KeyKind.EQUAL, "New") == 0.25
    assert of("vip", KeyKind.EQUAL, True) == 0.5
    assert of("owner", KeyKind.EQUAL, "U") == 0.01
    assert of("subject", KeyKind.EQUAL, "ab") == 0.2
    assert of("subject", KeyKind.EQUAL, "abc") == 0.01
    assert of("subject", KeyKind.SUBSTRING, "ab") == 0.25
    assert of("subject", KeyKind.SUBSTRING, "a" * 20) == 0.002
    assert of("subject", KeyKind.PREFIX, "a" * 20) == 0.0005
    assert of("subject", KeyKind.REGEX, Pattern("a", ignore_case=True)) == 0.3


def test_a_view_of_the_event_is_in_the_tenants_zone():
    berlin = schema(zone="Europe/Berlin")

    assert View(facts({}), berlin).at.hour == 14
    assert (
        View(facts({}, at=datetime(1, 1, 1, tzinfo=UTC)), schema(zone="America/Lima")).at.year == 1
    )
    assert View(facts({}), SCHEMA).at == AT
