"""What differs between two states of a ruleset: by rule, in JSON and in words. Pure."""

import json
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from hub.rulesets.bodies import RuleJson

Words: TypeAlias = Callable[[Mapping[str, Any]], str]
_MISSING: Any = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One member that differs; applied in order, changes turn the old rule into the new one."""

    op: Literal["add", "remove", "replace"]
    pointer: str
    before: Any = None
    after: Any = None

    @property
    def line(self) -> str:
        """Say it in one line: the place in the rule, what was there and what is there now."""
        was, now = (json.dumps(one, ensure_ascii=False) for one in (self.before, self.after))
        if self.op == "add":
            return f"{self.pointer}: + {now}"
        if self.op == "remove":
            return f"{self.pointer}: - {was}"
        return f"{self.pointer}: {was} → {now}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDiff:
    """One rule that differs; places count from 1."""

    kind: Literal["added", "removed", "moved", "changed"]
    id: str
    name: str
    before_place: int | None = None
    after_place: int | None = None
    changes: tuple[Change, ...] = ()
    before_words: str | None = None
    after_words: str | None = None

    @property
    def line(self) -> str:
        """Say it in one line."""
        if self.kind == "added":
            return f"+ {self.after_place}. {self.name}: {self.after_words}"
        if self.kind == "removed":
            return f"- {self.before_place}. {self.name}: {self.before_words}"
        if self.kind == "moved":
            return f"↕ {self.name}: from place {self.before_place} to {self.after_place}"
        if self.before_words == self.after_words:
            where = ", ".join(one.pointer for one in self.changes)
            return f"~ {self.name}: {where}"
        return f"~ {self.name}: was “{self.before_words}”, is “{self.after_words}”"

    @property
    def text(self) -> str:
        """Say it in lines: of a changed rule only the members that differ, a line for each."""
        if self.kind == "changed":
            return "\n    ".join([f"~ {self.name}", *(one.line for one in self.changes)])
        head, colon, words = self.line.partition(f"{self.name}: ")
        return f"{head}{self.name}\n    {words}" if colon and self.kind != "moved" else self.line


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """All that differs between two lists of rules, in the order of the new one."""

    rules: tuple[RuleDiff, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether both mean the same."""
        return not self.rules

    def of(self, kind: str) -> tuple[RuleDiff, ...]:
        """Return the rules that were added, removed, moved or changed."""
        return tuple(one for one in self.rules if one.kind == kind)


def diff(old: Sequence[RuleJson], new: Sequence[RuleJson], words: Words) -> Diff:
    """Compare rules by id. A rule may be both moved and changed."""
    before = {str(rule.get("id")): (at + 1, rule) for at, rule in enumerate(old)}
    after = {str(rule.get("id")): (at + 1, rule) for at, rule in enumerate(new)}
    found = [_removed(key, before[key], words) for key in before if key not in after]
    stayed = _stayed([key for key in after if key in before], list(before))
    for key, (place, rule) in after.items():
        if key not in before:
            found.append(_added(key, (place, rule), words))
            continue
        was, earlier = before[key]
        if key not in stayed:
            found.append(
                RuleDiff(
                    kind="moved", id=key, name=_name(rule), before_place=was, after_place=place
                )
            )
        found.extend(_changed(key, (was, earlier), (place, rule), words))
    return Diff(rules=tuple(found))


def _name(rule: RuleJson) -> str:
    return str(rule.get("name", ""))


def _removed(key: str, was: tuple[int, RuleJson], words: Words) -> RuleDiff:
    place, rule = was
    return RuleDiff(
        kind="removed", id=key, name=_name(rule), before_place=place, before_words=words(rule)
    )


def _added(key: str, now: tuple[int, RuleJson], words: Words) -> RuleDiff:
    place, rule = now
    return RuleDiff(
        kind="added", id=key, name=_name(rule), after_place=place, after_words=words(rule)
    )


def _changed(
    key: str, was: tuple[int, RuleJson], now: tuple[int, RuleJson], words: Words
) -> Iterator[RuleDiff]:
    changes = tuple(changes_between(_placeless(was[1]), _placeless(now[1])))
    if changes:
        yield RuleDiff(
            kind="changed",
            id=key,
            name=_name(now[1]),
            before_place=was[0],
            after_place=now[0],
            changes=changes,
            before_words=words(was[1]),
            after_words=words(now[1]),
        )


def _placeless(rule: RuleJson) -> RuleJson:
    return {name: value for name, value in rule.items() if name != "position"}


def _stayed(new_order: Sequence[str], old_order: Sequence[str]) -> set[str]:
    """Return the most rules that can be said to have kept their order (a longest run)."""
    place = {key: at for at, key in enumerate(old_order)}
    tails: list[int] = []
    tail_keys: list[str] = []
    parent: dict[str, str | None] = {}
    for key in new_order:
        at = bisect_left(tails, place[key])
        parent[key] = tail_keys[at - 1] if at else None
        if at == len(tails):
            tails.append(place[key])
            tail_keys.append(key)
        else:
            tails[at], tail_keys[at] = place[key], key
    kept: set[str] = set()
    step = tail_keys[-1] if tail_keys else None
    while step is not None:
        kept.add(step)
        step = parent[step]
    return kept


def changes_between(old: Any, new: Any, pointer: str = "") -> Iterator[Change]:  # noqa: ANN401 - JSON
    """Yield what turns one JSON value into another, members by pointer."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _members(old, new, pointer)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _items(old, new, pointer)
    elif not _same(old, new):
        yield Change(op="replace", pointer=pointer, before=old, after=new)


def _same(old: Any, new: Any) -> bool:  # noqa: ANN401 - JSON
    return type(old) is type(new) and bool(old == new)


def _members(old: Mapping[str, Any], new: Mapping[str, Any], pointer: str) -> Iterator[Change]:
    for name in (*old, *(name for name in new if name not in old)):
        at = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
        if name not in new:
            yield Change(op="remove", pointer=at, before=old[name])
        elif name not in old:
            yield Change(op="add", pointer=at, after=new[name])
        else:
            yield from changes_between(old[name], new[name], at)


def _items(old: Sequence[Any], new: Sequence[Any], pointer: str) -> Iterator[Change]:
    both = min(len(old), len(new))
    for at in range(both):
        yield from changes_between(old[at], new[at], f"{pointer}/{at}")
    for at in range(len(old) - 1, both - 1, -1):
        yield Change(op="remove", pointer=f"{pointer}/{at}", before=old[at])
    for at in range(both, len(new)):
        yield Change(op="add", pointer=f"{pointer}/{at}", after=new[at])
