"""What rules write, and what that sets off: for loops, fights and needless writes. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from hub.rules.model import ActionLine, Rule
from hub.rules.params import target_of
from hub.rules.schema import Schema, object_of
from hub.rules.template_syntax import Expression, TemplateFault, parse
from hub.rulesets.regions import Region, excludes
from hub.sdk.actions import Action

UNKNOWN: Final = object()
"""Stands for a value that is only known when the rule runs."""
_OPEN: Final = "{{ }}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A field that an action of a rule sets.

    `reads` are the paths that its parameters are made of. `once`: it writes back what an action
    made that makes nothing a second time, so it can't keep a circle going.
    """

    index: int
    connector: str
    field: str
    value: Any
    reads: frozenset[str] = frozenset()
    once: bool = False

    @property
    def is_literal(self) -> bool:
        """Whether the value is known before the rule runs."""
        return self.value is not UNKNOWN


def writes_of(rule: Rule, schema: Schema) -> tuple[Write, ...]:
    """Return the fields that a rule's actions set, as far as the actions tell."""
    return tuple(
        write
        for index, line in enumerate(rule.then)
        for write in _line_writes(line, index, rule, schema)
    )


def _line_writes(line: ActionLine, index: int, rule: Rule, schema: Schema) -> Iterator[Write]:
    action = schema.actions.get(line.do)
    if action is None:
        return
    target = target_of(action, line.params, rule.object)
    if not target:
        return
    reads = frozenset(fields_read(line.params))
    once = any(
        made.unless_linked and any(path.startswith(f"hub.action.{at}.") for path in reads)
        for at, made in enumerate(rule.then[:index])
    )
    for key, value in _values(action, line.params).items():
        yield Write(
            index=index,
            connector=line.connector,
            field=f"{target}.{key}",
            value=UNKNOWN if _is_open(value) else value,
            reads=reads,
            once=once,
        )


def _values(action: Action[Any, Any], params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Ask the action; where its parameters can't be tried, read the usual shapes."""
    if action.writes is not None:
        try:
            return action.writes(action.params.model_validate(_closed(params)))
        except (ValidationError, TypeError, ValueError, AttributeError, KeyError):
            pass
    fields = params.get("fields")
    if isinstance(fields, Mapping):
        return {key: value for key, value in fields.items() if not key.startswith("$")}
    named = params.get("field")
    return {named.rpartition(".")[2]: params.get("value")} if isinstance(named, str) else {}


def _closed(node: Any) -> Any:  # noqa: ANN401 - JSON
    """Put a stand-in where a value is only known at run time."""
    if isinstance(node, Mapping):
        if len(node) == 1 and next(iter(node)).startswith("$"):
            return _OPEN
        return {key: _closed(value) for key, value in node.items() if not key.startswith("$")}
    if isinstance(node, list | tuple):
        return [_closed(one) for one in node]
    return _OPEN if isinstance(node, str) and "{{" in node else node


def _is_open(value: Any) -> bool:  # noqa: ANN401 - JSON
    if isinstance(value, Mapping):
        return True
    return isinstance(value, str) and "{{" in value


def fields_read(node: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield the fields that parameters copy or name in templates."""
    if isinstance(node, Mapping):
        named = node.get("$field")
        if isinstance(named, str):
            yield named
        for value in node.values():
            yield from fields_read(value)
    elif isinstance(node, list | tuple):
        for one in node:
            yield from fields_read(one)
    elif isinstance(node, str) and "{{" in node:
        yield from _paths(node)


def _paths(template: str) -> Iterator[str]:
    try:
        parts = parse(template)
    except TemplateFault:
        return
    for part in parts:
        if isinstance(part, Expression):
            yield part.path.removeprefix("prior.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A rule in the graph of what sets off what."""

    rule: Rule
    region: Region
    writes: tuple[Write, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A write of one rule that may set off another."""

    source: int
    target: int
    write: Write
    is_copied: bool
    """Whether the set-off rule writes what it makes of that very field."""


def edges_of(nodes: Sequence[Node]) -> list[Edge]:
    """Return which rule's writes may set off which rule."""
    readers = _readers(nodes)
    found: dict[tuple[int, int], Edge] = {}
    for source, node in enumerate(nodes):
        for write in (one for one in node.writes if not one.once):
            for target in readers.get(object_of(write.field), ()):
                edge = _edge(source, target, nodes[target], write)
                if edge is not None:
                    found.setdefault((source, target), edge)
    return list(found.values())


def _readers(nodes: Sequence[Node]) -> dict[str, list[int]]:
    """Return the rules that run on an object's triggers, by object."""
    found: dict[str, list[int]] = {}
    for place, node in enumerate(nodes):
        for name in dict.fromkeys(object_of(one) for one in node.region.triggers):
            found.setdefault(name, []).append(place)
    return found


def _edge(source: int, target: int, node: Node, write: Write) -> Edge | None:
    region = node.region
    if region.sources and write.connector not in region.sources:
        return None
    if not (write.field in region.fields or _runs_on_any_update(region, write.field)):
        return None
    if write.is_literal and excludes(region, write.field, write.value):
        return None
    copied = any(write.field in own.reads and not own.is_literal for own in node.writes)
    return Edge(source=source, target=target, write=write, is_copied=copied)


def _runs_on_any_update(region: Region, name: str) -> bool:
    """Whether a change of this field alone may be what the rule waits for."""
    if f"{object_of(name)}.updated" not in region.triggers:
        return False
    waits = [leaf for leaf in region.leaves if leaf.operator.changes]
    return not waits or any(leaf.field.name == name for leaf in waits)


def cycles(count: int, edges: Iterable[Edge]) -> list[list[int]]:
    """Return groups of rules that can set each other off, each in the order of its loop."""
    targets: dict[int, list[int]] = {}
    for edge in edges:
        if edge.source != edge.target:
            targets.setdefault(edge.source, []).append(edge.target)
    return [_walk(group, targets) for group in _components(count, targets) if len(group) > 1]


def _components(count: int, targets: Mapping[int, Sequence[int]]) -> list[set[int]]:
    """Tarjan's strongly connected components, without recursion."""
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    found: list[set[int]] = []
    for start in range(count):
        if start in order:
            continue
        work = [(start, iter(targets.get(start, ())))]
        order[start] = low[start] = len(order)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, rest = work[-1]
            following = next(rest, None)
            if following is None:
                work.pop()
                _close(node, work, low, order)
                if low[node] == order[node]:
                    found.append(_taken(node, stack, on_stack))
            elif following not in order:
                order[following] = low[following] = len(order)
                stack.append(following)
                on_stack.add(following)
                work.append((following, iter(targets.get(following, ()))))
            elif following in on_stack:
                low[node] = min(low[node], order[following])
    return found


def _close(
    node: int, work: list[tuple[int, Iterator[int]]], low: dict[int, int], order: dict[int, int]
) -> None:
    if work:
        parent = work[-1][0]
        low[parent] = min(low[parent], low[node], order[node])


def _taken(node: int, stack: list[int], on_stack: set[int]) -> set[int]:
    group: set[int] = set()
    while True:
        one = stack.pop()
        on_stack.discard(one)
        group.add(one)
        if one == node:
            return group


def _walk(group: set[int], targets: Mapping[int, Sequence[int]]) -> list[int]:
    """Return a loop inside the group: a shortest way from its first rule back to it."""
    start = min(group)
    before: dict[int, int] = {}
    frontier = [start]
    while frontier:
        following: list[int] = []
        for node in frontier:
            for one in targets.get(node, ()):
                if one == start:
                    return _path(node, start, before)
                if one in group and one not in before:
                    before[one] = node
                    following.append(one)
        frontier = following
    return sorted(group)


def _path(end: int, start: int, before: Mapping[int, int]) -> list[int]:
    path = [end]
    while path[-1] != start:
        path.append(before[path[-1]])
    return path[::-1]
