"""Faults put into the index by hand: comparing with direct evaluation finds each."""

from math import floor

import pytest

from hub.rules import cover, level
from hub.rules.conditions import Conditions, Leaf, _asked
from hub.rules.finders import Finder
from hub.rules.keys import Affix, Equal, Member, Whether
from hub.rules.level import Bucket, Level
from hub.rules.ranges import Bound, Interval
from hub.rules.view import View
from tests.unit.rules.test_differential import run

pytestmark = pytest.mark.slow
SEEDS = range(1, 60)


def _wrong_side(mp):
    def probe(self, view, found):
        value = view.new.get(self.field)
        if value is not None:
            for (bound, beyond), spot in self.buckets.items():
                if beyond and bound > float("-inf") and self._upper:
                    spot.find(view, found)

    mp.setattr(Bound, "probe", probe)


def _skipped_residual(mp):
    def find(self, view, found):
        for entry, rest in self.rules.items():
            if all(one.check(view) for one in rest[1:]):
                found[entry] = None

    mp.setattr(Bucket, "find", find)


def _inexact_pivot_counts_as_proven(mp):
    real = cover._key

    def key(leaf, declared):
        found = real(leaf, declared)
        return found and found._replace(exact=True)

    mp.setattr(cover, "_key", key)


def _cells_off_by_one(mp):
    def probe(self, view, found):
        value = view.new.get(self.field)
        if value is not None:
            for width, factor in self._widths:
                at = floor(_float(value) * factor) + 1
                spot = self.buckets.get((width, at))
                if spot is not None:
                    spot.find(view, found)

    mp.setattr(Interval, "probe", probe)


def _float(value):
    return value.timestamp() if hasattr(value, "timestamp") else 0.0


def _delta_ignored(mp):
    def find(self, text):
        return self._built.find(text) if self._built is not None else []

    mp.setattr(Finder, "find", find)


def _one_prefix_length(mp):
    def opened(self, place):
        self._lengths = (len(place),)

    mp.setattr(Affix, "opened", opened)


def _any_by_one_child(mp):
    real = cover._together
    mp.setattr(cover, "_together", lambda covers: real(covers[:1]))


def _any_as_if_proven(mp):
    real = cover._together
    mp.setattr(cover, "_together", lambda covers: real(covers)._replace(pivot=True))


def _removed_from_one_key_only(mp):
    def remove(self, entry, rest):
        self._size -= 1
        chosen = self._chosen(rest)
        if chosen is None:
            return self._trie.remove(entry)
        (name, place), (_, left) = next(iter(self._filings(chosen, rest).items()))
        return self._unfile(name, place, (entry, left))

    mp.setattr(Level, "remove", remove)


def _changed_without_change(mp):
    def probe(self, view, found):
        for name, buckets in self.buckets.items():
            if view.new.get(self.field) is not None or name is not None:
                buckets.find(view, found)

    mp.setattr(Whether, "probe", probe)


def _condition_lost_when_splitting(mp):
    real = Level._split

    def split(self, bucket, path):
        nested = real(self, Bucket(), path)
        for entry, rest in bucket.rules.items():
            nested.add(entry, rest[:-1])
        return nested

    mp.setattr(Level, "_split", split)


def _folded_and_plain_alike(mp):
    real = Equal.__init__

    def init(self, table):
        real(self, table)
        self.folded = False

    mp.setattr(Equal, "__init__", init)


def _one_member_only(mp):
    def probe(self, view, found):
        value = view.folded[self.field] if self.folded else view.new.get(self.field)
        if value:
            spot = self.buckets.get(value[0])
            if spot is not None:
                spot.find(view, found)

    mp.setattr(Member, "probe", probe)


def _letter_case_forgotten(mp):
    mp.setattr(Conditions, "leaf", _without_case(Conditions.leaf))


def _without_case(real):
    def leaf(self, name, op, raw, *, ignore_case=None):
        return real(self, name, op, raw, ignore_case=None)

    return leaf


def _past_has_a_past(mp):
    mp.setattr(View, "before", lambda self: self)


def _everything_has_changed(mp):
    real = View.__init__

    def init(self, facts, schema, values=None):
        real(self, facts, schema, values)
        self.changed = _Everything()

    mp.setattr(View, "__init__", init)


class _Everything(dict):
    def __missing__(self, name):
        return True


def _first_match_ends_all(mp):
    def find(self, view, found):
        for entry, rest in self.rules.items():
            if all(one.check(view) for one in rest):
                found[entry] = None
                return

    mp.setattr(Bucket, "find", find)


def _negations_never_hold(mp):
    def check(self, name):
        made = _asked(self)
        return lambda view: made(view) if self.operator.name != "is_not" else False

    mp.setattr(Leaf, "__getattr__", check)


def _takes_a_patch(one):
    code = getattr(one, "__code__", None)
    return code is not None and code.co_varnames[:1] == ("mp",)


MUTANTS = [one for one in list(globals().values()) if _takes_a_patch(one)]


def test_there_are_enough_of_them():
    assert len(MUTANTS) >= 15


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.__name__.strip("_"))
def test_a_fault_of_the_index_is_found(mutant, monkeypatch):
    mutant(monkeypatch)

    assert any(_found(seed) for seed in SEEDS)


def _found(seed):
    try:
        run(seed, 400)
    except (AssertionError, KeyError, AttributeError, RecursionError):
        return True
    return False


def test_without_a_fault_nothing_is_found():
    assert level.Level is Level
    assert not _found(SEEDS[-1])
