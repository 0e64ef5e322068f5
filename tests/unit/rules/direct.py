"""Direct evaluation: what rules mean, written down as plainly as possible.

Reads the rule's JSON and the facts; shares nothing with the engine but RE2.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import re2

UNKNOWN = object()


class Direct:
    def __init__(self, fields, facts, zone="UTC"):
        self.fields = fields
        self.facts = facts
        self.zone = ZoneInfo(zone)

    def fires(self, rule):
        if self.facts.trigger not in rule["on"]:
            return False
        if rule.get("from") and self.facts.connector not in rule["from"]:
            return False
        if not self.met(rule["when"]):
            return False
        if rule.get("run") != "becomes_true" or not self.facts.prior:
            return True
        return not Past(self.fields, self.facts, self.zone.key).met(rule["when"])

    def met(self, when):
        if not when:
            return True
        if "all" in when:
            return all(self.met(one) for one in when["all"])
        if "any" in when:
            return any(self.met(one) for one in when["any"])
        if "none" in when:
            return not any(self.met(one) for one in when["none"])
        return self.condition(when)

    # ------------------------------------------------------------ what is known

    def new(self, name):
        return self.facts.new.get(name)

    def own(self, name):
        return name.startswith(self.facts.record.source_object + ".")

    def prior(self, name):
        prior = self.facts.prior
        if not self.own(name) or prior is None or (prior and name not in prior):
            return UNKNOWN
        return prior.get(name)

    def has_changed(self, name):
        field, told = self.fields[name], self.facts.changed
        if field.noise or not self.own(name):
            return False
        if told is not None and name not in told:
            return False
        before = self.prior(name)
        if before is UNKNOWN:
            return told is not None
        return not self.same(before, self.new(name))

    def same(self, one, other):
        if isinstance(one, tuple) and isinstance(other, tuple):
            return set(one) == set(other)
        both = isinstance(one, datetime) and isinstance(other, datetime)
        if both and (one.microsecond == 0 or other.microsecond == 0):
            return one.replace(microsecond=0) == other.replace(microsecond=0)
        return one == other

    # ------------------------------------------------------------ conditions

    def condition(self, written):
        name, op = written["field"], written["op"]
        field = self.fields[name]
        by_default = field.type == "text" or (field.type == "list" and not field.choices)
        fold = written.get("ignore_case", by_default)
        self.fold = _fold if fold and op not in RANKED else _same
        raw = written.get("value")
        if isinstance(raw, dict) and "$field" in raw:
            operand = self.fold(self.new(raw["$field"]))
            past = op in {"was", "changed_from"}
            if operand is None or (self.new(name) is None and not past):
                return op in NEGATIVE
        elif op in {"matches", "not_matches"}:
            options = re2.Options()
            options.case_sensitive = not fold
            operand = re2.compile(raw, options)
        else:
            operand = self.read(field, op, raw)
        if op in NEGATIVE:
            return not getattr(self, NEGATIVE[op])(name, operand)
        return getattr(self, op)(name, operand)

    def read(self, field, op, raw):
        if op in {"within_last", "within_next", "older_than"}:
            return timedelta(seconds=raw if isinstance(raw, int) else _seconds(raw))
        if isinstance(raw, list):
            return [self.one(field, one) for one in raw]
        if isinstance(raw, dict):
            return [self.one(field, raw["from"]), self.one(field, raw["to"])]
        return self.one(field, raw)

    def one(self, field, raw):
        kind = field.type
        if raw is None:
            return None
        if kind == "timestamp" and len(str(raw)) == 10:
            kind = "date"
        return READ.get(kind, self.fold)(raw)

    def value(self, name):
        return self.fold(self.new(name))

    def is_(self, name, v=None):
        return self.value(name) is not None and self.value(name) == v

    def is_any_of(self, name, v=None):
        return self.value(name) in v

    def is_empty(self, name, _):
        return self.new(name) is None

    def is_present(self, name, _):
        return self.new(name) is not None

    def contains(self, name, v=None):
        return self.value(name) is not None and v in self.value(name)

    def starts_with(self, name, v=None):
        return self.value(name) is not None and self.value(name)[: len(v)] == v

    def ends_with(self, name, v=None):
        return self.value(name) is not None and self.value(name)[-len(v) :] == v

    def matches(self, name, v=None):
        return self.new(name) is not None and v.search(self.new(name)) is not None

    def at_least(self, name, v=None):
        ranks = [one.value for one in self.fields[name].choices]
        return self.new(name) in ranks and ranks.index(self.new(name)) <= ranks.index(v)

    def at_most(self, name, v=None):
        ranks = [one.value for one in self.fields[name].choices]
        return self.new(name) in ranks and ranks.index(self.new(name)) >= ranks.index(v)

    def gt(self, name, v=None):
        return self.new(name) is not None and self.new(name) > v

    def gte(self, name, v=None):
        return self.new(name) is not None and self.new(name) >= v

    def lt(self, name, v=None):
        return self.new(name) is not None and self.new(name) < v

    def lte(self, name, v=None):
        return self.new(name) is not None and self.new(name) <= v

    def like(self, value, bound):
        """A time as the local day where it is compared with a day."""
        if isinstance(value, datetime) and not isinstance(bound, datetime):
            return value.astimezone(self.zone).date()
        return value

    def between(self, name, v=None):
        x = self.new(name)
        if x is None:
            return False
        if isinstance(x, date):
            return v[0] <= self.like(x, v[0]) and self.like(x, v[1]) <= v[1]
        return v[0] <= x <= v[1]

    def before(self, name, v=None):
        return self.new(name) is not None and self.like(self.new(name), v) < v

    def after(self, name, v=None):
        return self.new(name) is not None and self.like(self.new(name), v) > v

    def on(self, name, v=None):
        return self.new(name) is not None and self.new(name).astimezone(self.zone).date() == v

    def seen(self, x, moment):
        return moment if isinstance(x, datetime) else moment.astimezone(self.zone).date()

    def within_last(self, name, d):
        x, at = self.new(name), self.facts.at
        return x is not None and self.seen(x, at - d) <= x <= self.seen(x, at)

    def within_next(self, name, d):
        x, at = self.new(name), self.facts.at
        return x is not None and self.seen(x, at) <= x <= self.seen(x, at + d)

    def older_than(self, name, d):
        x = self.new(name)
        return x is not None and x < self.seen(x, self.facts.at - d)

    def has(self, name, v=None):
        return v in (self.value(name) or ())

    def has_any_of(self, name, v=None):
        return any(one in (self.value(name) or ()) for one in v)

    def has_all_of(self, name, v=None):
        return all(one in (self.value(name) or ()) for one in v)

    def agrees(self, value, v):
        return v in value if isinstance(value, tuple) else value == v

    def changed(self, name, _):
        return self.has_changed(name)

    def changed_to(self, name, v=None):
        return self.has_changed(name) and self.agrees(self.value(name), v)

    def was(self, name, v=None):
        before = self.prior(name)
        return before is not UNKNOWN and self.agrees(self.fold(before), v)

    def changed_from(self, name, v=None):
        return self.has_changed(name) and self.was(name, v)

    def changed_from_to(self, name, v=None):
        return self.changed_from(name, v[0]) and self.changed_to(name, v[1])

    def increased(self, name, _):
        before, x = self.prior(name), self.new(name)
        known = before is not UNKNOWN and before is not None and x is not None
        return self.has_changed(name) and known and x > before

    def decreased(self, name, _):
        before, x = self.prior(name), self.new(name)
        known = before is not UNKNOWN and before is not None and x is not None
        return self.has_changed(name) and known and x < before


class Past(Direct):
    """The prior values as a picture of their own, with nothing known before them."""

    def new(self, name):
        if not self.own(name):
            return self.facts.new.get(name)
        if name in self.facts.prior:
            return self.facts.prior[name]
        told = self.facts.changed
        return self.facts.new.get(name) if told is not None and name not in told else None

    def prior(self, _):
        return UNKNOWN

    def has_changed(self, _):
        return False


setattr(Direct, "is", Direct.is_)
NEGATIVE = {
    "is_not": "is",
    "is_none_of": "is_any_of",
    "not_contains": "contains",
    "not_starts_with": "starts_with",
    "not_ends_with": "ends_with",
    "not_matches": "matches",
    "has_not": "has",
    "has_none_of": "has_any_of",
}


READ = {
    "decimal": lambda raw: Decimal(str(raw)),
    "integer": int,
    "duration": lambda raw: timedelta(seconds=_seconds(raw)),
    "date": date.fromisoformat,
    "timestamp": lambda raw: datetime.fromisoformat(raw).astimezone(UTC),
}
RANKED = {"at_least", "at_most"}


def _same(value):
    return value


def _fold(value):
    if isinstance(value, str):
        return value.casefold()
    if isinstance(value, tuple):
        return tuple(one.casefold() for one in value)
    return value


def _seconds(raw):
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    return int(raw[:-1]) * units[raw[-1]]
