"""Index: which rules an event concerns."""

from hub.rules.conditions import OperatorFailed, View
from hub.rules.entries import Entry


class Index:
    """Finds the entries whose conditions an event meets."""

    def __init__(self) -> None:
        self._by_trigger: dict[str, dict[Entry, None]] = {}

    def add(self, entry: Entry) -> None:
        """File an entry."""
        for trigger in entry.triggers:
            self._by_trigger.setdefault(trigger, {})[entry] = None

    def remove(self, entry: Entry) -> None:
        """Take an entry out."""
        for trigger in entry.triggers:
            del self._by_trigger[trigger][entry]

    def objects(self, trigger: str) -> set[str]:
        """Name the objects that rules on the trigger are about."""
        return {entry.object for entry in self._by_trigger.get(trigger, ())}

    def find(self, view: View) -> set[Entry]:
        """Find the entries that the view's event concerns."""
        return {e for e in self._by_trigger.get(view.facts.trigger, ()) if holds(e, view)}


def holds(entry: Entry, view: View) -> bool:
    """Test an entry directly; a failing operator keeps the rule from matching."""
    try:
        return entry.tree is None or entry.tree.check(view)
    except OperatorFailed:
        return False
