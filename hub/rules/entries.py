"""Entries: the rules of a plan, compiled."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.rules.model import Rule

if TYPE_CHECKING:
    from hub.rules.conditions import NodeOrLeaf
    from hub.rules.planning import Line
    from hub.rules.problems import Problem


@dataclass(slots=True)
class Home:
    """The ruleset of an entry; `order` is its place in the tenant's order."""

    id: str
    name: str
    version: int
    state: str
    order: int

    @property
    def live(self) -> bool:
        """Whether its rules are matched."""
        return self.state != "disabled"


class Entry:
    """A rule of a plan: `rest` must all hold, `source` is the rule's JSON.

    `tree` are its conditions as written (None = always).

    `filed` says under which triggers the index has it.
    """

    __slots__ = (
        "becomes_true", "enabled", "filed", "home", "id", "lines", "name", "object", "place",
        "problems", "rest", "source", "sources", "stop", "tree", "triggers",
    )  # fmt: skip

    def __init__(self, rule: Rule, home: Home, place: int) -> None:
        if rule.id is None:
            raise ValueError(f"rule '{rule.name}' has no id")
        self.id = rule.id
        self.name = rule.name
        self.object = rule.object
        self.home = home
        self.place = place
        self.enabled = rule.enabled
        self.stop = rule.after == "stop"
        self.becomes_true = rule.run == "becomes_true"
        self.source = source_of(rule)
        self.triggers: frozenset[str] = frozenset()
        self.sources = tuple(rule.sources)
        self.tree: NodeOrLeaf | None = None
        self.rest: tuple[NodeOrLeaf, ...] = ()
        self.problems: tuple[Problem, ...] = ()
        self.lines: tuple[Line, ...] | None = None
        self.filed: tuple[object, ...] = ()

    @property
    def live(self) -> bool:
        """Whether it is matched at all."""
        return self.enabled and self.home.live and not self.problems

    @property
    def order(self) -> tuple[int, int]:
        """Its place among all rules of the tenant."""
        return self.home.order, self.place

    def rule(self) -> Rule:
        """Read the rule again."""
        return Rule.model_validate_json(self.source)


def source_of(rule: Rule) -> bytes:
    """Give the rule's JSON; rules of the same JSON mean the same."""
    return rule.model_dump_json(exclude_unset=True).encode()
