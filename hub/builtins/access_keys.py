"""The access keys of the operators: how an event's value points at their conditions."""

from collections.abc import Callable, Sequence
from typing import Any

from hub.builtins import comparisons
from hub.builtins.comparisons import Wanted
from hub.sdk.operators import AccessKey, KeyKind

Keys = Callable[[Any, str], Sequence[AccessKey] | None]


def one(kind: KeyKind) -> Keys:
    """Give the operand itself as the key."""
    return lambda operand, name: (AccessKey(kind, name, operand),)


def each(kind: KeyKind) -> Keys:
    """Give each of the operands as a key."""
    return lambda operands, name: tuple(AccessKey(kind, name, one) for one in operands)


def bare(kind: KeyKind) -> Keys:
    """Give a key without a value."""
    return lambda _, name: (AccessKey(kind, name),)


def bound(kind: KeyKind, edge: Callable[[Any], Any]) -> Keys:
    """Give one edge of the operand as the key."""
    return lambda operand, name: (AccessKey(kind, name, edge(operand)),)


def longest(operands: Sequence[str], name: str) -> Sequence[AccessKey]:
    """Give the operand that is rarest for being longest: all of them must be there."""
    return (AccessKey(KeyKind.MEMBER, name, max(operands, key=len)),)


def interval(operand: Wanted, name: str) -> Sequence[AccessKey]:
    """Give the operand's span as the key, safe in every time zone."""
    low, high = operand if isinstance(operand, tuple) else (operand, operand)
    return (
        AccessKey(KeyKind.INTERVAL, name, (comparisons.earliest(low), comparisons.latest(high))),
    )


def arrival(operand: Wanted, name: str) -> Sequence[AccessKey]:
    """Give the value that was arrived at as the key, or that anything changed."""
    if operand is None:
        return (AccessKey(KeyKind.CHANGED, name),)
    return (AccessKey(KeyKind.EQUAL, name, operand),)


def arrival_of_pair(operand: Wanted, name: str) -> Sequence[AccessKey]:
    """Give the value that was arrived at, the second of two, as the key."""
    return arrival(operand[1], name)
