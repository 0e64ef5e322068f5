"""What-if over the past, in the background: read in pages, told as it goes on, cancellable."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from hub import logs
from hub.catalog.catalog import Catalog
from hub.clock import Clock
from hub.clock import now as present
from hub.db.engine import Database
from hub.errors import Fault, Invalid, NotFound
from hub.ids import new_id
from hub.rules import Schema, load_facts
from hub.rulesets.bodies import body_of, rules_of
from hub.rulesets.history import History, StoredEvent
from hub.rulesets.models import WhatIf
from hub.rulesets.replay import Did, Happened, Replay
from hub.rulesets.repository import Rulesets, WhatIfs, waiting_whatifs
from hub.rulesets.schema_of import schema_for
from hub.rulesets.schemas_trial import WhatIfIn
from hub.rulesets.surroundings import around
from hub.rulesets.trying import trial
from hub.rulesets.versions import version_of
from hub.rulesets.work import Work, refuse

logger = logs.get_logger(__name__)

_PAGE: Final = 500
_TELL_S: Final = 0.5
_AT_ONCE: Final = 2
_SILENT: Final = timedelta(seconds=60)
_ENDED: Final = frozenset({"done", "cancelled", "failed"})
_NOT_DONE: Final = frozenset({"skipped"})


async def ask(work: Work, asked: WhatIfIn) -> WhatIf:
    """Write down a question; RulesetInvalid when the rules can't be used."""
    row = await work.found(asked.ruleset)
    if asked.until is not None and asked.until <= asked.since:
        text = "must be after since"
        raise Invalid("The time range is empty.", errors=[Fault("/until", text, "value.range")])
    if asked.rules is not None:
        rules = body_of(asked.rules, new_id)["rules"]
    elif asked.version is not None:
        rules = rules_of((await version_of(work, row, asked.version)).body)
    else:
        rules = rules_of(await work.body(row))
    refuse(await work.problems(rules))
    until = asked.until or work.clock()
    made = WhatIf(
        id=new_id(),
        asked_by=work.actor.name,
        asked_at=work.clock(),
        beat_at=work.clock(),
        request={
            "ruleset": str(row.id),
            "name": row.name,
            "version": asked.version,
            "since": asked.since.isoformat(),
            "until": until.isoformat(),
            "limit": asked.limit,
            "links": asked.links,
            "rules": rules,
        },
        progress={"events": 0, "of": 0},
    )
    work.whatifs.add(made)
    await work.session.flush()
    return made


async def cancel(work: Work, found: WhatIf) -> None:
    """Stop a question that is being worked; one that has ended is forgotten."""
    if found.state in _ENDED:
        await work.whatifs.remove(found)
        return
    found.state, found.ended_at = "cancelled", work.clock()
    await work.session.flush()


class Whatifs:
    """The process's workers of what-if questions; one is enough."""

    def __init__(self, database: Database, catalog: Catalog, *, clock: Clock = present) -> None:
        self.database = database
        self.catalog = catalog
        self._clock = clock
        self._tasks: dict[uuid.UUID, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)

    def start(self, tenant_id: uuid.UUID, key: uuid.UUID) -> None:
        """Work a question in the background, as soon as it is committed."""
        task = asyncio.create_task(self._work(tenant_id, key))
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._tasks.pop(key, None))

    async def resume(self) -> int:
        """Start questions again that a process left behind; return how many."""
        before = self._clock() - _SILENT
        async with self.database.reading() as session:
            left = await waiting_whatifs(session, before)
        for tenant_id, key in left:
            if key not in self._tasks:
                self.start(tenant_id, key)
        return len(left)

    async def close(self) -> None:
        """Stop all work; what is left is resumed by the next start."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def told(self, tenant_id: uuid.UUID, key: uuid.UUID) -> AsyncIterator[WhatIf]:
        """Yield a question's state as it goes on, until it has ended."""
        seen: object = None
        while True:
            async with self.database.reading() as session:
                found = await WhatIfs(session, tenant_id).get(key)
            now = (found.state, found.progress)
            if now != seen:
                seen = now
                yield found
            if found.state in _ENDED:
                return
            await asyncio.sleep(_TELL_S / 2)

    async def _work(self, tenant_id: uuid.UUID, key: uuid.UUID) -> None:
        async with self._turns:
            found = await self._committed(tenant_id, key)
            if found is None or found.state in _ENDED:
                return
            try:
                await _Worker(self, tenant_id, found).run()
            except Exception as error:  # whatever went wrong is told to who asked
                logger.exception("a what-if failed", whatif=str(key))
                detail = f"{type(error).__name__}: {error}"
                await self.tell(tenant_id, key, state="failed", detail=detail)

    async def _committed(self, tenant_id: uuid.UUID, key: uuid.UUID) -> WhatIf | None:
        for pause in (0.0, 0.02, 0.1, 0.5, 2.0):
            await asyncio.sleep(pause)
            async with self.database.reading() as session:
                try:
                    return await WhatIfs(session, tenant_id).get(key)
                except NotFound:
                    continue
        return None

    async def tell(self, tenant_id: uuid.UUID, key: uuid.UUID, **changes: Any) -> bool:  # noqa: ANN401
        """Write progress; False when the question was cancelled meanwhile."""
        if changes.get("state") in _ENDED:
            changes["ended_at"] = self._clock()
        async with self.database.writing() as session:
            return await WhatIfs(session, tenant_id).beat(key, self._clock(), **changes)


class _Worker:
    """Works one question."""

    def __init__(self, owner: Whatifs, tenant_id: uuid.UUID, found: WhatIf) -> None:
        self._owner = owner
        self._tenant = tenant_id
        self._key = found.id
        self._asked: Mapping[str, Any] = found.request
        self._since = datetime.fromisoformat(self._asked["since"])
        self._until = datetime.fromisoformat(self._asked["until"])
        self._told_at = time.monotonic()

    async def run(self) -> None:
        async with self._owner.database.reading() as session:
            schema = await schema_for(session, self._tenant, self._owner.catalog)
            ruleset = uuid.UUID(self._asked["ruleset"])
            row = await Rulesets(session, self._tenant).get(ruleset)
            history = History(session, self._tenant)
            total = min(await history.count(self._since, self._until), self._asked["limit"])
            quota = (await around(session, self._tenant, self._owner.catalog)).quota
            names = {key: one.name for key, one in (await history.connectors()).items()}
        replay = Replay(
            plan=trial(row, self._asked["rules"], schema),
            names={str(rule["id"]): str(rule["name"]) for rule in self._asked["rules"]},
            calls_of={name: one.calls for name, one in schema.actions.items()},
            quota=quota,
            simulate=self._asked["links"] == "simulate",
        )
        if await self._through(replay, schema, (total, names)):
            await self._tell(replay, total, state="done", report=replay.report())

    async def _through(
        self, replay: Replay, schema: Schema, told: tuple[int, Mapping[uuid.UUID, str]]
    ) -> bool:
        total, names = told
        after, seen = 0, 0
        if not await self._tell(replay, total, state="running"):
            return False
        while seen < total:
            wanted = min(_PAGE, total - seen)
            async with self._owner.database.reading() as session:
                history = History(session, self._tenant)
                page = await history.page(self._since, self._until, after, wanted)
                did = await self._did(history, page, names)
            if not page:
                break
            after, seen = page[-1].id, seen + len(page)
            replay.take(_happened(page, did, schema, replay))
            await asyncio.sleep(0)
            if time.monotonic() - self._told_at >= _TELL_S and not await self._tell(replay, total):
                return False
        return True

    async def _did(
        self, history: History, page: Sequence[StoredEvent], names: Mapping[uuid.UUID, str]
    ) -> Mapping[int, tuple[Did, ...]]:
        """Return what this ruleset's rules really did, by event."""
        found: dict[int, tuple[Did, ...]] = {}
        for run in await history.runs_of([one.id for one in page]):
            if run.ruleset_id == self._asked["ruleset"] and run.state not in _NOT_DONE:
                did = Did(run.rule_id, run.action, names.get(run.connector_id, ""))
                found[run.event_id] = (*found.get(run.event_id, ()), did)
        return found

    async def _tell(self, replay: Replay, total: int, **changes: Any) -> bool:  # noqa: ANN401
        self._told_at = time.monotonic()
        seen = replay.read + replay.without_facts
        progress = {"events": seen, "of": total, "matches": replay.matched}
        return await self._owner.tell(self._tenant, self._key, progress=progress, **changes)


def _happened(
    page: Sequence[StoredEvent],
    did: Mapping[int, tuple[Did, ...]],
    schema: Schema,
    replay: Replay,
) -> list[Happened]:
    found = []
    for one in page:
        if one.facts is None:
            replay.without_facts += one.state != "echo"
            continue
        facts = load_facts(one.facts, schema)
        found.append(Happened(one.id, one.created_at, facts, did.get(one.id, ())))
    return found


def report_of(found: WhatIf) -> dict[str, Any]:
    """Return a question as the API shows it."""
    request = {name: value for name, value in found.request.items() if name != "rules"}
    return {
        "id": found.id,
        "state": found.state,
        "request": request | {"rules": len(found.request.get("rules", ()))},
        "progress": found.progress,
        "report": found.report,
        "detail": found.detail,
        "asked_by": found.asked_by,
        "asked_at": found.asked_at,
        "ended_at": found.ended_at,
    }
