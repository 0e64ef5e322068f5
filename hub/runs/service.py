"""Runs for people: looking at them; retrying and dismissing dead letters."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from hub import ids
from hub.activity import audit, journal
from hub.clock import Clock
from hub.errors import Conflict, NotFound
from hub.http.actor import Actor
from hub.runs import repository
from hub.runs.ledger import UNSETTLED
from hub.runs.models import Attempt, Run
from hub.runs.repository import Runs
from hub.runs.schemas import (
    AttemptOut,
    BulkAnswer,
    RunDetail,
    RunFilter,
    RunOut,
    RunRule,
)

_MAYBE: Final = " Whether it arrived at the vendor is not known."


class Reopens(Protocol):
    """Makes events pending again whose runs are due again."""

    async def reopen(self, session: Any, events: Sequence[int], runs: Sequence[int]) -> None:  # noqa: ANN401 - an AsyncSession
        """Make the events pending, lift the holds of these runs, wake their shards."""
        ...


@dataclass(frozen=True, slots=True)
class RunsService:
    """A tenant's runs, for one request."""

    runs: Runs
    actor: Actor
    clock: Clock
    reopens: Reopens | None = None

    async def page(
        self,
        *,
        connector: str | None,
        state: str | None,
        event: str | None,
        after: str | None,
        limit: int,
    ) -> tuple[list[RunOut], str | None]:
        """Return runs, the newest first, and the next page's cursor."""
        names = await self.runs.names()
        conditions = [
            *([repository.of_state(state)] if state else []),
            *([repository.of_connector(_named(names, connector))] if connector else []),
            *([repository.of_event(ids.number("evt", event))] if event else []),
        ]
        found = await self.runs.newest(
            *conditions, after=str(ids.cursor("run", after)) if after else None, limit=limit
        )
        shown = [run_out(run, names) for run in found.items]
        return shown, ids.shown("run", int(found.next)) if found.next else None

    async def get(self, shown: str) -> RunDetail:
        """Return a run with its requests."""
        run = await self.runs.get(ids.number("run", shown))
        attempts = await self.runs.attempts([run.id])
        return run_detail(run, await self.runs.names(), attempts.get(run.id, []))

    async def retry(self, shown: str) -> RunOut:
        """Try a dead letter again: same run, same key, attempts from the start."""
        run = await self.runs.get(ids.number("run", shown))
        _require_dead(run)
        await self._revive([run])
        return run_out(run, await self.runs.names())

    async def dismiss(self, shown: str, reason: str) -> RunOut:
        """Put a dead letter aside, or give up a run that waits; its lane goes on.

        Also one that was sent and whose outcome nobody knows. Conflict while it is worked.
        """
        run = await self.runs.get(ids.number("run", shown), lock=True)
        if run.state in UNSETTLED:
            if not await self.runs.is_idle(run, self.clock()):
                raise Conflict(_being_worked(run))
            await self.runs.give_back(run)
        else:
            _require_dead(run)
        await self._dismiss([run], reason)
        return run_out(run, await self.runs.names())

    async def retry_all(self, wanted: RunFilter, confirm: int | None) -> BulkAnswer:
        """Try all dead letters again that a filter finds, if there are as many as confirmed."""
        found = await self._found(wanted)
        if _only_counted(found, confirm):
            return BulkAnswer(count=len(found), done=False)
        await self._revive(found)
        return BulkAnswer(count=len(found), done=True)

    async def dismiss_all(self, wanted: RunFilter, confirm: int | None, reason: str) -> BulkAnswer:
        """Put all dead letters aside that a filter finds, if there are as many as confirmed."""
        found = await self._found(wanted)
        if _only_counted(found, confirm):
            return BulkAnswer(count=len(found), done=False)
        await self._dismiss(found, reason)
        return BulkAnswer(count=len(found), done=True)

    async def _found(self, wanted: RunFilter) -> Sequence[Run]:
        names = await self.runs.names()
        return await self.runs.dead(
            *(
                [repository.of_connector(_named(names, wanted.connector))]
                if wanted.connector
                else []
            ),
            *([repository.of_rule(wanted.rule)] if wanted.rule else []),
            *([repository.of_error(wanted.error)] if wanted.error else []),
            *await repository.between(self.runs.session, wanted.since, wanted.until),
        )

    async def _revive(self, runs: Sequence[Run]) -> None:
        assert self.reopens is not None  # noqa: S101 - given where runs are changed
        session = self.runs.session
        await self.runs.revive(runs, self.clock())
        await self.reopens.reopen(session, [run.event_id for run in runs], [run.id for run in runs])
        await self._tell(runs, "tried again")

    async def _dismiss(self, runs: Sequence[Run], reason: str) -> None:
        assert self.reopens is not None  # noqa: S101 - given where runs are changed
        now = self.clock()
        unsure = [run for run in runs if run.may_have_arrived]
        unsettled = [run.event_id for run in runs if run.state in UNSETTLED]
        for run in runs:
            before = _MAYBE if run in unsure else ""
            before += f" It had failed: {run.error}" if run.error else ""
            run.state, run.outcome, run.done_at = "skipped", "dismissed", now
            run.summary = f"Dismissed by {self.actor.name}: {reason}{'.' if before else ''}{before}"
            run.due_at = run.error = run.error_class = None
        await self.runs.session.flush()
        await self.reopens.reopen(self.runs.session, unsettled, [run.id for run in runs])
        sure = [run for run in runs if run not in unsure]
        if sure or not unsure:
            await self._tell(sure, f"dismissed: {reason}")
        if unsure:
            await self._tell(unsure, f"dismissed: {reason}.{_MAYBE}")

    async def _tell(self, runs: Sequence[Run], what: str) -> None:
        session = self.runs.session
        for run in runs:
            shown = ids.shown("run", run.id)
            line = journal.line(
                run.tenant_id,
                "run",
                f"{run.action} ({shown}): {what} ({self.actor.name}).",
                connector_id=run.connector_id,
                correlation_id=run.correlation_id,
                event_id=run.event_id,
                run_id=run.id,
            )
            await journal.write(session, line)
        subject = ", ".join(ids.shown("run", run.id) for run in runs[:10])
        await audit.record(session, self.actor, f"runs {what}"[:64], subject or "none")


def run_out(run: Run, names: dict[uuid.UUID, str]) -> RunOut:
    """Return a run as lists show it."""
    return RunOut(**_members(run, names))


def run_detail(run: Run, names: dict[uuid.UUID, str], attempts: Sequence[Attempt]) -> RunDetail:
    """Return a run as it is shown alone."""
    return RunDetail(
        **_members(run, names),
        key=run.key,
        params=run.params,
        result=run.result,
        correlation=str(run.correlation_id) if run.correlation_id else None,
        attempts_made=[
            AttemptOut(
                n=one.n,
                at=one.at,
                method=one.method,
                url=one.url,
                status=one.status,
                took_ms=one.took_ms,
                request=one.request,
                response=one.response,
                error=one.error,
            )
            for one in attempts
        ],
    )


def _members(run: Run, names: dict[uuid.UUID, str]) -> dict[str, Any]:
    rule = RunRule(
        id=run.rule_id, name=run.rule_name, ruleset=run.ruleset_id, version=run.ruleset_version
    )
    times = {name: getattr(run, name) for name in ("first_at", "due_at", "sent_at", "done_at")}
    return {
        "id": ids.shown("run", run.id),
        "event": ids.shown("evt", run.event_id),
        "action": run.action,
        "connector": names.get(run.connector_id) if run.connector_id else None,
        "record": run.record_id,
        "object": run.source_object,
        "about": run.about,
        "rule": rule,
        "state": run.state,
        "outcome": run.outcome,
        "summary": run.summary,
        "error": run.error,
        "error_class": run.error_class,
        "attempts": run.attempts,
        "created_at": run.created_at,
        **times,
    }


def _named(names: dict[uuid.UUID, str], wanted: str) -> uuid.UUID:
    for connector_id, name in names.items():
        if name == wanted:
            return connector_id
    raise NotFound(f"There is no connector {wanted!r}.")


def _require_dead(run: Run) -> None:
    if run.state != "dead":
        raise Conflict(
            f"{ids.shown('run', run.id)} is {run.state}; only runs that were given up can be "
            "tried again, and only those or runs that wait dismissed."
        )


def _being_worked(run: Run) -> str:
    since = f" since {run.sent_at:%H:%M:%S} UTC" if run.state == "sent" and run.sent_at else ""
    return (
        f"{ids.shown('run', run.id)} is being worked at the moment ({run.state}{since}): what is "
        "on its way can't be called back. It can be dismissed once its lane waits (hub hold list), "
        "or when its process has been gone for a minute."
    )


def _only_counted(found: Sequence[Run], confirm: int | None) -> bool:
    if confirm is None:
        return True
    if confirm != len(found):
        raise Conflict(f"There are {len(found)} by now, not {confirm}. Count again, then confirm.")
    return False
