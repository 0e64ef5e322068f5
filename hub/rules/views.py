"""Pictures of an event: one for each linked record that a rule may be about."""

from collections.abc import Collection
from dataclasses import dataclass

from hub.rules.compiler import Compiler
from hub.rules.entries import Entry
from hub.rules.facts import MAX_VIEWS, Facts
from hub.rules.index import holds
from hub.rules.matches import PlannedAction
from hub.rules.planning import Subject, plan_actions
from hub.rules.schema import Schema, object_of
from hub.rules.templates import Scope
from hub.rules.view import View
from hub.sdk.events import RecordRef
from hub.sdk.vocabulary import Value


@dataclass(frozen=True, slots=True)
class Picture:
    """A view of the event; `only` is the object whose linked record number `number` it shows."""

    view: View
    number: int = 0
    only: str | None = None

    def shows(self, rule_object: str) -> bool:
        """Tell whether rules about the object are tested on this picture."""
        return self.only is None or rule_object == self.only

    def about(self, rule_object: str) -> RecordRef | None:
        """Name the linked record that a rule about the object is about here."""
        facts = self.view.facts
        listed = facts.linked.get(rule_object, ())
        if rule_object == facts.record.source_object or not listed:
            return None
        return listed[self.number].ref


def pictures(facts: Facts, schema: Schema, objects: Collection[str]) -> list[Picture]:
    """Give the pictures on which rules about the objects are tested; the first is for all."""
    found = [Picture(View(facts, schema))]
    for name, listed in facts.linked.items():
        if len(listed) > 1 and name != facts.record.source_object and name in objects:
            for number in range(1, min(len(listed), MAX_VIEWS)):
                values = _values(facts, name, number)
                found.append(Picture(View(facts, schema, values), number, name))
    return found


def _values(facts: Facts, source_object: str, number: int) -> dict[str, Value]:
    others = {key: one for key, one in facts.new.items() if object_of(key) != source_object}
    return others | dict(facts.linked[source_object][number].values)


def still_true(entry: Entry, view: View) -> bool:
    """Tell whether a rule that fires when it becomes true was true before; unknown is no."""
    if not entry.becomes_true or not view.facts.prior:
        return False
    return holds(entry, view.before())


def act(entry: Entry, picture: Picture, compiler: Compiler) -> tuple[PlannedAction, ...]:
    """Plan what an entry wants on a picture."""
    view = picture.view
    scope = Scope(
        facts=view.facts,
        values=view.new,
        rule_name=entry.name,
        about=picture.about(entry.object),
    )
    subject = Subject(rule=entry.id, ruleset=entry.home.id, scope=scope)
    return plan_actions(compiler.lines(entry), subject)
