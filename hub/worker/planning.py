"""Planning one event: is it our own echo, what do the rules say, what has to be done."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from hub import ids
from hub.connectors.clients import OpenConnector
from hub.correlations import echo
from hub.correlations.echo import Judgement, Made
from hub.correlations.linking import LinkWanted
from hub.correlations.repository import RecordKey
from hub.correlations.seen import first_seen
from hub.correlations.values import same
from hub.db.base import to_json
from hub.deliveries.pending import PendingEvent
from hub.deliveries.steps import Plan
from hub.rules import Facts, Linked, Match, RuleTrace, Surroundings, build_facts, dump_facts
from hub.rules import Plan as RulePlan
from hub.runs import ledger
from hub.runs.breakers import Opened
from hub.runs.ledger import LedgerRun
from hub.worker.breakers import pair_of
from hub.worker.intents import Intents, new_runs
from hub.worker.joining import joining, joining_lines
from hub.worker.loading import Known
from hub.worker.ours import without_ours
from hub.worker.parts import Parts
from hub.worker.telling import event_line, outcome_of, plan_lines, trace_rows

MOST_HOPS: Final = 5
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """An event's plan: what to write, and what its runs need later."""

    write: Plan
    runs: list[LedgerRun] = field(default_factory=list)
    rules: RulePlan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Plans the events of a lane, one after the other."""

    parts: Parts

    async def plan(self, event: PendingEvent, known: Known) -> Planned:
        """Return what is to be done for the event; nothing is written yet.

        `known` is brought up to what holds once the plan is stored.
        """
        began = self.parts.now()
        planned = await self._plan(event, known, began)
        told: dict[str, str | int | None] = {
            "hub.event": ids.shown("evt", event.id),
            "hub.trigger": event.event.trigger,
            "hub.outcome": planned.write.outcome or planned.write.state,
            "hub.runs": len(planned.runs),
        }
        times = (began, self.parts.now())
        self.parts.spans.ended("plan", event.delivery_id, times, told)
        return planned

    async def _plan(self, event: PendingEvent, known: Known, now: datetime) -> Planned:
        source = await self.parts.connectors.by_id(event.tenant_id, event.connector_id)
        if source is None:
            return self._orphan(event)
        judgement = self._judge(event, known)
        if event.source == "poll" and self._told_already(event, known):
            return self._stale(event)
        if judgement.echo is not None:
            return self._echo(event, known, judgement)
        hops = max(event.hops, judgement.hops, self._hops_of_origin(event, known))
        if hops > MOST_HOPS:
            return self._loop(event, known, hops)
        linked = await self._linked(event, known)
        matched = await self._match(event, known, judgement, (source, linked, hops))
        return await self._planned(event, known, matched, now)

    def _told_already(self, event: PendingEvent, known: Known) -> bool:
        """Whether a webhook told what a poll found; then it is not a second change."""
        seen = known.seen.get(event.record)
        if seen is None or event.event.note is not None:
            return False
        if _second(event.event.occurred_at) < _second(seen.occurred_at):
            return True
        values = event.event.record.values
        return all(
            name in seen.values and same(value, seen.values[name])
            for name, value in values.items()
            if name not in self.parts.noise_of(event.event.record.source_object)
        )

    def _judge(self, event: PendingEvent, known: Known) -> Judgement:
        record = event.record
        matter = known.matter_of(record)
        link = matter.link_of(record) if matter else None
        seen = known.seen.get(record)
        note = event.event.note
        trigger = self.parts.catalog.triggers.get(event.event.trigger)
        return echo.judge(
            event.event,
            echo.Known(
                values=None if seen is None else seen.values,
                receipts=known.receipts.get(record, ()),
                noise=self.parts.noise_of(record.source_object),
                follows=self.parts.follows_of(record.source_object),
                about=frozenset(trigger.about if trigger is not None else ()),
                origin=self._origin(event, known),
                creating=Made(run_id=link.made_by_run, creates=True)
                if link is not None and link.made_by_run is not None
                else None,
                note_is_ours=note is not None and (event.connector_id, note) in known.our_notes,
                window=timedelta(seconds=self.parts.settings.echo_window_s),
            ),
        )

    def _origin(self, event: PendingEvent, known: Known) -> Made | None:
        run = known.origins.get(event.event.origin or "")
        if run is None:
            return None
        action = self.parts.catalog.actions.get(run.action)
        return Made(
            run_id=run.id,
            creates=bool(action and action.creates)
            and run.source_object == event.record.source_object,
            hops=run.hops,
            correlation_id=run.correlation_id,
        )

    def _hops_of_origin(self, event: PendingEvent, known: Known) -> int:
        run = known.origins.get(event.event.origin or "")
        return run.hops + 1 if run is not None else 0

    def _orphan(self, event: PendingEvent) -> Planned:
        outcome = "its connector is gone"
        write = Plan(
            event_id=event.id, lane=event.lane, version=0, state="skipped", outcome=outcome
        )
        return Planned(write=write)

    def _stale(self, event: PendingEvent) -> Planned:
        write = Plan(
            event_id=event.id,
            lane=event.lane,
            version=0,
            state="skipped",
            outcome="known already: a webhook told it",
        )
        return Planned(write=write)

    def _echo(self, event: PendingEvent, known: Known, judgement: Judgement) -> Planned:
        _see(event, known)
        origin = self._origin(event, known)
        record = event.event.record
        link = joining(event, known)
        if origin is not None and origin.creates and origin.correlation_id is not None:
            link = LinkWanted(
                record=event.record,
                correlation_id=origin.correlation_id,
                url=record.url,
                human_id=record.human_id,
                run_id=origin.run_id,
            )
        reason = judgement.echo or ""
        line = event_line(self.parts, event, known, f"our own change ({reason})", "debug")
        return Planned(
            write=Plan(
                event_id=event.id,
                lane=event.lane,
                version=0,
                state="echo",
                hops=judgement.hops,
                outcome=f"echo: {reason}",
                seen=((event.record, known.seen[event.record]),),
                link=link,
                lines=(line, *joining_lines(self.parts, event, known)),
            )
        )

    def _loop(self, event: PendingEvent, known: Known, hops: int) -> Planned:
        _see(event, known)
        text = f"stopped: this change was caused by more than {MOST_HOPS} changes of the hub's own"
        return Planned(
            write=Plan(
                event_id=event.id,
                lane=event.lane,
                version=0,
                state="skipped",
                hops=hops,
                outcome="loop: more than 5 hops",
                seen=((event.record, known.seen[event.record]),),
                lines=(event_line(self.parts, event, known, text, "error"),),
            )
        )

    async def _linked(self, event: PendingEvent, known: Known) -> list[Linked]:
        matter = known.matter_of(event.record)
        if matter is None:
            return []
        found = []
        for link in matter.links:
            if link.state != "live" or link.record_id is None:
                continue
            key = RecordKey(event.tenant_id, link.connector_id, link.source_object, link.record_id)
            if key == event.record:
                continue
            connector = await self.parts.connectors.by_id(event.tenant_id, link.connector_id)
            if connector is None:
                continue
            seen = known.seen.get(key)
            values = seen.present if seen is not None else {}
            found.append(
                Linked(
                    ref=key.ref,
                    connector=connector.name,
                    values=values,
                    precise=values,
                    url=link.url or (seen.url if seen else None),
                    human_id=link.human_id or (seen.human_id if seen else None),
                    made_by_ruleset=link.made_by_ruleset,
                )
            )
        return found

    async def _match(
        self,
        event: PendingEvent,
        known: Known,
        judgement: Judgement,
        around: tuple[OpenConnector, list[Linked], int],
    ) -> "Matched":
        source, linked, hops = around
        matter = known.matter_of(event.record)
        seen = known.seen.get(event.record)
        judged, last_seen = without_ours(
            event.event, judgement.ours, None if seen is None else seen.present
        )
        rules = await self.parts.plans.plan_for(event.tenant_id)
        facts = build_facts(
            judged,
            Surroundings(
                event_id=ids.shown("evt", event.id),
                tenant=source.tenant,
                connector=source.name,
                connector_type=source.type_name,
                source=event.source,
                last_seen=last_seen,
                linked=linked,
                hops=hops,
                correlation=matter.code if matter else None,
            ),
            rules.schema,
        )
        matches = rules.match(facts)
        if not self.parts.care.matched(event.tenant_id, rules, facts):
            matches = rules.match(facts)
        return Matched(
            source=source,
            rules=rules,
            facts=facts,
            matches=matches,
            traces=rules.explain_matches(facts, matches),
            judgement=judgement,
            hops=hops,
        )

    async def _planned(
        self, event: PendingEvent, known: Known, matched: "Matched", now: datetime
    ) -> Planned:
        open_pairs, opened = self._break(event, matched, now)
        firing = [one for one in matched.matches if one.rule not in open_pairs]
        repeated = await self._done_before(event, firing)
        intents = Intents(
            parts=self.parts,
            event=event,
            known=known,
            source=matched.source,
            hops=matched.hops,
            names={trace.rule: trace.name for trace in matched.traces},
            repeated=repeated,
            now=now,
        )
        ended = _ended(event, matched.judgement)
        joined = joining_lines(self.parts, event, known)
        link = joining(event, known)
        _see(event, known)
        made = await new_runs(intents, firing)
        waiting = any(not run.settled for run in made.runs)
        return Planned(
            write=Plan(
                event_id=event.id,
                lane=event.lane,
                version=matched.rules.version,
                facts=to_json(dump_facts(matched.facts)),
                state="pending" if waiting else "done",
                hops=matched.hops,
                outcome=None if waiting else outcome_of(made.runs),
                runs=tuple(made.runs),
                matter=made.matter,
                reserving=tuple(made.reserving),
                seen=((event.record, known.seen[event.record]),),
                writes=tuple(made.writes),
                ended=ended,
                opened=tuple(opened),
                link=link,
                traces=trace_rows(event, matched.traces, open_pairs),
                lines=(
                    *plan_lines(self.parts, (event, known), matched.traces, made.runs, open_pairs),
                    *joined,
                ),
            ),
            runs=made.runs,
            rules=matched.rules,
        )

    def _break(
        self, event: PendingEvent, matched: "Matched", now: datetime
    ) -> tuple[Mapping[str, str], list[Opened]]:
        """Return the rules that are off for this record and why, and breakers that opened."""
        breakers, suppressed = self.parts.breakers, dict[str, str]()
        opened: list[Opened] = []
        for rule in dict.fromkeys(match.rule for match in matched.matches if not match.shadow):
            pair = pair_of(rule, event.record)
            if breakers.is_open(pair, now):
                suppressed[rule] = "breaker open for this rule and record"
            elif (until := breakers.fired(pair, now)) is not None:
                suppressed[rule] = "breaker opened for this rule and record"
                opened.append(Opened(rule, event.record, breakers.firings(pair), until))
        return suppressed, opened

    async def _done_before(
        self, event: PendingEvent, matches: Iterable[Match]
    ) -> Mapping[str, int]:
        if event.replay_of is None or event.replay_mode == "all":
            return {}
        keys = [
            (event.tenant_id, ledger.base_key(event.first_id, match, planned))
            for match in matches
            for planned in match.actions
        ]
        done = await self.parts.store.read(lambda connection: ledger.done_before(connection, keys))
        return {key: run for (_, key), run in done.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """What the rules said."""

    source: OpenConnector
    rules: RulePlan
    facts: Facts
    matches: list[Match]
    traces: list[RuleTrace]
    judgement: Judgement
    hops: int


def _second(moment: datetime) -> datetime:
    """Return the second of a time: logs tell no fractions, where webhooks do."""
    return moment.replace(microsecond=0)


def _see(event: PendingEvent, known: Known) -> None:
    seen = known.seen.get(event.record)
    told = event.event
    known.seen[event.record] = (
        first_seen(told.record, told.occurred_at) if seen is None else seen.told(told)
    )


def _ended(
    event: PendingEvent, judgement: Judgement
) -> tuple[tuple[RecordKey, echo.Receipt, datetime], ...]:
    return tuple((event.record, one, event.event.occurred_at) for one in judgement.ended)
