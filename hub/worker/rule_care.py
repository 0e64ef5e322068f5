"""Looking after compiled rules: faults of operators, an index that errs, rebuilding beside work."""

import asyncio
import logging
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from hub.activity import journal
from hub.catalog.catalog import Catalog
from hub.clock import Clock
from hub.db.engine import Database
from hub.metrics.counters import Counters
from hub.rules import Facts, Plan
from hub.rules.matches import Disagreement, Failure
from hub.rulesets import operators_off
from hub.rulesets.operators_off import OperatorOff
from hub.worker.failing import Failing

_log = logging.getLogger(__name__)
COMPARED_EVERY: Final = 1_000
"""One event of so many is evaluated without the index, too."""
_TOLD_AGAIN: Final = timedelta(hours=1)
_MOST_TOLD: Final = 10_000


@dataclass(slots=True)
class RuleCare:
    """What plans have to say beside their matches; `tick` writes it down."""

    database: Database
    catalog: Catalog
    counters: Counters
    now: Clock
    compared_every: int = COMPARED_EVERY
    failing: Failing = field(default_factory=Failing)
    _events: int = 0
    _used: dict[uuid.UUID, Plan] = field(default_factory=dict)
    _lines: list[dict[str, Any]] = field(default_factory=list)
    _told: dict[tuple[object, ...], datetime] = field(default_factory=dict)

    def matched(self, tenant_id: uuid.UUID, plan: Plan, facts: Facts) -> bool:
        """Note that a plan was used; now and then see whether its index told the truth.

        False: it did not, and was put right. Match again.
        """
        self._used[tenant_id] = plan
        self._events += 1
        if self._events % self.compared_every:
            return True
        found = plan.disagreements(facts)
        if found:
            self._disagree(tenant_id, plan, found)
        return not found

    async def tick(self) -> None:
        """Write down operators that failed, build what makes matching quicker.

        Operators of plugins that fail too often are switched off.
        """
        used, self._used = self._used, {}
        failures: dict[uuid.UUID, list[Failure]] = {}
        over: dict[str, int] = {}
        for tenant_id, plan in used.items():
            failures[tenant_id] = plan.take_failures()
            over |= self.failing.note(plan.take_failing(), self.now())
            self._fail(tenant_id, failures[tenant_id])
            for job in plan.upkeep():
                await asyncio.to_thread(job.build)
                job.install()
                self.counters.add("hub_plan_rebuilds_total")
        if over:
            await self._switch_off(over, failures)
        lines, self._lines = self._lines, []
        if lines:
            async with self.database.transaction() as transaction:
                await journal.write(transaction, *lines)

    def _disagree(self, tenant_id: uuid.UUID, plan: Plan, found: Iterable[Disagreement]) -> None:
        for one in found:
            suspects = _suspects(one.operators)
            named = ", ".join(sorted(suspects)) or "none"
            self.counters.add("hub_index_disagreements_total")
            _log.error("the index erred", extra={"rule": one.rule, "operators": named})
            said = "found" if one.found else "did not find"
            text = (
                f"The index {said} the rule {one.rule}, evaluating it says otherwise. "
                f"Its operators ({named}) are evaluated for each event from now on."
            )
            self._tell(tenant_id, ("index", one.rule), text, {"rule": one.rule})
            plan.distrust(suspects)

    def _fail(self, tenant_id: uuid.UUID, failures: Iterable[Failure]) -> None:
        for one in failures:
            self.counters.add("hub_operator_failures_total", operator=one.operator)
            about = f"the rule {one.rule}" if one.rule else "rules with this condition"
            text = (
                f"The operator {one.operator} failed on {one.field}: {one.message} "
                f"Until this is put right, {about} did not match."
            )
            mark = ("operator", one.operator, one.field, one.rule)
            self._tell(tenant_id, mark, text, {"rule": one.rule, "operator": one.operator})

    async def _switch_off(
        self, over: Mapping[str, int], failures: Mapping[uuid.UUID, Sequence[Failure]]
    ) -> None:
        """Switch operators off in all processes, and tell the tenants that saw them fail."""
        off: dict[str, OperatorOff] = {}
        for tenant_id, seen in failures.items():
            for one in seen:
                if one.operator in over:
                    off[one.operator] = self._off(one, over[one.operator])
                    text = off[one.operator].reason
                    told = {"operator": one.operator}
                    self._tell(tenant_id, ("off", one.operator), text, told)
        for found in off.values():
            _log.error("operator switched off", extra={"operator": found.operator})
            self.counters.add("hub_operators_off_total", operator=found.operator)
        async with self.database.writing() as session:
            await operators_off.switch_off(session, off.values())

    def _off(self, one: Failure, failures: int) -> OperatorOff:
        plugin = self.catalog.owner("operators", one.operator) or ""
        return OperatorOff(
            operator=one.operator,
            plugin=plugin,
            version=self.catalog.versions.get(plugin, ""),
            since=self.now(),
            failures=failures,
            minutes=int(self.failing.window.total_seconds() // 60),
            error=one.error,
        )

    def _tell(
        self, tenant_id: uuid.UUID, mark: tuple[object, ...], text: str, facts: dict[str, Any]
    ) -> None:
        now, key = self.now(), (tenant_id, *mark)
        before = self._told.get(key)
        if before is not None and now - before < _TOLD_AGAIN:
            return
        if len(self._told) >= _MOST_TOLD:
            self._told.clear()
        self._told[key] = now
        self._lines.append(journal.line(tenant_id, "rule", text, level="error", facts=facts))


def _suspects(operators: frozenset[str]) -> frozenset[str]:
    """Return the operators that may be to blame: plugins' (dotted names) before the hub's own."""
    return frozenset(one for one in operators if "." in one) or operators
