"""Explaining a plan: a trace for each rule, with the switch that kept it from acting."""

from collections.abc import Iterable, Sequence
from typing import Final

from hub.rules.compiler import Compiler
from hub.rules.entries import Entry
from hub.rules.explain import ALWAYS, Telling, is_near
from hub.rules.facts import Facts
from hub.rules.matches import Match, PlannedAction, RuleTrace, Trace
from hub.rules.views import Picture, act, pictures, still_true
from hub.sdk.events import RecordRef

_UNREADABLE: Final = Trace(met=False, kind="all", text="not readable")
_SHADOW: Final = "shadow"


class Explainer:
    """Explains one event; tests every rule directly, without the index."""

    def __init__(
        self, compiler: Compiler, facts: Facts, version: int, matches: Iterable[Match] = ()
    ) -> None:
        self._compiler = compiler
        self._facts = facts
        self._version = version
        self._stops: dict[str, Entry] = {}
        self._planned = {(one.rule, one.about): one.actions for one in matches}

    def explain(self, entries: Iterable[Entry], rule_id: str | None) -> list[RuleTrace]:
        """Explain one rule, or all that run on the trigger; `entries` by id in any order."""
        wanted = sorted(self._wanted(list(entries), rule_id), key=lambda one: one.order)
        return [one for one in self.traces(wanted) if rule_id in {None, one.rule}]

    def traces(self, wanted: Sequence[Entry]) -> list[RuleTrace]:
        """Explain these rules, in this order."""
        objects = {one.object for one in wanted}
        shown = pictures(self._facts, self._compiler.schema, objects)
        told = [(one, Telling(one.view)) for one in shown]
        traces: list[RuleTrace] = []
        for entry in wanted:
            known = len(traces)
            for picture, telling in told:
                if picture.shows(entry.object):
                    traces.append(self._trace(entry, picture, telling))
            if entry.stop:
                self._note_stop(entry, traces[known:])
        return traces

    def _wanted(self, entries: Sequence[Entry], rule_id: str | None) -> list[Entry]:
        """Choose what is asked for, and what may have stopped it."""
        if rule_id is None:
            return [one for one in entries if self._facts.trigger in one.triggers]
        asked = next((one for one in entries if one.id == rule_id), None)
        if asked is None:
            return []
        home = asked.home.id
        return [one for one in entries if one is asked or (one.stop and one.home.id == home)]

    def _note_stop(self, entry: Entry, traces: Sequence[RuleTrace]) -> None:
        if any(one.fired or one.skipped == _SHADOW for one in traces):
            self._stops.setdefault(entry.home.id, entry)

    def _trace(self, entry: Entry, picture: Picture, telling: Telling) -> RuleTrace:
        found, why = self._conditions(entry, telling)
        met, home, about = found.met, entry.home, picture.about(entry.object)
        skipped = self._switch(entry, picture, met=met)
        acts = met and (skipped is None or skipped == _SHADOW)
        actions = self._actions(entry, picture, about) if acts else ()
        return RuleTrace(
            self._facts.event_id, self._version, home.id, home.version, entry.id, entry.name,
            about, met, met and skipped is None, why, skipped, found, actions,
            skipped is None and not met and is_near(found), self._calls(actions) if actions else (),
        )  # fmt: skip

    def _actions(
        self, entry: Entry, picture: Picture, about: RecordRef | None
    ) -> tuple[PlannedAction, ...]:
        known = self._planned.get((entry.id, about))
        return act(entry, picture, self._compiler) if known is None else known

    def _calls(self, actions: Sequence[PlannedAction]) -> tuple[int, ...]:
        declared = self._compiler.schema.actions
        return tuple(0 if one.skipped else declared[one.action].calls for one in actions)

    def _conditions(self, entry: Entry, telling: Telling) -> tuple[Trace, str]:
        if entry.problems:
            return _UNREADABLE, "the rule is not valid"
        tree = entry.tree
        found = ALWAYS if tree is None else telling.trace(tree)
        why = telling.because(tree, found)
        if found.met and entry.becomes_true and self._facts.prior is None:
            why += " (whether it held before is not known)"
        return found, why

    def _switch(self, entry: Entry, picture: Picture, *, met: bool) -> str | None:
        if entry.problems:
            return f"rule invalid: {entry.problems[0].message}"
        off = self._off(entry)
        if off is not None or not met:
            return off
        stop = self._stops.get(entry.home.id)
        if stop is not None:
            return f'stopped by rule "{stop.name}"'
        if still_true(entry, picture.view):
            return "still true (becomes_true)"
        return _SHADOW if entry.home.state == _SHADOW else None

    def _off(self, entry: Entry) -> str | None:
        if not entry.home.live:
            return "ruleset disabled"
        if not entry.enabled:
            return "rule off"
        if self._facts.trigger not in entry.triggers:
            return f"trigger is {self._facts.trigger.split('.', 2)[2]}"
        if entry.sources and self._facts.connector not in entry.sources:
            return 'connector is not in "from"'
        return None
