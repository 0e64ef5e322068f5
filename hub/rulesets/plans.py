"""The compiled rules of tenants, kept per process and renewed when they change."""

import asyncio
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from hub import logs
from hub.catalog.catalog import Catalog
from hub.db.engine import Database
from hub.db.tenancy import raise_rules_version
from hub.rules.model import Ruleset as PlanRuleset
from hub.rules.plan import Plan, compile_plan
from hub.rules.schema import Schema
from hub.rulesets import repository
from hub.rulesets.bodies import readable
from hub.rulesets.models import Ruleset, RulesetVersion
from hub.rulesets.repository import Rulesets, Versions
from hub.rulesets.schema_of import schema_for

logger = logs.get_logger(__name__)

POLL_S: Final = 1.0
"""How old what is known of the database may be."""
_LOOK_S: Final = 5.0
"""How often fields, connectors and value maps are looked at, in case a version was not raised."""
MEMORY: Final = 512 * 1024 * 1024
_BYTES_A_RULE: Final = 2_560
_BYTES_A_TENANT: Final = 128 * 1024
_IN_THREAD: Final = 1_000
"""Rules above which a whole plan is compiled beside the event loop."""


@dataclass(slots=True)
class _Kept:
    plan: Plan
    fingerprint: tuple[Any, ...]
    seen: int
    problems: dict[str, list[dict[str, Any]]]
    looked_at: float

    @property
    def weight(self) -> int:
        return _BYTES_A_TENANT + len(self.plan) * _BYTES_A_RULE


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A tenant's rulesets as they are read for compiling."""

    version: int
    fingerprint: tuple[Any, ...]
    rulesets: tuple[PlanRuleset, ...]
    unreadable: Mapping[str, Mapping[str, str]]
    changed: frozenset[str]
    told: Mapping[str, Sequence[Any]]
    schema: Schema | None


class Plans:
    """The process's plans; one is enough.

    `plan_for` answers with the newest plan it knows: changes of this process at once, those
    of others after at most `poll_s`. Match right after it, without awaiting in between.
    """

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        *,
        poll_s: float = POLL_S,
        memory: int = MEMORY,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.database = database
        self.catalog = catalog
        self._poll_s = poll_s
        self._memory = memory
        self._now = monotonic
        self._kept: OrderedDict[uuid.UUID, _Kept] = OrderedDict()
        self._stale: set[uuid.UUID] = set()
        self._locks: dict[uuid.UUID, asyncio.Lock] = {}
        self._polled_at = float("-inf")

    async def plan_for(self, tenant_id: uuid.UUID) -> Plan:
        """Return the tenant's plan; the first time, and after a change, it is compiled."""
        if self._now() - self._polled_at >= self._poll_s:
            await self._poll()
        kept = self._kept.get(tenant_id)
        if kept is None or tenant_id in self._stale:
            kept = await self._renewed(tenant_id)
        self._kept.move_to_end(tenant_id)
        return kept.plan

    def versions(self) -> dict[uuid.UUID, int]:
        """Return the version of each plan that is kept, for heartbeats and publishing."""
        return {tenant_id: kept.plan.version for tenant_id, kept in self._kept.items()}

    def problems(self, tenant_id: uuid.UUID) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return why active rules are off, by ruleset; {} while the plan is not loaded."""
        kept = self._kept.get(tenant_id)
        return kept.problems if kept else {}

    def changed(self, tenant_id: uuid.UUID) -> None:
        """Look at the database before this tenant's plan is used again."""
        self._stale.add(tenant_id)

    async def bump(self, session: AsyncSession, tenant_id: uuid.UUID, /) -> int:
        """Raise the tenant's rules version in this transaction and return it.

        When it is committed, this process renews the plan before its next use.
        """
        event.listen(
            session.sync_session, "after_commit", lambda _: self.changed(tenant_id), once=True
        )
        return await raise_rules_version(session, tenant_id)

    # ----------------------------------------------------------------- staying new

    async def _poll(self) -> None:
        """Find the kept plans that are old: one indexed query for all of them."""
        now, self._polled_at = self._now(), self._now()
        if not self._kept:
            return
        due = [
            tenant_id for tenant_id, kept in self._kept.items() if now - kept.looked_at >= _LOOK_S
        ]
        async with self.database.reading() as session:
            versions = await repository.rules_versions(session, list(self._kept))
            prints = {one: await repository.fingerprint(session, one) for one in due}
        for tenant_id, kept in list(self._kept.items()):
            if tenant_id not in versions:
                self._forget(tenant_id)
            elif versions[tenant_id] > kept.seen:
                self._stale.add(tenant_id)
            elif tenant_id in prints:
                kept.looked_at = now
                if prints[tenant_id] != kept.fingerprint:
                    self._stale.add(tenant_id)

    async def _renewed(self, tenant_id: uuid.UUID) -> _Kept:
        async with self._locks.setdefault(tenant_id, asyncio.Lock()):
            kept = self._kept.get(tenant_id)
            if kept is not None and tenant_id not in self._stale:
                return kept
            self._stale.discard(tenant_id)
            try:
                loaded = await self._load(tenant_id, kept)
                renewed = await self._compiled(loaded, kept)
            except BaseException:
                self._stale.add(tenant_id)
                raise
            self._kept[tenant_id] = renewed
            self._make_room(tenant_id)
        await self._tell(tenant_id, loaded, renewed)
        return renewed

    async def _load(self, tenant_id: uuid.UUID, kept: _Kept | None) -> _Loaded:
        async with self.database.reading() as session:
            version = await repository.rules_version(session, tenant_id)
            seen = await repository.fingerprint(session, tenant_id)
            whole = kept is None or kept.fingerprint != seen
            rows = await Rulesets(session, tenant_id).in_order()
            wanted = [
                row.id for row in rows if whole or kept is None or row.changed_version > kept.seen
            ]
            bodies = await Versions(session, tenant_id).active(wanted)
            schema = await schema_for(session, tenant_id, self.catalog) if whole else None
        return _loaded(version, seen, rows, (bodies, schema))

    async def _compiled(self, loaded: _Loaded, kept: _Kept | None) -> _Kept:
        broken: dict[str, str] = {}
        if loaded.schema is None and kept is not None:
            plan, broken = await self._changed(loaded, kept)
        else:
            schema = loaded.schema
            if schema is None:
                raise RuntimeError("a plan without a schema")
            plan, broken = await _whole(loaded, schema)
        return _Kept(
            plan=plan,
            fingerprint=loaded.fingerprint,
            seen=loaded.version,
            problems=_problems(plan, loaded, broken, kept),
            looked_at=self._now(),
        )

    async def _changed(self, loaded: _Loaded, kept: _Kept) -> tuple[Plan, dict[str, str]]:
        """Put changed rulesets into the plan; one that can't be compiled keeps its old rules."""
        usable, broken = await _usable(loaded, kept.plan.schema)
        plan = kept.plan.with_rulesets(
            usable,
            remove=[one for one in kept.problems if one not in loaded.told],
            order=list(loaded.told),
            version=loaded.version,
        )
        return plan, broken

    def _make_room(self, newest: uuid.UUID) -> None:
        total = sum(kept.weight for kept in self._kept.values())
        while total > self._memory and len(self._kept) > 1:
            oldest = next(iter(self._kept))
            if oldest == newest:
                self._kept.move_to_end(oldest)
                continue
            total -= self._kept[oldest].weight
            self._forget(oldest)

    def _forget(self, tenant_id: uuid.UUID) -> None:
        self._kept.pop(tenant_id, None)
        self._stale.discard(tenant_id)

    async def _tell(self, tenant_id: uuid.UUID, loaded: _Loaded, kept: _Kept) -> None:
        """Write down on the rulesets why they can't be used, where that has changed."""
        news = {
            ruleset_id: problems
            for ruleset_id, problems in kept.problems.items()
            if list(loaded.told.get(ruleset_id, ())) != problems
        }
        if not news:
            return
        async with self.database.writing() as session:
            for ruleset_id, problems in news.items():
                await Rulesets(session, tenant_id).note_problems(uuid.UUID(ruleset_id), problems)
        for ruleset_id, problems in news.items():
            if problems:
                logger.error(
                    "rules are off", ruleset=ruleset_id, reason=problems[0]["message"], kept=True
                )


def _loaded(
    version: int,
    seen: tuple[Any, ...],
    rows: Sequence[Ruleset],
    read: tuple[Mapping[uuid.UUID, RulesetVersion], Schema | None],
) -> _Loaded:
    bodies, schema = read
    rulesets: list[PlanRuleset] = []
    unreadable: dict[str, Mapping[str, str]] = {}
    for row in rows:
        body = bodies.get(row.id)
        if body is not None:
            rules, wrong = readable(body.body)
            rulesets.append(plan_ruleset(row, rules, body.version))
            unreadable[str(row.id)] = wrong
    return _Loaded(
        version=version,
        fingerprint=seen,
        rulesets=tuple(rulesets),
        unreadable=unreadable,
        changed=frozenset(one.id for one in rulesets),
        told={str(row.id): row.problems for row in rows if row.active_version is not None},
        schema=schema,
    )


def plan_ruleset(row: Ruleset, rules: Iterable[Any], version: int) -> PlanRuleset:
    """Return a stored ruleset as plans are compiled from it."""
    return PlanRuleset.model_construct(
        format=1,
        id=str(row.id),
        name=row.name,
        description=row.description,
        state=row.state,  # type: ignore[arg-type]  # a CHECK keeps it to the three words
        rules=list(rules),
        version=version,
    )


async def _whole(loaded: _Loaded, schema: Schema) -> tuple[Plan, dict[str, str]]:
    usable, broken = loaded.rulesets, dict[str, str]()
    try:
        return await _compile(usable, schema, loaded.version), broken
    except Exception:  # whatever a plugin's operator raises: find the ruleset, keep the others on
        logger.exception("a plan can't be compiled whole")
    found, broken = await _usable(loaded, schema)
    return await _compile(found, schema, loaded.version), broken


async def _usable(
    loaded: _Loaded, schema: Schema
) -> tuple[tuple[PlanRuleset, ...], dict[str, str]]:
    """Compile each ruleset alone: those that can be, and why others can't."""
    usable: list[PlanRuleset] = []
    broken: dict[str, str] = {}
    for one in loaded.rulesets:
        try:
            await _compile((one,), schema, 0)
        except Exception as error:  # whatever a plugin's operator raises
            logger.exception("a ruleset can't be compiled", ruleset=one.name)
            broken[one.id] = f"{type(error).__name__}: {error}"
        else:
            usable.append(one)
    return tuple(usable), broken


async def _compile(rulesets: Sequence[PlanRuleset], schema: Schema, version: int) -> Plan:
    if sum(len(one.rules) for one in rulesets) > _IN_THREAD:
        return await asyncio.to_thread(compile_plan, rulesets, schema, version)
    return compile_plan(rulesets, schema, version)


def _problems(
    plan: Plan, loaded: _Loaded, broken: Mapping[str, str], kept: _Kept | None
) -> dict[str, list[dict[str, Any]]]:
    """Say by ruleset which of its rules are off and why; every ruleset of the plan is named."""
    invalid = plan.invalid
    found: dict[str, list[dict[str, Any]]] = {}
    for ruleset_id in loaded.told:
        before = kept.problems.get(ruleset_id, []) if kept else []
        found[ruleset_id] = [] if ruleset_id in loaded.changed else before
    for one in loaded.rulesets:
        lines = [
            _problem(rule.id, rule.name, (fault.pointer, fault.code, fault.message))
            for rule in one.rules
            for fault in invalid.get(rule.id or "", ())
        ]
        lines += [
            _problem(rule_id, "", ("", "rule.unreadable", text))
            for rule_id, text in loaded.unreadable.get(one.id, {}).items()
        ]
        if one.id in broken:
            lines.append(_problem(None, "", ("", "ruleset.compile", broken[one.id])))
        found[one.id] = lines
    return found


def _problem(rule_id: str | None, name: str, said: tuple[str, str, str]) -> dict[str, Any]:
    pointer, code, message = said
    return {"rule": rule_id, "name": name, "pointer": pointer, "code": code, "message": message}
