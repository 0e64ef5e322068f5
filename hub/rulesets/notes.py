"""Rules that copy notes from one vendor to another, as the linter compares them. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from hub.rules.model import Rule
from hub.rules.params import target_of
from hub.rules.schema import Schema, object_of
from hub.rulesets.effects import fields_read


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteCopy:
    """An action that writes what a record was told onto a record elsewhere, in no field of it."""

    index: int
    source: str
    target: str
    plugin: str

    def is_way_back(self, other: "NoteCopy") -> bool:
        """Whether the other one copies from where this one copies to, and the reverse."""
        return (self.source, self.target) == (other.target, other.source)

    def unlinked_with(self, back: "NoteCopy", schema: Schema) -> list[str]:
        """Return which of the two plugins has no action that tells the ids of its notes."""
        linked = {one.connector_type for one in schema.actions.values() if one.notes}
        return sorted({self.plugin, back.plugin} - linked)


def note_copies(rule: Rule, schema: Schema) -> Iterator[NoteCopy]:
    """Yield the actions of a rule that copy what is no settable field into what is none."""
    sources = {object_of(name) for name in schema.expand(rule.on)}
    for index, line in enumerate(rule.then):
        action = schema.actions.get(line.do)
        if action is None or action.creates or action.writes is not None:
            continue
        target = target_of(action, line.params, rule.object)
        for name in dict.fromkeys(fields_read(line.params)):
            field, source = schema.fields.get(name), object_of(name)
            if field is None or field.writable or source not in sources or source == target:
                continue
            yield NoteCopy(index=index, source=source, target=target, plugin=action.connector_type)
            break
