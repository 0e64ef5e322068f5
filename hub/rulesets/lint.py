"""The linter: what is odd about rules that are well formed. Pure; codes are stable.

E blocks publishing, W needs acceptance, I informs.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from hub.rules.conditions import Conditions
from hub.rules.model import Rule, Ruleset, content_digest
from hub.rules.schema import Schema
from hub.rulesets.bodies import meaning
from hub.rulesets.effects import Edge, Node, Write, cycles, edges_of, writes_of
from hub.rulesets.empties import empties
from hub.rulesets.notes import note_copies
from hub.rulesets.regions import Region, implies, overlap, passes, region_of
from hub.rulesets.single import Note, notes_of

Severity: TypeAlias = Literal["error", "warning", "info"]
_MANY_KEYLESS: Final = 200
_MANY_PATTERNS: Final = 500
_SHARE: Final = 0.5
SEVERITIES: Final[Mapping[str, Severity]] = {
    "L101": "warning",
    "L102": "error",
    "L103": "error",
    "L104": "warning",
    "L105": "warning",
    "L106": "warning",
    "L201": "warning",
    "L202": "warning",
    "L203": "info",
    "L301": "warning",
    "L302": "warning",
    "L303": "warning",
    "L304": "info",
    "L401": "warning",
    "L402": "warning",
    "L403": "info",
    "L404": "info",
    "L405": "warning",
    "L501": "warning",
    "L502": "warning",
    "L503": "error",
    "L504": "warning",
}
NAMES: Final[Mapping[str, str]] = {
    "L101": "required-fields",
    "L102": "choice-unknown",
    "L103": "never",
    "L104": "trigger-unseen",
    "L105": "connector-off",
    "L106": "required-empty",
    "L201": "unreachable",
    "L202": "duplicate",
    "L203": "overlap-first-wins",
    "L301": "fight",
    "L302": "self-loop",
    "L303": "cycle",
    "L304": "no-op",
    "L401": "becomes-true-any",
    "L402": "catch-all",
    "L403": "null-hint",
    "L404": "no-key",
    "L405": "regex-many",
    "L501": "unmapped-service",
    "L502": "calls",
    "L503": "secret",
    "L504": "note-echo",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is odd; `pointer` is in the body of the ruleset that was asked about."""

    code: str
    severity: Severity
    message: str
    pointer: str
    rule: str
    rule_name: str
    others: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The code's name, as its page in the documentation is called."""
        return NAMES[self.code]


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the linter is told of the tenant beside its schema.

    `states` are the connectors' states, `unseen` (connector type, object) whose changes no
    webhook and no poller tells. `defaults` are connectors with a default service row or own
    default service, `whole` (connector, object) with a row for any value. `learned` are fields
    that a vendor demanded before, by connector and object (keys or vendor names). `daily` are
    runs a day by rule, `quota` requests a day by connector.
    """

    states: Mapping[str, str] = field(default_factory=dict)
    unseen: frozenset[str] = frozenset()
    defaults: frozenset[str] = frozenset()
    whole: frozenset[tuple[str, str]] = frozenset()
    learned: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    daily: Mapping[str, float] = field(default_factory=dict)
    quota: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A rule with its place, as the linter compares it."""

    ruleset: str
    place: int
    rule: Rule
    region: Region
    writes: tuple[Write, ...]
    digest: str
    mine: bool

    @property
    def id(self) -> str:
        return self.rule.id or ""


def lint(
    asked: Ruleset, others: Iterable[Ruleset], schema: Schema, around: Around | None = None
) -> list[Finding]:
    """Return what is odd about a ruleset, alone and among the tenant's active ones.

    Rules that do not pass `check_rule` are left out: the check speaks of them.
    """
    around = around or Around()
    conditions = Conditions(schema)
    seen = _seen(asked, schema, conditions, mine=True)
    rest = [
        one
        for other in others
        if other.id != asked.id and other.state != "disabled"
        for one in _seen(other, schema, conditions, mine=False)
    ]
    found = [
        _finding(one, note.code, note.message, note.pointer, severity=note.severity)
        for one in seen
        for note in (
            *notes_of(one.rule, one.region, one.writes, (schema, around)),
            *empties(one.rule, one.region, schema),
        )
    ]
    for look in (_contradictions, _unreachable, _duplicates, _fights, _loops, _crowds):
        found.extend(look(seen, rest))
    found.extend(_calls(seen, rest, schema, around))
    found.extend(_note_echoes(seen, rest, schema))
    order = {one.id: at for at, one in enumerate(seen)}
    return sorted(found, key=lambda one: (order.get(one.rule, 0), one.code, one.pointer))


def _seen(ruleset: Ruleset, schema: Schema, conditions: Conditions, *, mine: bool) -> list[_Seen]:
    found = []
    for place, rule in enumerate(ruleset.rules):
        if not rule.enabled and not mine:
            continue
        try:
            region = region_of(rule, schema, conditions)
            writes = writes_of(rule, schema)
        except (KeyError, ValueError):
            continue
        digest = content_digest(_sense(rule))
        found.append(
            _Seen(
                ruleset=ruleset.id,
                place=place,
                rule=rule,
                region=region,
                writes=writes,
                digest=digest,
                mine=mine,
            )
        )
    return found


def _sense(rule: Rule) -> dict[str, Any]:
    """Return what makes two rules the same: conditions in any order, actions, triggers."""
    said = meaning(rule.as_json())
    apart = {"name", "note", "enabled"}
    kept = {name: value for name, value in said.items() if name not in apart}
    kept["on"] = sorted(kept.get("on", ()))
    kept["when"] = _ordered(kept.get("when", {}))
    return kept


def _ordered(node: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(node, Mapping):
        return {key: _ordered(value) for key, value in node.items()}
    if isinstance(node, list):
        return sorted((_ordered(one) for one in node), key=repr)
    return node


def _finding(
    seen: _Seen,
    code: str,
    message: str,
    pointer: str = "",
    *,
    others: Sequence[_Seen] = (),
    severity: Severity | None = None,
) -> Finding:
    return Finding(
        code=code,
        severity=severity or SEVERITIES[code],
        message=message,
        pointer=f"/rules/{seen.place}{pointer}",
        rule=seen.id,
        rule_name=seen.rule.name,
        others=tuple(one.id for one in others),
    )


Look: TypeAlias = Callable[[Sequence[_Seen], Sequence[_Seen]], Iterator[Finding]]


def _contradictions(seen: Sequence[_Seen], _: Sequence[_Seen]) -> Iterator[Finding]:
    for one in seen:
        for name in one.region.contradictions:
            yield _finding(
                one, "L103", f"Can never match: its conditions on {name} exclude each other.",
                "/when",
            )  # fmt: skip


def _unreachable(seen: Sequence[_Seen], _: Sequence[_Seen]) -> Iterator[Finding]:
    """Compare rules of one ruleset with the earlier ones that stop it."""
    stopping: list[_Seen] = []
    for one in seen:
        if not one.rule.enabled:
            continue
        for earlier in stopping:
            if earlier.rule.object != one.rule.object:
                continue
            always = earlier.rule.run == "every_time"
            if always and implies(one.region, earlier.region):
                text = f"Is never reached: '{earlier.rule.name}' matches first and stops."
                yield _finding(one, "L201", text, others=[earlier])
                break
            if overlap(one.region, earlier.region):
                text = f"Where '{earlier.rule.name}' matches too, it wins and stops."
                yield _finding(one, "L203", text, others=[earlier])
        if one.rule.after == "stop":
            stopping.append(one)


def _duplicates(seen: Sequence[_Seen], rest: Sequence[_Seen]) -> Iterator[Finding]:
    known: dict[str, _Seen] = {}
    for one in (*rest, *seen):
        first = known.setdefault(one.digest, one)
        if one.mine and first is not one and first.id != one.id:
            text = f"Says the same as '{first.rule.name}'."
            yield _finding(one, "L202", text, others=[first])


def _fights(seen: Sequence[_Seen], rest: Sequence[_Seen]) -> Iterator[Finding]:
    by_field: dict[tuple[str, str], list[tuple[_Seen, Write]]] = {}
    for one in (*seen, *rest):
        for write in one.writes:
            if write.is_literal and one.rule.enabled:
                by_field.setdefault((write.connector, write.field), []).append((one, write))
    for writers in by_field.values():
        for at, (one, write) in enumerate(writers):
            if one.mine:
                yield from _fights_of(one, write, writers[at + 1 :])


def _fights_of(
    one: _Seen, write: Write, others: Sequence[tuple[_Seen, Write]]
) -> Iterator[Finding]:
    for other, theirs in others:
        apart = other.id == one.id or theirs.value == write.value
        first = one if one.place < other.place else other
        stopped = other.ruleset == one.ruleset and first.rule.after == "stop"
        if apart or stopped or not overlap(one.region, other.region):
            continue
        text = (
            f"Sets {write.field} to {write.value!r}, and '{other.rule.name}' sets it to "
            f"{theirs.value!r}: both can match the same event."
        )
        yield _finding(one, "L301", text, f"/then/{write.index}", others=[other])


def _loops(seen: Sequence[_Seen], rest: Sequence[_Seen]) -> Iterator[Finding]:
    everyone = [one for one in (*seen, *rest) if one.rule.enabled]
    nodes = [Node(rule=one.rule, region=one.region, writes=one.writes) for one in everyone]
    edges = edges_of(nodes)
    for edge in edges:
        if edge.source == edge.target and everyone[edge.source].mine:
            text = f"Sets {edge.write.field}, which its own trigger or conditions wait for."
            yield _finding(everyone[edge.source], "L302", text, f"/then/{edge.write.index}")
    for loop in cycles(len(nodes), edges):
        members = [everyone[at] for at in loop]
        mine = next((one for one in members if one.mine), None)
        if mine is not None:
            yield _cycle(mine, members, [one for one in edges if one.source in loop])


def _cycle(mine: _Seen, members: Sequence[_Seen], edges: Sequence[Edge]) -> Finding:
    named = " → ".join(f"'{one.rule.name}'" for one in (*members, members[0]))
    places = sorted({write.connector for one in members for write in one.writes})
    between = f" (ping-pong between {' and '.join(places)})" if len(places) > 1 else ""
    mirror = all(one.is_copied for one in edges)
    ends = " It only copies the same values back and forth, which ends by itself." if mirror else ""
    return _finding(
        mine,
        "L303",
        f"Can set itself off in a circle: {named}{between}.{ends}",
        others=[one for one in members if one is not mine],
        severity="info" if mirror else None,
    )


def _crowds(seen: Sequence[_Seen], rest: Sequence[_Seen]) -> Iterator[Finding]:
    """Look at conditions that no index helps with."""
    keyless = [one for one in (*seen, *rest) if not _has_key(one.region)]
    crowded = len(keyless) >= _MANY_KEYLESS
    for one in keyless:
        if one.mine and one.rule.when.kind:
            text = "No condition can be looked up, so it is tested for every event of its triggers."
            more = f" The tenant has {len(keyless)} such rules." if crowded else ""
            severity: Severity | None = "warning" if crowded else None
            yield _finding(one, "L404", text + more, "/when", severity=severity)
    patterns: dict[str, int] = {}
    for one in (*seen, *rest):
        for leaf in one.region.leaves:
            if leaf.operator.name == "matches":
                patterns[leaf.field.name] = patterns.get(leaf.field.name, 0) + 1
    many = {name: count for name, count in patterns.items() if count > _MANY_PATTERNS}
    for one in seen:
        for name in many.keys() & {leaf.field.name for leaf in one.region.leaves}:
            text = f"{many[name]} rules match patterns on {name}; over {_MANY_PATTERNS} is slow."
            yield _finding(one, "L405", text, "/when")


def _has_key(region: Region) -> bool:
    for leaf in region.leaves:
        operator = leaf.operator
        if operator.allowed is not None:
            return True
        if operator.keys is not None and passes(leaf, None, region.zone) is not True:
            return True
    return bool(region.rest)


def _calls(
    seen: Sequence[_Seen], rest: Sequence[_Seen], schema: Schema, around: Around
) -> Iterator[Finding]:
    """Compare the calls of the last days with what the vendor allows a day."""
    load: dict[str, float] = {}
    for one in (*seen, *rest):
        for line in one.rule.then:
            action = schema.actions.get(line.do)
            calls = action.calls if action else 1
            load[line.connector] = load.get(line.connector, 0) + around.daily.get(one.id, 0) * calls
    for one in seen:
        for name in dict.fromkeys(line.connector for line in one.rule.then):
            quota = around.quota.get(name)
            if quota and load[name] > _SHARE * quota and around.daily.get(one.id):
                text = (
                    f"About {load[name]:,.0f} calls a day at {name}, "
                    f"{load[name] / quota:.0%} of its {quota:,.0f}."
                )
                yield _finding(one, "L502", text)


def _note_echoes(seen: Sequence[_Seen], rest: Sequence[_Seen], schema: Schema) -> Iterator[Finding]:
    """Look for notes that are copied both ways by plugins that don't know their own again."""
    others = [(one, copy) for one in (*seen, *rest) for copy in note_copies(one.rule, schema)]
    for one in seen:
        for copy in note_copies(one.rule, schema):
            back = next((pair for pair in others if copy.is_way_back(pair[1])), None)
            unlinked = [] if back is None else copy.unlinked_with(back[1], schema)
            if back is not None and unlinked:
                text = (
                    f"Notes go back by '{back[0].rule.name}', and the plugin "
                    f"{' and '.join(unlinked)} does not tell the ids of the notes that it "
                    "makes: they may come back as new ones."
                )
                yield _finding(one, "L504", text, f"/then/{copy.index}", others=[back[0]])


__all__ = ["NAMES", "SEVERITIES", "Around", "Finding", "Note", "Severity", "lint"]
