"""The view of an event that conditions test: new and prior values, folded ones, what changed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from hub.rules.facts import Facts
from hub.rules.schema import Schema, object_of
from hub.rules.values import fold, same
from hub.sdk.vocabulary import FieldSchema, Value

NO_PRIOR: Final = "no prior value"
NOT_ITS_RECORD: Final = "not the record that changed"


class View:
    """An event as conditions test it: new and prior values, folded ones, what changed.

    `values` replace those of the facts: the picture of one linked record, or of the past.
    """

    __slots__ = (
        "_schema", "at", "changed", "facts", "failures", "folded", "folded_prior", "new", "owner",
        "prior",
    )  # fmt: skip

    def __init__(
        self, facts: Facts, schema: Schema, values: Mapping[str, Value] | None = None
    ) -> None:
        self._schema = schema
        self.facts = facts
        self.new = facts.new if values is None else values
        self.prior = facts.prior
        self.owner = facts.record.source_object
        self.at = facts.at if schema.zone.key == "UTC" else local(facts.at, schema.zone)
        self.failures: tuple[tuple[str, Exception], ...] = ()
        self.folded = _Folded(self.new)
        self.folded_prior = _Folded(self.prior or {})
        self.changed = _Changed(self, schema)

    def before(self) -> "View":
        """Give the picture of the past: prior values as new ones, with unknown prior."""
        past = dict(self.new)
        changed = self.facts.changed
        for name in self.new:
            if object_of(name) == self.owner and (changed is None or name in changed):
                past[name] = None
        view = View(self.facts, self._schema, past | dict(self.prior or {}))
        view.prior = None
        view.changed = _Unchanged(view, self._schema)
        return view

    def note_failure(self, rule_id: str, failed: Exception) -> None:
        """Remember that an operator failed on a rule."""
        self.failures = (*self.failures, (rule_id, failed))

    def pair(self, name: str, *, folded: bool) -> tuple[Value, Value]:
        """Give a field's value and the one before, folded or not."""
        if folded:
            return self.folded[name], self.folded_prior[name]
        return self.new.get(name), (self.prior or {}).get(name)

    def why_no_prior(self, field: FieldSchema) -> str | None:
        """Say why nothing is known of the field's past; None when something is."""
        if field.source_object != self.owner:
            return NOT_ITS_RECORD
        if self.prior is None:
            return NO_PRIOR
        return None if not self.prior or field.name in self.prior else NO_PRIOR


def local(moment: datetime, zone: ZoneInfo) -> datetime:
    """Give the moment in a zone, as far as the calendar reaches."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


class _Folded(dict[str, Value]):
    __slots__ = ("_plain",)

    def __init__(self, plain: Mapping[str, Value]) -> None:
        self._plain = plain

    def __missing__(self, name: str) -> Value:
        value = self[name] = fold(self._plain.get(name))
        return value


class _Changed(dict[str, bool]):
    __slots__ = ("_schema", "_view")

    def __init__(self, view: View, schema: Schema) -> None:
        self._view = view
        self._schema = schema

    def __missing__(self, name: str) -> bool:
        answer = self[name] = self._answer(name)
        return answer

    def _answer(self, name: str) -> bool:
        view, field = self._view, self._schema.fields.get(name)
        if field is None or field.noise or field.source_object != view.owner:
            return False
        told = view.facts.changed
        if told is not None and name not in told:
            return False
        if view.prior is None:
            return told is not None
        if view.prior and name not in view.prior:
            return told is not None
        return not same(view.prior.get(name), view.new.get(name))


class _Unchanged(_Changed):
    __slots__ = ()

    def __missing__(self, name: str) -> bool:
        return False
