"""From planned actions to ledger rows: which are to be sent, which are settled from the start."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.connectors.clients import OpenConnector
from hub.correlations.echo import Receipt, receipts_of
from hub.correlations.linking import NewMatter, new_matter, reserved_or_linked
from hub.correlations.repository import LinkView, Matter, RecordKey
from hub.correlations.values import same
from hub.deliveries.pending import PendingEvent
from hub.deliveries.steps import ToWrite
from hub.rules import Match, PlannedAction
from hub.runs.ledger import LedgerRun, base_key
from hub.runs.runner import writes_of
from hub.sdk.actions import Action, Repeat
from hub.sdk.vocabulary import Value
from hub.worker.loading import Known
from hub.worker.parts import Parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Intents:
    """What the runs of an event are made from."""

    parts: Parts
    event: PendingEvent
    known: Known
    source: OpenConnector
    hops: int
    names: Mapping[str, str]
    repeated: Mapping[str, int]
    now: datetime


@dataclass(slots=True, kw_only=True)
class NewRuns:
    """The runs of an event, and what is stored with them."""

    runs: list[LedgerRun] = field(default_factory=list)
    matter: NewMatter | None = None
    reserving: list[LedgerRun] = field(default_factory=list)
    writes: list[ToWrite] = field(default_factory=list)


async def new_runs(intents: Intents, matches: Iterable[Match]) -> NewRuns:
    """Return a run for each planned action, in order."""
    made = NewRuns()
    for match in matches:
        for planned in match.actions:
            connector = await _target(intents, planned)
            run = _run(intents, match, planned, connector)
            action = intents.parts.catalog.actions.get(planned.action)
            made.runs.append(run)
            if action is None:
                run.give_up(f"There is no action {planned.action!r} any more.", intents.now)
                continue
            _settle_early(intents, (match, planned), run, connector)
            if not run.settled:
                _prepare(intents, made, action, run)
    _send_first(intents, made)
    return made


async def _target(intents: Intents, planned: PlannedAction) -> OpenConnector | None:
    return await intents.parts.connectors.by_name(intents.source.tenant, planned.connector)


def _run(
    intents: Intents, match: Match, planned: PlannedAction, connector: OpenConnector | None
) -> LedgerRun:
    event, record = intents.event, planned.record
    matter = intents.known.matter_of(event.record)
    about = match.about
    return LedgerRun(
        tenant_id=event.tenant_id,
        event_id=event.id,
        ruleset_id=match.ruleset,
        ruleset_version=match.ruleset_version,
        rule_id=match.rule,
        rule_name=intents.names.get(match.rule, ""),
        about=f"{about.source_object}:{about.id}" if about else None,
        action=planned.action,
        action_index=planned.index,
        connector_id=connector.id if connector is not None else None,
        source_object=record.source_object if record else planned.target or None,
        record_id=record.id if record else None,
        correlation_id=matter.id if matter else None,
        key=planned.key,
        base_key=base_key(event.first_id, match, planned) if event.replay_of else planned.key,
        params=dict(planned.params),
        late={name: planned.params[name] for name in sorted(planned.late & planned.params.keys())},
        unless_linked=planned.unless_linked,
        on_error=planned.on_error,
        hops=intents.hops,
        created_at=intents.now,
    )


def _settle_early(
    intents: Intents,
    planned: tuple[Match, PlannedAction],
    run: LedgerRun,
    connector: OpenConnector | None,
) -> None:
    match, action = planned
    now = intents.now
    before = intents.repeated.get(run.base_key)
    if match.shadow:
        run.skip("shadow", "Shadow: nothing was sent.", now)
    elif action.failed is not None:
        run.give_up(action.failed, now)
    elif action.skipped is not None:
        run.skip("no_record", f"Skipped: {action.skipped}.", now)
    elif connector is None:
        run.give_up(f"There is no connector {action.connector!r}.", now)
    elif before is not None:
        run.skip("done_before", f"Done before by run_{before}.", now)


def _prepare(intents: Intents, made: NewRuns, action: Action[Any, Any], run: LedgerRun) -> None:
    if action.creates:
        _place(intents, made, run)
    elif not run.late:
        _foresee(intents, made, action, run)


def _place(intents: Intents, made: NewRuns, run: LedgerRun) -> None:
    """Give the record that is going to be made its place in a matter."""
    event, known = intents.event, intents.known
    matter = known.matter_of(event.record)
    target = run.source_object or ""
    if run.connector_id is None or not target:
        return
    if matter is None:
        record = event.event.record
        made.matter = new_matter(event.record, url=record.url, human_id=record.human_id)
        matter = _begun(made.matter)
        known.matters[event.record] = matter
    run.correlation_id = matter.id
    if not run.unless_linked:
        return
    slot = str(run.params.get("slot") or "")
    if any(_same_place(one, run, slot) for one in made.reserving) or (
        not slot and reserved_or_linked(matter, run.connector_id, target, event.record)
    ):
        run.skip("already_linked", "Already linked, or being created.", intents.now)
        return
    made.reserving.append(run)


def linked_meanwhile(event: PendingEvent, known: Known, run: LedgerRun) -> bool:
    """Whether something else took the place that a run wanted for its record."""
    matter = known.matter_of(event.record)
    if not run.unless_linked or matter is None:
        return False
    own, slot = matter.link_of(event.record), str(run.params.get("slot") or "")
    return any(
        link.connector_id == run.connector_id
        and link.source_object == run.source_object
        and link.made_by_run != run.id
        and (not slot or link.slot == slot)
        for link in matter.links
        if link is not own
    )


def _same_place(other: LedgerRun, run: LedgerRun, slot: str) -> bool:
    return (
        other.connector_id == run.connector_id
        and other.source_object == run.source_object
        and str(other.params.get("slot") or "") == slot
    )


def _begun(new: NewMatter) -> Matter:
    record = new.record
    link = LinkView(
        id=0,
        connector_id=record.connector_id,
        source_object=record.source_object,
        state="live",
        record_id=record.record_id,
        url=new.url,
        human_id=new.human_id,
    )
    return Matter(id=new.id, code=new.code, lane=new.lane, links=(link,))


def _foresee(intents: Intents, made: NewRuns, action: Action[Any, Any], run: LedgerRun) -> None:
    """Note what the run will set; a run that would change nothing is skipped."""
    record = run_record(run)
    writes = writes_of(action, run.params).values
    if record is None or not writes:
        return
    if already_so(intents.known, record, writes):
        shown = ", ".join(f"{name} is {value}" for name, value in sorted(writes.items()))
        run.skip("already_so", f"Already so: {shown}.", intents.now)
        return
    made.writes.append(ToWrite(record=record, run=run, values=writes))


def already_so(known: Known, record: RecordKey, writes: Mapping[str, Value]) -> bool:
    """Whether the record has these values by now, as far as is known."""
    seen = known.seen.get(record)
    if seen is None:
        return False
    present = seen.present
    return all(name in present and same(present[name], value) for name, value in writes.items())


def expect(known: Known, writes: Iterable[ToWrite], now: datetime) -> None:
    """Remember receipts of what is about to be written, for later events of the lane."""
    for one in writes:
        receipts: list[Receipt] = known.receipts.setdefault(one.record, [])
        receipts += receipts_of(one.values, one.run.id, one.run.sent_at or now)


def run_record(run: LedgerRun) -> RecordKey | None:
    """Return the record that a run acts on."""
    if run.record_id is None or run.connector_id is None or run.source_object is None:
        return None
    return RecordKey(run.tenant_id, run.connector_id, run.source_object, run.record_id)


def _send_first(intents: Intents, made: NewRuns) -> None:
    """Call the run that goes out right after the plan `sent` from now, where that counts."""
    first = next((run for run in made.runs if not run.settled), None)
    if first is None or first.late:
        return
    if intents.parts.catalog.actions[first.action].repeat is Repeat.FIND_FIRST:
        first.state, first.sent_at = "sent", intents.now
