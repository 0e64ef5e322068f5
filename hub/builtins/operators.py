"""The operators that every condition can use."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from hub.builtins import comparisons
from hub.builtins.comparisons import Wanted
from hub.sdk.hookspecs import hookimpl
from hub.sdk.operators import AccessKey, KeyKind, Operand, Operator
from hub.sdk.vocabulary import FieldType

Keys = Callable[[Any, str], Sequence[AccessKey] | None]

TEXT: Final = frozenset({FieldType.TEXT})
LIST: Final = frozenset({FieldType.LIST})
CHOICE: Final = frozenset({FieldType.CHOICE})
MEASURED: Final = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.DURATION})
TIMES: Final = frozenset({FieldType.DATE, FieldType.TIMESTAMP})
EVERY: Final = frozenset(FieldType)
SINGLE: Final = EVERY - LIST - {FieldType.TIMESTAMP}
NAMED: Final = frozenset(
    {FieldType.TEXT, FieldType.ID, FieldType.CHOICE, FieldType.REFERENCE, FieldType.INTEGER}
)


def _one(kind: KeyKind) -> Keys:
    return lambda operand, name: (AccessKey(kind, name, operand),)


def _each(kind: KeyKind) -> Keys:
    return lambda operands, name: tuple(AccessKey(kind, name, one) for one in operands)


def _bare(kind: KeyKind) -> Keys:
    return lambda _, name: (AccessKey(kind, name),)


def _bound(kind: KeyKind, edge: Callable[[Any], Any]) -> Keys:
    return lambda operand, name: (AccessKey(kind, name, edge(operand)),)


def _longest(operands: Sequence[str], name: str) -> Sequence[AccessKey]:
    return (AccessKey(KeyKind.MEMBER, name, max(operands, key=len)),)


def _interval(operand: Wanted, name: str) -> Sequence[AccessKey]:
    low, high = operand if isinstance(operand, tuple) else (operand, operand)
    return (
        AccessKey(KeyKind.INTERVAL, name, (comparisons.earliest(low), comparisons.latest(high))),
    )


def _arrival(operand: Wanted, name: str) -> Sequence[AccessKey]:
    if operand is None:
        return (AccessKey(KeyKind.CHANGED, name),)
    return (AccessKey(KeyKind.EQUAL, name, operand),)


def _arrival_of_pair(operand: Wanted, name: str) -> Sequence[AccessKey]:
    return _arrival(operand[1], name)


def _pair(positive: Operator, name: str, label: str, sentence: str) -> tuple[Operator, Operator]:
    """Give an operator and its exact opposite."""
    negative = replace(
        positive,
        name=name,
        label=label,
        sentence=sentence,
        compile=comparisons.opposite(positive.compile),
        keys=None,
        exact=frozenset(),
        inverse=positive.name,
    )
    return replace(positive, inverse=name), negative


EQUALITY: Final = (
    *_pair(
        Operator(
            name="is",
            label="is",
            sentence="{field} is {value}",
            types=SINGLE,
            compile=comparisons.equal,
            keys=_one(KeyKind.EQUAL),
            exact=frozenset({KeyKind.EQUAL}),
        ),
        "is_not",
        "is not",
        "{field} is not {value}",
    ),
    *_pair(
        Operator(
            name="is_any_of",
            label="is any of",
            sentence="{field} is any of {value}",
            types=NAMED,
            operand=Operand.VALUES,
            compile=comparisons.among,
            keys=_each(KeyKind.EQUAL),
            exact=frozenset({KeyKind.EQUAL}),
        ),
        "is_none_of",
        "is none of",
        "{field} is none of {value}",
    ),
    Operator(
        name="is_empty",
        label="is empty",
        sentence="{field} is empty",
        types=EVERY,
        operand=Operand.NONE,
        compile=comparisons.empty,
        inverse="is_present",
    ),
    Operator(
        name="is_present",
        label="is present",
        sentence="{field} is present",
        types=EVERY,
        operand=Operand.NONE,
        compile=comparisons.present,
        keys=_bare(KeyKind.PRESENT),
        exact=frozenset({KeyKind.PRESENT}),
        inverse="is_empty",
    ),
)

TEXTS: Final = (
    *_pair(
        Operator(
            name="contains",
            label="contains",
            sentence="{field} contains {value}",
            types=TEXT,
            compile=comparisons.contains,
            keys=_one(KeyKind.SUBSTRING),
            exact=frozenset({KeyKind.SUBSTRING}),
        ),
        "not_contains",
        "does not contain",
        "{field} does not contain {value}",
    ),
    *_pair(
        Operator(
            name="starts_with",
            label="starts with",
            sentence="{field} starts with {value}",
            types=TEXT,
            compile=comparisons.starts_with,
            keys=_one(KeyKind.PREFIX),
            exact=frozenset({KeyKind.PREFIX}),
        ),
        "not_starts_with",
        "does not start with",
        "{field} does not start with {value}",
    ),
    *_pair(
        Operator(
            name="ends_with",
            label="ends with",
            sentence="{field} ends with {value}",
            types=TEXT,
            compile=comparisons.ends_with,
            keys=_one(KeyKind.SUFFIX),
            exact=frozenset({KeyKind.SUFFIX}),
        ),
        "not_ends_with",
        "does not end with",
        "{field} does not end with {value}",
    ),
    *_pair(
        Operator(
            name="matches",
            label="matches pattern",
            sentence="{field} matches pattern {value}",
            types=TEXT,
            operand=Operand.PATTERN,
            compile=comparisons.matches,
            keys=_one(KeyKind.REGEX),
            exact=frozenset({KeyKind.REGEX}),
        ),
        "not_matches",
        "does not match pattern",
        "{field} does not match pattern {value}",
    ),
)

RANKS: Final = (
    Operator(
        name="at_least",
        label="is at least",
        sentence="{field} is at least {value}",
        types=CHOICE,
        compile=comparisons.at_least,
        allowed=comparisons.at_least_allows,
    ),
    Operator(
        name="at_most",
        label="is at most",
        sentence="{field} is at most {value}",
        types=CHOICE,
        compile=comparisons.at_most,
        allowed=comparisons.at_most_allows,
    ),
)

ORDER: Final = (
    Operator(
        name="gt",
        label=">",
        sentence="{field} > {value}",
        types=MEASURED,
        compile=comparisons.greater,
        keys=_one(KeyKind.LOWER),
        exact=frozenset({KeyKind.LOWER}),
    ),
    Operator(
        name="gte",
        label="≥",
        sentence="{field} ≥ {value}",
        types=MEASURED,
        compile=comparisons.greater_or_equal,
        keys=_one(KeyKind.LOWER),
        exact=frozenset({KeyKind.LOWER}),
    ),
    Operator(
        name="lt",
        label="<",
        sentence="{field} < {value}",
        types=MEASURED,
        compile=comparisons.less,
        keys=_one(KeyKind.UPPER),
        exact=frozenset({KeyKind.UPPER}),
    ),
    Operator(
        name="lte",
        label="≤",
        sentence="{field} ≤ {value}",
        types=MEASURED,
        compile=comparisons.less_or_equal,
        keys=_one(KeyKind.UPPER),
        exact=frozenset({KeyKind.UPPER}),
    ),
    Operator(
        name="between",
        label="between",
        sentence="{field} is between {value}",
        types=MEASURED | TIMES,
        operand=Operand.RANGE,
        compile=comparisons.between,
        keys=_interval,
    ),
)

MOMENTS: Final = (
    Operator(
        name="before",
        label="before",
        sentence="{field} is before {value}",
        types=TIMES,
        compile=comparisons.before,
        keys=_bound(KeyKind.UPPER, comparisons.latest),
    ),
    Operator(
        name="after",
        label="after",
        sentence="{field} is after {value}",
        types=TIMES,
        compile=comparisons.after,
        keys=_bound(KeyKind.LOWER, comparisons.earliest),
    ),
    Operator(
        name="on",
        label="on",
        sentence="{field} is on {value}",
        types=frozenset({FieldType.TIMESTAMP}),
        compile=comparisons.on_day,
        keys=_interval,
    ),
    Operator(
        name="within_last",
        label="within the last",
        sentence="{field} is within the last {value}",
        types=TIMES,
        operand=Operand.DURATION,
        compile=comparisons.within_last,
        keys=_bare(KeyKind.PRESENT),
    ),
    Operator(
        name="within_next",
        label="within the next",
        sentence="{field} is within the next {value}",
        types=TIMES,
        operand=Operand.DURATION,
        compile=comparisons.within_next,
        keys=_bare(KeyKind.PRESENT),
    ),
    Operator(
        name="older_than",
        label="older than",
        sentence="{field} is older than {value}",
        types=TIMES,
        operand=Operand.DURATION,
        compile=comparisons.older_than,
        keys=_bare(KeyKind.PRESENT),
    ),
)

LISTS: Final = (
    *_pair(
        Operator(
            name="has",
            label="has",
            sentence="{field} has {value}",
            types=LIST,
            compile=comparisons.has,
            keys=_one(KeyKind.MEMBER),
            exact=frozenset({KeyKind.MEMBER}),
        ),
        "has_not",
        "does not have",
        "{field} does not have {value}",
    ),
    *_pair(
        Operator(
            name="has_any_of",
            label="has any of",
            sentence="{field} has any of {value}",
            types=LIST,
            operand=Operand.VALUES,
            compile=comparisons.has_any_of,
            keys=_each(KeyKind.MEMBER),
            exact=frozenset({KeyKind.MEMBER}),
        ),
        "has_none_of",
        "has none of",
        "{field} has none of {value}",
    ),
    Operator(
        name="has_all_of",
        label="has all of",
        sentence="{field} has all of {value}",
        types=LIST,
        operand=Operand.VALUES,
        compile=comparisons.has_all_of,
        keys=_longest,
    ),
)

CHANGES: Final = (
    Operator(
        name="changed",
        label="changed",
        sentence="{field} changed",
        types=EVERY,
        operand=Operand.NONE,
        compile=comparisons.always,
        changes=True,
        keys=_bare(KeyKind.CHANGED),
        exact=frozenset({KeyKind.CHANGED}),
    ),
    Operator(
        name="changed_to",
        label="changed to",
        sentence="{field} changed to {value}",
        types=EVERY,
        compile=comparisons.is_now,
        changes=True,
        keys=_arrival,
    ),
    Operator(
        name="changed_from",
        label="changed from",
        sentence="{field} changed from {value}",
        types=EVERY,
        compile=comparisons.was,
        changes=True,
        needs_prior=True,
        keys=_bare(KeyKind.CHANGED),
    ),
    Operator(
        name="changed_from_to",
        label="changed from … to",
        sentence="{field} changed from {from} to {to}",
        types=EVERY,
        operand=Operand.FROM_TO,
        compile=comparisons.went,
        changes=True,
        needs_prior=True,
        keys=_arrival_of_pair,
    ),
    Operator(
        name="was",
        label="was",
        sentence="{field} was {value}",
        types=EVERY,
        compile=comparisons.was,
        needs_prior=True,
    ),
    Operator(
        name="increased",
        label="increased",
        sentence="{field} increased",
        types=MEASURED | TIMES,
        operand=Operand.NONE,
        compile=comparisons.increased,
        changes=True,
        needs_prior=True,
        keys=_bare(KeyKind.CHANGED),
    ),
    Operator(
        name="decreased",
        label="decreased",
        sentence="{field} decreased",
        types=MEASURED | TIMES,
        operand=Operand.NONE,
        compile=comparisons.decreased,
        changes=True,
        needs_prior=True,
        keys=_bare(KeyKind.CHANGED),
    ),
)

OPERATORS: Final = (*EQUALITY, *TEXTS, *RANKS, *ORDER, *MOMENTS, *LISTS, *CHANGES)


@hookimpl
def hub_register_operators() -> Sequence[Operator]:
    """Declare the operators that every condition can use."""
    return OPERATORS
