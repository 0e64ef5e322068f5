"""Who keeps a name that several plugins declare: never a matter of their order. Pure.

The hub's own plugins keep their names, then the plugin that is called like the connector type
(`pagerduty` keeps all of `pagerduty.…`). Where nobody has such a right, all are refused: a hub that
guessed could hand a vendor's webhooks and keys to a plugin that was installed by mistake.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from hub.catalog.contributions import Contribution, Kind


class Claim(NamedTuple):
    """A name of a kind that several plugins declare."""

    kind: Kind
    name: str


Clashes: TypeAlias = Mapping[str, Sequence[tuple[Claim, str]]]
"""By plugin: the names that it may not declare, and why."""


def settle(contributions: Sequence[Contribution]) -> tuple[list[Contribution], Clashes]:
    """Return the contributions that stay, and why the others do not."""
    left, refused = list(contributions), dict[str, list[tuple[Claim, str]]]()
    while claims := _claims(left):
        losers = _losers(claims) or _tied(claims)
        refused |= losers
        left = [one for one in left if one.plugin not in losers]
    return left, refused


def _claims(contributions: Sequence[Contribution]) -> dict[Claim, list[Contribution]]:
    found: dict[Claim, list[Contribution]] = defaultdict(list)
    for one in contributions:
        for kind, name in dict.fromkeys((kind, name) for kind, name, _ in one.named()):
            found[Claim(kind, name)].append(one)
    return {claim: several for claim, several in found.items() if len(several) > 1}


def _losers(claims: Mapping[Claim, Sequence[Contribution]]) -> dict[str, list[tuple[Claim, str]]]:
    """Return those who lose to one with a right; who wins against nobody's loser goes first."""
    lost: dict[str, list[tuple[Claim, str]]] = defaultdict(list)
    to: dict[str, set[str]] = defaultdict(set)
    for claim, several in claims.items():
        winner = _winner(claim, several)
        for one in several if winner is not None else ():
            if winner is not None and one is not winner:
                lost[one.plugin].append(
                    (claim, f"is declared by the plugin {winner.plugin!r} already")
                )
                to[one.plugin].add(winner.plugin)
    sure = {plugin: why for plugin, why in lost.items() if not to[plugin] & lost.keys()}
    return sure or dict(lost)


def _winner(claim: Claim, several: Sequence[Contribution]) -> Contribution | None:
    builtin = next((one for one in several if one.builtin), None)
    if builtin is not None:
        return builtin
    owner = claim.name.partition(".")[0]
    return next((one for one in several if one.plugin == owner), None)


def _tied(claims: Mapping[Claim, Sequence[Contribution]]) -> dict[str, list[tuple[Claim, str]]]:
    tied: dict[str, list[tuple[Claim, str]]] = defaultdict(list)
    for claim, several in claims.items():
        names = " and ".join(sorted(repr(one.plugin) for one in several))
        why = (
            f"is declared by the plugins {names}, and none is called "
            f"{claim.name.partition('.')[0]!r}: uninstall or block all but one"
        )
        for one in several:
            tied[one.plugin].append((claim, why))
    return dict(tied)
