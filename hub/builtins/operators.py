"""The operators that every condition can use."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from hub.builtins import access_keys, comparisons
from hub.builtins.operators_of_time import CHANGES, EVERY, MEASURED, MOMENTS, TIMES
from hub.sdk.hookspecs import hookimpl
from hub.sdk.operators import KeyKind, Operand, Operator
from hub.sdk.vocabulary import FieldType

TEXT: Final = frozenset({FieldType.TEXT})
LIST: Final = frozenset({FieldType.LIST})
CHOICE: Final = frozenset({FieldType.CHOICE})
SINGLE: Final = EVERY - LIST - {FieldType.TIMESTAMP}
NAMED: Final = frozenset(
    {FieldType.TEXT, FieldType.ID, FieldType.CHOICE, FieldType.REFERENCE, FieldType.INTEGER}
)


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
            keys=access_keys.one(KeyKind.EQUAL),
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
            keys=access_keys.each(KeyKind.EQUAL),
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
        keys=access_keys.bare(KeyKind.PRESENT),
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
            keys=access_keys.one(KeyKind.SUBSTRING),
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
            keys=access_keys.one(KeyKind.PREFIX),
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
            keys=access_keys.one(KeyKind.SUFFIX),
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
            keys=access_keys.one(KeyKind.REGEX),
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
        keys=access_keys.one(KeyKind.LOWER),
        exact=frozenset({KeyKind.LOWER}),
    ),
    Operator(
        name="gte",
        label="≥",
        sentence="{field} ≥ {value}",
        types=MEASURED,
        compile=comparisons.greater_or_equal,
        keys=access_keys.one(KeyKind.LOWER),
        exact=frozenset({KeyKind.LOWER}),
    ),
    Operator(
        name="lt",
        label="<",
        sentence="{field} < {value}",
        types=MEASURED,
        compile=comparisons.less,
        keys=access_keys.one(KeyKind.UPPER),
        exact=frozenset({KeyKind.UPPER}),
    ),
    Operator(
        name="lte",
        label="≤",
        sentence="{field} ≤ {value}",
        types=MEASURED,
        compile=comparisons.less_or_equal,
        keys=access_keys.one(KeyKind.UPPER),
        exact=frozenset({KeyKind.UPPER}),
    ),
    Operator(
        name="between",
        label="between",
        sentence="{field} is between {value}",
        types=MEASURED | TIMES,
        operand=Operand.RANGE,
        compile=comparisons.between,
        keys=access_keys.interval,
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
            keys=access_keys.one(KeyKind.MEMBER),
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
            keys=access_keys.each(KeyKind.MEMBER),
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
        keys=access_keys.longest,
    ),
)

OPERATORS: Final = (*EQUALITY, *TEXTS, *RANKS, *ORDER, *MOMENTS, *LISTS, *CHANGES)


@hookimpl
def hub_register_operators() -> Sequence[Operator]:
    """Declare the operators that every condition can use."""
    return OPERATORS
