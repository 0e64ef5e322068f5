"""Finders: which of many texts or patterns a text contains, in one pass over it.

Each keeps what was built last and a delta of what came since. `find` is right at any
moment; `stale` says when building anew would pay. Building works on a copy, so that
another thread can do it.
"""

from collections.abc import Callable, Hashable, Mapping
from math import isqrt
from typing import Final, Generic, Protocol, TypeAlias, TypeVar

import re2

from hub.rules.text import Pattern, options

MAX_DELTA: Final = 64
SMALLEST: Final = 12
SHARD: Final = 500
SENTINEL: Final = ""
SET_MEMORY: Final = 64 * 1024 * 1024
ALL_SETS_MEMORY: Final = 512 * 1024 * 1024
_SMALLEST_MEMORY: Final = 8 * 1024 * 1024
_GRAM: Final = 6
_HEAD: Final = 64
_MAX_DEPTH: Final = 8

Sought = TypeVar("Sought", bound=Hashable)


class Built(Protocol[Sought]):
    """Something that finds a fixed set of things in a text."""

    def find(self, text: str) -> list[Sought]:
        """Name those of them that the text contains; nothing else."""
        ...


class Finder(Generic[Sought]):
    """Finds many things in a text; they come and go one by one."""

    __slots__ = ("_build", "_built", "_contains", "_delta", "_gone", "_known")

    def __init__(
        self,
        build: Callable[[list[Sought]], Built[Sought]],
        contains: Callable[[str, Sought], bool],
    ) -> None:
        self._build = build
        self._contains = contains
        self._known: dict[Sought, None] = {}
        self._delta: dict[Sought, None] = {}
        self._gone = 0
        self._built: Built[Sought] | None = None

    def __len__(self) -> int:
        return len(self._known)

    def add(self, sought: Sought) -> None:
        """Look for this, too."""
        self._known[sought] = None
        self._delta[sought] = None

    def remove(self, sought: Sought) -> None:
        """Look for this no more."""
        del self._known[sought]
        if self._delta.pop(sought, sought) is not None:
            self._gone += 1

    def find(self, text: str) -> list[Sought]:
        """Name everything known that the text contains, each once."""
        delta, built = self._delta, self._built
        if len(delta) > MAX_DELTA and self._overdue:
            self.settle()
            return self.find(text)
        if not delta and not self._gone and built is not None:
            return built.find(text)
        contains = self._contains
        found = [one for one in delta if contains(text, one)]
        if built is not None:
            known = self._known
            found += [one for one in built.find(text) if one in known and one not in delta]
        return found

    @property
    def stale(self) -> bool:
        """Whether building anew would make `find` quicker."""
        return len(self._delta) > MAX_DELTA or self._gone > len(self._known) + MAX_DELTA

    @property
    def _overdue(self) -> bool:
        """Whether building anew should not wait any longer."""
        return len(self._delta) > max(MAX_DELTA, 4 * isqrt(len(self._known)))

    def settle(self) -> None:
        """Build anew now."""
        Rebuild(self).settle()


class Rebuild(Generic[Sought]):
    """Building a finder anew: `build` in any thread, `install` in the owner's."""

    def __init__(self, finder: Finder[Sought]) -> None:
        self._finder = finder
        self._listed = list(finder._known)  # noqa: SLF001  the other half of the class
        self._built: Built[Sought] | None = None

    def build(self) -> None:
        """Build from a copy of what was known."""
        build = self._finder._build  # noqa: SLF001
        self._built = build(self._listed) if len(self._listed) > SMALLEST else None

    def install(self) -> None:
        """Swap it in; what came meanwhile is the new delta."""
        finder = self._finder
        here = set(self._listed) if self._built is not None else set()
        finder._delta = {one: None for one in finder._known if one not in here}  # noqa: SLF001
        finder._gone = sum(one not in finder._known for one in here)  # noqa: SLF001
        finder._built = self._built  # noqa: SLF001

    def settle(self) -> None:
        """Do both."""
        self.build()
        self.install()


Upkeep: TypeAlias = Rebuild[str] | Rebuild[Pattern]


# --------------------------------------------------------------------------- texts


class _Automaton:
    """Aho-Corasick over the heads of the needles.

    A head that ends on more than eight others is left to the one it ends on, so that a
    hostile set ("a", "aa", "aaa", …) can not make the matches many times longer than the
    text. What stands behind a head is tested when the head was found.
    """

    __slots__ = ("_automaton", "_behind", "_exact", "_heads")

    def __init__(self, needles: list[str]) -> None:
        stands_for = _stand_ins({one[:_HEAD] for one in needles})
        self._heads = [head for head, root in stands_for.items() if head is root]
        self._automaton = AhoCorasick(self._heads, store_patterns=False)
        known = set(needles)
        self._exact = [head in known for head in self._heads]
        self._behind: dict[str, list[str]] = {}
        for one in needles:
            root = stands_for[one[:_HEAD]]
            if root != one:
                self._behind.setdefault(root, []).append(one)

    def find(self, text: str) -> list[str]:
        """Name the needles that the text contains."""
        matches = self._automaton.find_matches_as_indexes(text, overlapping=True)
        hits = {match[0] for match in matches}
        found = [self._heads[hit] for hit in hits if self._exact[hit]]
        if self._behind:
            behind = [one for hit in hits for one in self._behind.get(self._heads[hit], ())]
            found += [one for one in behind if one in text]
        return found


def _stand_ins(heads: set[str]) -> Mapping[str, str]:
    """Name for each head itself, or the head at its end that is sought in its place."""
    roots: dict[str, str] = {}
    depths: dict[str, int] = {}
    for head in sorted(heads, key=len):
        ends = (head[at:] for at in range(1, len(head)))
        nearest = next((end for end in ends if end in heads), None)
        depths[head] = 1 if nearest is None else depths[nearest] + 1
        deep = nearest is not None and depths[head] > _MAX_DEPTH
        roots[head] = roots[nearest] if deep and nearest is not None else head
    return roots


class Grams:
    """The same without the wheel: needles filed by a piece of six characters."""

    __slots__ = ("_by_gram", "_short")

    def __init__(self, needles: list[str]) -> None:
        self._by_gram: dict[str, list[str]] = {}
        self._short = [one for one in needles if len(one) < _GRAM]
        for one in needles:
            if len(one) >= _GRAM:
                self._by_gram.setdefault(one[:_GRAM], []).append(one)

    def find(self, text: str) -> list[str]:
        """Name the needles that the text contains."""
        found = [one for one in self._short if one in text]
        grams = {text[at : at + _GRAM] for at in range(len(text) - _GRAM + 1)}
        for gram in grams & self._by_gram.keys():
            found += [one for one in self._by_gram[gram] if one in text]
        return found


try:
    from ahocorasick_rs import AhoCorasick

    Automaton: type[_Automaton] | type[Grams] = _Automaton
except ImportError:  # pragma: no cover  the wheel is recommended, not required
    Automaton = Grams


def _contains_text(text: str, needle: str) -> bool:
    return needle in text


def needles() -> Finder[str]:
    """Make a finder of texts."""
    return Finder(Automaton, _contains_text)


# --------------------------------------------------------------------------- patterns


class PatternSets:
    """Sets of patterns, of the same letter case each, at most 500 to a set.

    Every set has a pattern that is always found: an answer without it means that RE2 ran
    out of memory, and then the patterns are searched one by one.
    """

    __slots__ = ("_shards",)

    def __init__(self, patterns: list[Pattern]) -> None:
        count = max(1, -(-len(patterns) // SHARD))
        memory = max(_SMALLEST_MEMORY, min(SET_MEMORY, ALL_SETS_MEMORY // count))
        self._shards: list[tuple[re2.Set | None, list[Pattern]]] = []
        for ignore_case in (False, True):
            alike = [one for one in patterns if one.ignore_case is ignore_case]
            for at in range(0, len(alike), SHARD):
                self._shards += _shards(alike[at : at + SHARD], memory)

    def find(self, text: str) -> list[Pattern]:
        """Name the patterns that are found in the text."""
        found: list[Pattern] = []
        for shard, patterns in self._shards:
            hits = shard.Match(text) if shard is not None else None
            if hits is None or 0 not in hits:
                found += [one for one in patterns if one.search(text)]
            else:
                found += [patterns[hit - 1] for hit in hits if hit]
        return found


def _shards(patterns: list[Pattern], memory: int) -> list[tuple[re2.Set | None, list[Pattern]]]:
    """Compile a set; one that is too large is halved, down to single searches."""
    made = re2.Set.SearchSet(options(ignore_case=patterns[0].ignore_case, max_mem=memory))
    try:
        for one in (SENTINEL, *(pattern.pattern for pattern in patterns)):
            made.Add(one)
        made.Compile()
    except re2.error:
        if len(patterns) <= SMALLEST:
            return [(None, patterns)]
        half = len(patterns) // 2
        return _shards(patterns[:half], memory) + _shards(patterns[half:], memory)
    return [(made, patterns)]


def _contains_pattern(text: str, pattern: Pattern) -> bool:
    return pattern.search(text)


def patterns() -> Finder[Pattern]:
    """Make a finder of patterns."""
    return Finder(PatternSets, _contains_pattern)
