"""What the operators compute: one function an operator, from operand to test."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, TypeAlias

from hub.sdk.operators import Test
from hub.sdk.vocabulary import FieldSchema, Value

Held: TypeAlias = Any
"""A value of a type that the operator is declared for."""
Wanted: TypeAlias = Any
"""An operand, read for the field's type."""
Compile: TypeAlias = Callable[[Wanted, FieldSchema], Test]
_FARTHEST: Final = 26 * 3600.0
_DAY: Final = 24 * 3600.0


def opposite(compile: Compile) -> Compile:
    """Give the exact opposite, null included."""

    def compiled(operand: Wanted, field: FieldSchema) -> Test:
        test = compile(operand, field)

        def met(actual: Value, prior: Value, at: datetime) -> bool:
            return not test(actual, prior, at)

        return met

    return compiled


def equal(wanted: Wanted, _: FieldSchema) -> Test:
    """Is the value."""

    def met(actual: Value, _prior: Value, _at: datetime) -> bool:
        return actual is not None and actual == wanted

    return met


def among(wanted: Sequence[Any], _: FieldSchema) -> Test:
    """Is one of the values."""
    listed = frozenset(wanted)

    def met(actual: Value, _prior: Value, _at: datetime) -> bool:
        return actual in listed

    return met


def empty(_: None, __: FieldSchema) -> Test:
    """Is empty."""

    def met(actual: Value, _prior: Value, _at: datetime) -> bool:
        return actual is None

    return met


def present(_: None, __: FieldSchema) -> Test:
    """Is not empty."""

    def met(actual: Value, _prior: Value, _at: datetime) -> bool:
        return actual is not None

    return met


def contains(part: str, _: FieldSchema) -> Test:
    """Has the text somewhere."""

    def met(actual: Held, _prior: Value, _at: datetime) -> bool:
        return actual is not None and part in actual

    return met


def starts_with(part: str, _: FieldSchema) -> Test:
    """Begins with the text."""

    def met(actual: Held, _prior: Value, _at: datetime) -> bool:
        return actual is not None and bool(actual.startswith(part))

    return met


def ends_with(part: str, _: FieldSchema) -> Test:
    """Has the text at its end."""

    def met(actual: Held, _prior: Value, _at: datetime) -> bool:
        return actual is not None and bool(actual.endswith(part))

    return met


def matches(pattern: Wanted, _: FieldSchema) -> Test:
    """Has the pattern somewhere."""
    search = pattern.search

    def met(actual: Held, _prior: Value, _at: datetime) -> bool:
        return actual is not None and bool(search(actual))

    return met


def at_least_allows(wanted: str, field: FieldSchema) -> Sequence[Value]:
    """List the choice and those before it (lists go from most to least severe)."""
    listed = [choice.value for choice in field.choices]
    return listed[: listed.index(wanted) + 1] if wanted in listed else []


def at_most_allows(wanted: str, field: FieldSchema) -> Sequence[Value]:
    """List the choice and those after it."""
    listed = [choice.value for choice in field.choices]
    return listed[listed.index(wanted) :] if wanted in listed else []


def at_least(wanted: str, field: FieldSchema) -> Test:
    """Stands at or before the choice."""
    return among(at_least_allows(wanted, field), field)


def at_most(wanted: str, field: FieldSchema) -> Test:
    """Stands at or after the choice."""
    return among(at_most_allows(wanted, field), field)


def greater(bound: Wanted, _: FieldSchema) -> Test:
    """Is greater."""

    def met(actual: Held, _prior: Value, _at: datetime) -> bool:
        return actual is not None and actual > bound

    return met


def greater_or_equal(bound: Wanted, _: FieldSchema) -> Test:
    """Is greater or the same."""

    def met(actual: Held, _prior: Value, _at: datetime) -> bool:
        return actual is not None and actual >= bound

    return met


def less(bound: Wanted, _: FieldSchema) -> Test:
    """Is less."""

    def met(actual: Held, _prior: Value, _at: datetime) -> bool:
        return actual is not None and actual < bound

    return met


def less_or_equal(bound: Wanted, _: FieldSchema) -> Test:
    """Is less or the same."""

    def met(actual: Held, _prior: Value, _at: datetime) -> bool:
        return actual is not None and actual <= bound

    return met


def between(bounds: tuple[Any, Any], _: FieldSchema) -> Test:
    """Lies between the bounds or on one of them."""
    low, high = bounds

    def met(actual: Held, _prior: Value, at: datetime) -> bool:
        if actual is None:
            return False
        return bool(low <= _like(actual, low, at) and _like(actual, high, at) <= high)

    return met


def before(bound: Wanted, _: FieldSchema) -> Test:
    """Lies before the moment, or before the day in the tenant's time zone."""

    def met(actual: Held, _prior: Value, at: datetime) -> bool:
        return actual is not None and bool(_like(actual, bound, at) < bound)

    return met


def after(bound: Wanted, _: FieldSchema) -> Test:
    """Lies after the moment, or after the day in the tenant's time zone."""

    def met(actual: Held, _prior: Value, at: datetime) -> bool:
        return actual is not None and bool(_like(actual, bound, at) > bound)

    return met


def on_day(day: Wanted, _: FieldSchema) -> Test:
    """Lies in the day, in the tenant's time zone; a time stands for its day."""

    def met(actual: Held, _prior: Value, at: datetime) -> bool:
        if actual is None:
            return False
        wanted = _local_day(day, at) if isinstance(day, datetime) else day
        return bool(_like(actual, wanted, at) == wanted)

    return met


def within_last(span: timedelta, _: FieldSchema) -> Test:
    """Lies in the span before the event."""

    def met(actual: Held, _prior: Value, at: datetime) -> bool:
        return actual is not None and bool(
            _as_seen(actual, _shift(at, -span)) <= actual <= _as_seen(actual, at)
        )

    return met


def within_next(span: timedelta, _: FieldSchema) -> Test:
    """Lies in the span after the event."""

    def met(actual: Held, _prior: Value, at: datetime) -> bool:
        return actual is not None and bool(
            _as_seen(actual, at) <= actual <= _as_seen(actual, _shift(at, span))
        )

    return met


def older_than(span: timedelta, _: FieldSchema) -> Test:
    """Lies before the span before the event."""

    def met(actual: Held, _prior: Value, at: datetime) -> bool:
        return actual is not None and bool(actual < _as_seen(actual, _shift(at, -span)))

    return met


def has(wanted: str, _: FieldSchema) -> Test:
    """Have the value in it."""

    def met(actual: Held, _prior: Value, _at: datetime) -> bool:
        return actual is not None and bool(wanted in actual)

    return met


def has_any_of(wanted: Sequence[str], _: FieldSchema) -> Test:
    """Have one of the values in it."""
    listed = frozenset(wanted)

    def met(actual: Held, _prior: Value, _at: datetime) -> bool:
        return actual is not None and not listed.isdisjoint(actual)

    return met


def has_all_of(wanted: Sequence[str], _: FieldSchema) -> Test:
    """Have all the values in it."""
    listed = frozenset(wanted)

    def met(actual: Held, _prior: Value, _at: datetime) -> bool:
        return actual is not None and listed.issubset(actual)

    return met


def always(_: None, __: FieldSchema) -> Test:
    """Hold whenever it is asked."""

    def met(_actual: Value, _prior: Value, _at: datetime) -> bool:
        return True

    return met


def is_now(wanted: Wanted, _: FieldSchema) -> Test:
    """Is the value now; null stands for empty."""

    def met(actual: Value, _prior: Value, _at: datetime) -> bool:
        return _agrees(actual, wanted)

    return met


def was(wanted: Wanted, _: FieldSchema) -> Test:
    """Was the value before; null stands for empty."""

    def met(_actual: Value, prior: Value, _at: datetime) -> bool:
        return _agrees(prior, wanted)

    return met


def went(pair: tuple[Any, Any], _: FieldSchema) -> Test:
    """Went from one value to the other; null stands for empty."""
    source, target = pair

    def met(actual: Value, prior: Value, _at: datetime) -> bool:
        return _agrees(prior, source) and _agrees(actual, target)

    return met


def increased(_: None, __: FieldSchema) -> Test:
    """Is greater than before, both known."""

    def met(actual: Held, prior: Held, _at: datetime) -> bool:
        return actual is not None and prior is not None and bool(actual > prior)

    return met


def decreased(_: None, __: FieldSchema) -> Test:
    """Is less than before, both known."""

    def met(actual: Held, prior: Held, _at: datetime) -> bool:
        return actual is not None and prior is not None and bool(actual < prior)

    return met


def _agrees(value: Value, wanted: Wanted) -> bool:
    """Compare as `changed to` does: a list agrees with one of its values."""
    if isinstance(value, tuple):
        return wanted in value
    return bool(value == wanted)


def _like(actual: Held, bound: Wanted, at: datetime) -> Wanted:
    """See a time as a day of the tenant's zone where it is compared with a day."""
    if isinstance(bound, date) and not isinstance(bound, datetime) and isinstance(actual, datetime):
        return _local_day(actual, at)
    if isinstance(bound, datetime) and not isinstance(actual, datetime):
        return datetime.combine(actual, time(), at.tzinfo)
    return actual


def _local_day(moment: datetime, at: datetime) -> date:
    try:
        return moment.astimezone(at.tzinfo).date()
    except OverflowError:
        return moment.date()


def _as_seen(actual: Held, moment: datetime) -> Wanted:
    return moment if isinstance(actual, datetime) else moment.date()


def _shift(at: datetime, span: timedelta) -> datetime:
    """Move by a span of absolute time; the ends of the calendar hold it."""
    try:
        return (at.astimezone(UTC) + span).astimezone(at.tzinfo)
    except OverflowError:
        late = span > timedelta(0)
        edge = datetime.combine(*((date.max, time.max) if late else (date.min, time.min)))
        return edge.replace(tzinfo=UTC)


def earliest(bound: Wanted) -> Wanted:
    """Give a bound that no value above `bound` lies below, whatever the time zone."""
    return _midnight(bound) - _FARTHEST if _is_day(bound) else bound


def latest(bound: Wanted) -> Wanted:
    """Give a bound that no value below `bound` lies above, whatever the time zone."""
    return _midnight(bound) + _DAY + _FARTHEST if _is_day(bound) else bound


def _is_day(bound: Wanted) -> bool:
    return isinstance(bound, date) and not isinstance(bound, datetime)


def _midnight(day: date) -> float:
    return datetime.combine(day, time(), UTC).timestamp()
