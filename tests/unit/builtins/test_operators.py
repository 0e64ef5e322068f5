"""The contract of operators: keys find what they must, and prove what they say."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.builtins.comparisons import earliest, latest
from hub.builtins.operators import OPERATORS, hub_register_operators
from hub.sdk.operators import KeyKind, Operand
from hub.sdk.vocabulary import Choice, FieldSchema, FieldType

NOW = datetime(2024, 5, 14, 12, tzinfo=UTC)
CHOICES = ("P1", "P2", "P3")
WORDS = st.text(st.sampled_from("abc"), min_size=1, max_size=4)
MOMENTS = st.datetimes(
    datetime(2024, 5, 1), datetime(2024, 5, 30), timezones=st.just(UTC)  # noqa: DTZ001
).map(lambda one: one.replace(microsecond=0))  # fmt: skip
VALUES = {
    FieldType.TEXT: WORDS,
    FieldType.ID: WORDS,
    FieldType.REFERENCE: WORDS,
    FieldType.CHOICE: st.sampled_from(CHOICES),
    FieldType.INTEGER: st.integers(-5, 5),
    FieldType.DECIMAL: st.decimals(-5, 5, places=1),
    FieldType.BOOLEAN: st.booleans(),
    FieldType.DATE: st.dates(date(2024, 5, 1), date(2024, 5, 30)),
    FieldType.TIMESTAMP: MOMENTS,
    FieldType.DURATION: st.integers(0, 9).map(lambda n: timedelta(minutes=n)),
    FieldType.LIST: st.lists(WORDS, min_size=1, max_size=3).map(tuple),
}


class Found:
    """Stands for a compiled pattern: the text, anywhere."""

    def __init__(self, text):
        self.text = text

    def search(self, text):
        return self.text in text


def one_of(kind):
    if kind is FieldType.LIST:
        return WORDS
    if kind is FieldType.TIMESTAMP:
        return MOMENTS | VALUES[FieldType.DATE]
    return VALUES[kind]


def operands(op, kind):
    one = one_of(kind)
    if op.name == "on":
        return VALUES[FieldType.DATE]
    if op.changes or op.needs_prior:
        one = (VALUES[kind] if kind is not FieldType.LIST else WORDS) | st.none()
    return {
        Operand.NONE: st.none(),
        Operand.VALUE: one,
        Operand.VALUES: st.lists(one, min_size=1, max_size=3).map(tuple),
        Operand.RANGE: st.tuples(VALUES[kind], VALUES[kind]).map(lambda pair: tuple(sorted(pair))),
        Operand.DURATION: st.integers(0, 9).map(lambda n: timedelta(days=n)),
        Operand.FROM_TO: st.tuples(one, one),
        Operand.PATTERN: WORDS.map(Found),
    }[op.operand]


CASES = [(op, kind) for op in OPERATORS for kind in sorted(op.types)]


def field_of(kind):
    choices = tuple(Choice(value=one, label=one) for one in CHOICES)
    return FieldSchema(
        source_object="a.b", key="c", label="C", type=kind,
        choices=choices if kind is FieldType.CHOICE else (),
    )  # fmt: skip


def hits(kind, key, value, changed):
    """Tell whether an event's value hits a key, as plainly as possible."""
    if kind is KeyKind.CHANGED:
        return changed
    return value is not None and HITS[kind](key, value)


HITS = {
    KeyKind.PRESENT: lambda *_: True,
    KeyKind.EQUAL: lambda key, value: key in value if isinstance(value, tuple) else value == key,
    KeyKind.MEMBER: lambda key, value: key in value,
    KeyKind.SUBSTRING: lambda key, value: key in value,
    KeyKind.PREFIX: lambda key, value: value.startswith(key),
    KeyKind.SUFFIX: lambda key, value: value.endswith(key),
    KeyKind.REGEX: lambda key, value: key.search(value),
    KeyKind.LOWER: lambda key, value: number(value) >= number(key),
    KeyKind.UPPER: lambda key, value: number(value) <= number(key),
    KeyKind.INTERVAL: lambda key, value: number(key[0]) <= number(value) <= number(key[1]),
}


def number(value):
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    return float(value)


@settings(max_examples=800)
@given(st.sampled_from(CASES), st.data())
def test_who_meets_a_condition_hits_a_key_and_who_hits_an_exact_one_meets_it(case, data):
    op, kind = case
    operand = data.draw(operands(op, kind), "operand")
    value = data.draw(VALUES[kind] | st.none(), "value")
    prior = data.draw(VALUES[kind] | st.none(), "prior")
    field, changed = field_of(kind), value != prior
    met = op.compile(operand, field)(value, prior, NOW) and (changed or not op.changes)
    if op.allowed is not None:
        assert met is (value in op.allowed(operand, field))
        return
    keys = op.keys(operand, "a.b.c") if op.keys else None
    if keys is None:
        return
    assert all(key.field == "a.b.c" for key in keys)
    found = [key for key in keys if hits(key.kind, key.value, value, changed)]
    assert found or not met
    beyond = {KeyKind.LOWER, KeyKind.UPPER}
    exact = [key for key in found if key.kind in op.exact]
    if exact and not (exact[0].kind in beyond and number(value) == number(exact[0].value)):
        assert met


@settings(max_examples=200)
@given(st.sampled_from([case for case in CASES if case[0].inverse]), st.data())
def test_an_inverse_is_the_exact_opposite(case, data):
    op, kind = case
    inverse = next(one for one in OPERATORS if one.name == op.inverse)
    operand = data.draw(operands(op, kind))
    value, field = data.draw(VALUES[kind] | st.none()), field_of(kind)

    one = op.compile(operand, field)(value, None, NOW)

    assert one is not inverse.compile(operand, field)(value, None, NOW)


@settings(max_examples=400)
@given(st.sampled_from(CASES), st.data())
def test_a_test_gives_true_or_false_and_the_same_again(case, data):
    op, kind = case
    test = op.compile(data.draw(operands(op, kind)), field_of(kind))
    value = data.draw(VALUES[kind] | st.none())
    prior = data.draw(VALUES[kind] | st.none())

    assert test(value, prior, NOW) in {True, False}
    assert test(value, prior, NOW) is test(value, prior, NOW)


def test_operators_are_declared_through_the_hook():
    assert hub_register_operators() == OPERATORS
    assert len({one.name for one in OPERATORS}) == len(OPERATORS)


def test_sentences_name_the_field_and_the_value():
    for one in OPERATORS:
        assert one.sentence.startswith("{field} ")
        assert ("{value}" in one.sentence) is (one.operand not in {Operand.NONE, Operand.FROM_TO})


def test_the_edges_of_a_day_are_safe_in_every_zone():
    day = date(2024, 5, 14)
    for hours in (-12, 0, 14):
        begins = datetime(2024, 5, 14, tzinfo=UTC).timestamp() - hours * 3600
        assert earliest(day) <= begins
        assert latest(day) >= begins + 86_400
    assert earliest(NOW) is NOW
    assert latest(Decimal(5)) == 5


def test_a_choice_that_is_gone_has_no_rank():
    field = field_of(FieldType.CHOICE)
    for name in ("at_least", "at_most"):
        op = next(one for one in OPERATORS if one.name == name)
        assert list(op.allowed("P9", field)) == []
