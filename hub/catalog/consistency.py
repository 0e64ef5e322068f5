"""Whether all declarations fit together: every problem at once, named by plugin."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from hub.catalog.clashes import settle
from hub.catalog.contributions import KINDS, Contribution, Kind, name_of
from hub.catalog.wellformed import faults_of
from hub.sdk.actions import Action
from hub.sdk.connector_types import ConnectorType
from hub.sdk.mappings import ServiceResolver
from hub.sdk.operators import Operator
from hub.sdk.templates import RulesetTemplate
from hub.sdk.vocabulary import FieldSchema, Trigger

_MAY_BE_BARE = {"operator", "filter", "ruleset template", "service resolver"}
_MUST_BE_OWN = {"source object", "trigger"} | _MAY_BE_BARE


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with one declaration of one plugin."""

    plugin: str
    kind: str
    name: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r}: {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Which contributions may be used.

    `refused` are plugins whose declarations are taken out whole, `dropped` single
    declarations that refer to something missing; both by plugin.
    """

    kept: tuple[Contribution, ...]
    refused: Mapping[str, tuple[Problem, ...]]
    dropped: Mapping[str, tuple[Problem, ...]]


def judge(contributions: Sequence[Contribution]) -> Verdict:
    """Judge contributions; of those that clash the one with the right to the name stays."""
    refused: dict[str, tuple[Problem, ...]] = {}
    sound: list[Contribution] = []
    for contribution in contributions:
        found = tuple(_faults(contribution))
        if found:
            refused[contribution.plugin] = found
        else:
            sound.append(contribution)
    kept, clashes = settle(sound)
    for contribution in contributions:
        if contribution.plugin in refused:
            refused[contribution.plugin] += tuple(_taken(contribution, kept))
    for plugin, several in clashes.items():
        refused[plugin] = tuple(
            Problem(plugin=plugin, kind=claim.kind.word, name=claim.name, detail=why)
            for claim, why in several
        )
    whole, dropped = _without_dangling(kept)
    return Verdict(kept=whole, refused=refused, dropped=dropped)


def _taken(contribution: Contribution, kept: Sequence[Contribution]) -> Iterator[Problem]:
    """Tell a plugin that is refused anyway which of its names it could not have."""
    taken = {(kind, name): other.plugin for other in kept for kind, name, _ in other.named()}
    for kind, name, _ in contribution.named():
        if (kind, name) in taken:
            detail = f"is declared by the plugin {taken[kind, name]!r} already"
            yield Problem(plugin=contribution.plugin, kind=kind.word, name=name, detail=detail)


def _faults(contribution: Contribution) -> Iterator[Problem]:
    seen: set[tuple[Kind, str]] = set()
    for kind, name, declaration in contribution.named():
        details = list(faults_of(declaration, name))
        if kind.word in _MUST_BE_OWN and not _is_own(contribution, kind, name):
            details.append(_foreign(contribution))
        if kind.word == "connector type" and name == "hub":
            details.append("is the hub's own name")
        if (kind, name) in seen:
            details.append("is declared twice")
        seen.add((kind, name))
        for detail in details:
            yield Problem(plugin=contribution.plugin, kind=kind.word, name=name, detail=detail)


def _is_own(contribution: Contribution, kind: Kind, name: str) -> bool:
    first, dot, _ = name.partition(".")
    if not dot and kind.word in _MAY_BE_BARE:
        return contribution.builtin
    return first in contribution.own_prefixes


def _foreign(contribution: Contribution) -> str:
    own = ", ".join(sorted(contribution.own_prefixes)) or "it declares none"
    return f"must begin with a connector type of the plugin ({own})"


class _Known:
    """What declarations may refer to."""

    def __init__(self, contributions: Sequence[Contribution]) -> None:
        types = [one for made in contributions for one in made.connector_types]
        self.types = {one.name for one in types}
        self.choices = {(one.name, source.name) for one in types for source in one.choices}
        self.objects = {one.name for made in contributions for one in made.objects}
        self.operators = {one.name for made in contributions for one in made.operators}


def _without_dangling(
    kept: Sequence[Contribution],
) -> tuple[tuple[Contribution, ...], Mapping[str, tuple[Problem, ...]]]:
    dropped: dict[str, list[Problem]] = defaultdict(list)
    current = list(kept)
    while True:
        known = _Known(current)
        found = [_prune(contribution, known) for contribution in current]
        current = [pruned for pruned, _ in found]
        problems = [problem for _, some in found for problem in some]
        if not problems:
            break
        for problem in problems:
            dropped[problem.plugin].append(problem)
    return tuple(current), {plugin: tuple(some) for plugin, some in dropped.items()}


def _prune(contribution: Contribution, known: _Known) -> tuple[Contribution, list[Problem]]:
    problems: list[Problem] = []
    changed: dict[str, Any] = {}
    for kind in KINDS:
        left = []
        for declaration in getattr(contribution, kind.member):
            missing = _missing(declaration, known)
            if missing:
                problems.append(_dangling(contribution, kind.word, name_of(declaration), missing))
            else:
                left.append(declaration)
        changed[kind.member] = tuple(left)
    changed["connector_types"] = tuple(
        _without_pollers(contribution, one, known, problems) for one in changed["connector_types"]
    )
    return replace(contribution, **changed), problems


def _dangling(contribution: Contribution, word: str, name: str, missing: str) -> Problem:
    return Problem(
        plugin=contribution.plugin,
        kind=word,
        name=name,
        detail=f"left out: it refers to {missing}, which no plugin declares",
    )


def _without_pollers(
    contribution: Contribution,
    declared: ConnectorType[Any, Any],
    known: _Known,
    problems: list[Problem],
) -> ConnectorType[Any, Any]:
    lost = [one for one in declared.pollers if one.source_object not in known.objects]
    for poller in lost:
        missing = f"the source object {poller.source_object!r}"
        problems.append(_dangling(contribution, "poller", declared.name, missing))
    if not lost:
        return declared
    return replace(declared, pollers=tuple(one for one in declared.pollers if one not in lost))


def _missing(declaration: Any, known: _Known) -> str | None:  # noqa: ANN401 - any kind
    for kind, missing in _MISSING.items():
        if isinstance(declaration, kind):
            return missing(declaration, known)
    return None


def _missing_of_field(declared: FieldSchema, known: _Known) -> str | None:
    if declared.source_object not in known.objects:
        return f"the source object {declared.source_object!r}"
    owner = declared.source_object.partition(".")[0]
    source = declared.choice_source
    if source is not None and (owner, source) not in known.choices:
        return f"the choice source {source!r} of {owner!r}"
    return None


def _missing_of_action(declared: Action[Any, Any], known: _Known) -> str | None:
    if declared.connector_type not in known.types:
        return f"the connector type {declared.connector_type!r}"
    if declared.target and declared.target not in known.objects:
        return f"the source object {declared.target!r}"
    return None


def _missing_object(declared: Trigger | ServiceResolver[Any], known: _Known) -> str | None:
    if declared.source_object in known.objects:
        return None
    return f"the source object {declared.source_object!r}"


def _missing_of_operator(declared: Operator, known: _Known) -> str | None:
    if declared.inverse is None or declared.inverse in known.operators:
        return None
    return f"the operator {declared.inverse!r}"


def _missing_of_template(declared: RulesetTemplate[Any], known: _Known) -> str | None:
    lost = [repr(one) for one in declared.roles.values() if one not in known.types]
    return f"the connector type {', '.join(lost)}" if lost else None


_MISSING: Mapping[type[Any], Callable[[Any, _Known], str | None]] = MappingProxyType(
    {
        FieldSchema: _missing_of_field,
        Trigger: _missing_object,
        ServiceResolver: _missing_object,
        Action: _missing_of_action,
        Operator: _missing_of_operator,
        RulesetTemplate: _missing_of_template,
    }
)
