"""The operators that look at dates and times, and at what was before."""

from typing import Final

from hub.builtins import access_keys, comparisons
from hub.sdk.operators import KeyKind, Operand, Operator
from hub.sdk.vocabulary import FieldType

MEASURED: Final = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.DURATION})
TIMES: Final = frozenset({FieldType.DATE, FieldType.TIMESTAMP})
EVERY: Final = frozenset(FieldType)

MOMENTS: Final = (
    Operator(
        name="before",
        label="before",
        sentence="{field} is before {value}",
        types=TIMES,
        compile=comparisons.before,
        keys=access_keys.bound(KeyKind.UPPER, comparisons.latest),
    ),
    Operator(
        name="after",
        label="after",
        sentence="{field} is after {value}",
        types=TIMES,
        compile=comparisons.after,
        keys=access_keys.bound(KeyKind.LOWER, comparisons.earliest),
    ),
    Operator(
        name="on",
        label="on",
        sentence="{field} is on {value}",
        types=frozenset({FieldType.TIMESTAMP}),
        compile=comparisons.on_day,
        keys=access_keys.interval,
    ),
    Operator(
        name="within_last",
        label="within the last",
        sentence="{field} is within the last {value}",
        types=TIMES,
        operand=Operand.DURATION,
        compile=comparisons.within_last,
        keys=access_keys.bare(KeyKind.PRESENT),
    ),
    Operator(
        name="within_next",
        label="within the next",
        sentence="{field} is within the next {value}",
        types=TIMES,
        operand=Operand.DURATION,
        compile=comparisons.within_next,
        keys=access_keys.bare(KeyKind.PRESENT),
    ),
    Operator(
        name="older_than",
        label="older than",
        sentence="{field} is older than {value}",
        types=TIMES,
        operand=Operand.DURATION,
        compile=comparisons.older_than,
        keys=access_keys.bare(KeyKind.PRESENT),
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
        keys=access_keys.bare(KeyKind.CHANGED),
        exact=frozenset({KeyKind.CHANGED}),
    ),
    Operator(
        name="changed_to",
        label="changed to",
        sentence="{field} changed to {value}",
        types=EVERY,
        compile=comparisons.is_now,
        changes=True,
        keys=access_keys.arrival,
    ),
    Operator(
        name="changed_from",
        label="changed from",
        sentence="{field} changed from {value}",
        types=EVERY,
        compile=comparisons.was,
        changes=True,
        needs_prior=True,
        keys=access_keys.bare(KeyKind.CHANGED),
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
        keys=access_keys.arrival_of_pair,
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
        keys=access_keys.bare(KeyKind.CHANGED),
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
        keys=access_keys.bare(KeyKind.CHANGED),
    ),
)
