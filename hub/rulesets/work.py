"""What one request's work on rulesets shares: who asks, the session, what rules may name."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hub.activity import audit, journal
from hub.catalog.catalog import Catalog
from hub.clock import Clock
from hub.clock import now as present
from hub.errors import Conflict, Fault, Invalid, NotFound, RulesetInvalid
from hub.http.actor import Actor
from hub.rules import Problem, Schema, check_ruleset
from hub.rules import Ruleset as PlanRuleset
from hub.rulesets.bodies import readable, rules_of
from hub.rulesets.lint import Finding, lint
from hub.rulesets.live import LiveLists
from hub.rulesets.models import Ruleset, RulesetDraft, RulesetVersion
from hub.rulesets.plans import Plans, plan_ruleset
from hub.rulesets.repository import Drafts, Rulesets, Versions, WhatIfs
from hub.rulesets.schema_of import schema_for
from hub.rulesets.surroundings import around
from hub.rulesets.words import rule_in_words

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(slots=True)
class Work:
    """One request's tools; the schema is read once, when it is first needed.

    With `locks` the rulesets that are asked for are changed by nobody else meanwhile.
    `most_published` rules a tenant may have.
    """

    session: "AsyncSession"
    actor: Actor
    catalog: Catalog
    plans: Plans
    clock: Clock = present
    locks: bool = False
    most_published: int = 100_000
    _schema: Schema | None = field(default=None, init=False)

    @property
    def tenant(self) -> uuid.UUID:
        """The tenant whose rulesets these are."""
        return self.actor.home

    @property
    def rulesets(self) -> Rulesets:
        """The tenant's rulesets."""
        return Rulesets(self.session, self.tenant)

    @property
    def drafts(self) -> Drafts:
        """The tenant's drafts."""
        return Drafts(self.session, self.tenant)

    @property
    def versions(self) -> Versions:
        """The tenant's versions."""
        return Versions(self.session, self.tenant)

    @property
    def whatifs(self) -> WhatIfs:
        """The tenant's what-ifs."""
        return WhatIfs(self.session, self.tenant)

    async def schema(self) -> Schema:
        """Return what the tenant's rules may name."""
        if self._schema is None:
            self._schema = await schema_for(self.session, self.tenant, self.catalog)
        return self._schema

    async def found(self, named: str) -> Ruleset:
        """Return a ruleset by id or by name; NotFound when the tenant has none."""
        try:
            key = uuid.UUID(named)
        except ValueError:
            row = await self.rulesets.find_named(named, lock=self.locks)
            if row is None:
                raise NotFound(f"There is no ruleset {named!r}.") from None
            return row
        return await self.rulesets.get(key, lock=self.locks)

    async def body(self, row: Ruleset) -> dict[str, Any]:
        """Return what one edits: the draft's body, else the active version's."""
        draft = await self.drafts.of(row.id)
        return await self.body_of(row, draft)

    async def body_of(self, row: Ruleset, draft: RulesetDraft | None) -> dict[str, Any]:
        """Return the draft's body, else the active version's, else an empty one."""
        if draft is not None:
            return draft.body
        active = await self.active(row)
        return active.body if active else {"format": 1, "rules": []}

    async def active(self, row: Ruleset) -> RulesetVersion | None:
        """Return the active version, or None."""
        if row.active_version is None:
            return None
        return await self.versions.of(row.id, row.active_version)

    async def look_anew(self) -> None:
        """Bring up to date what rulesets say of rules that are off, before rows are read.

        It is else found out when an event is matched.
        """
        await self.plans.plan_for(self.tenant)

    def forget_schema(self) -> None:
        """Read the schema again when it is next needed: this request changed it."""
        self._schema = None

    async def problems(self, rules: Sequence[Any]) -> list[Problem]:
        """Return everything that is wrong with rules, at once."""
        return check_ruleset({"rules": list(rules)}, await self.schema())

    async def refuse_wrong(self, rules: Sequence[Any]) -> list[Problem]:
        """Raise RulesetInvalid with all errors; return the warnings."""
        problems = await self.problems(rules)
        refuse(problems)
        return problems

    async def findings(self, row: Ruleset, rules: Iterable[Mapping[str, Any]]) -> list[Finding]:
        """Return what the linter finds in rules of this ruleset, among all active ones."""
        asked = plan_ruleset(row, readable({"rules": list(rules)})[0], 0)
        others = await self.active_rulesets(without=row.id)
        told = await around(self.session, self.tenant, self.catalog)
        return lint(asked, others, await self.schema(), told)

    async def missing(
        self, rules: Iterable[Mapping[str, Any]], lists: LiveLists | None
    ) -> list[Finding]:
        """Return what live lists, which were asked before, don't have."""
        if lists is None:
            return []
        return lists.findings(readable({"rules": list(rules)})[0], await self.schema())

    async def active_rulesets(self, *, without: uuid.UUID | None = None) -> list[PlanRuleset]:
        """Return the tenant's active versions in order, as plans are compiled from them."""
        versions = await self.versions.active()
        return [
            plan_ruleset(row, readable(versions[row.id].body)[0], versions[row.id].version)
            for row in await self.rulesets.in_order()
            if row.id in versions and row.id != without
        ]

    async def refuse_crowd(self, row: Ruleset, rules: Sequence[Any]) -> None:
        """Raise Invalid when the tenant would have more published rules than it may have."""
        active = await self.versions.active()
        others = sum(len(rules_of(one.body)) for key, one in active.items() if key != row.id)
        if others + len(rules) > self.most_published:
            text = f"A tenant has at most {self.most_published:,} published rules."
            raise Invalid(text, errors=[Fault("/rules", text, "limit.rules")])

    async def words(self, rules: Iterable[Mapping[str, Any]]) -> list[str]:
        """Say rules in plain words."""
        schema = await self.schema()
        return [rule_in_words(one, schema) for one in rules]

    async def changed(self, row: Ruleset, *, matters: bool) -> int:
        """Note who changed a ruleset; with `matters` every process renews its plan."""
        row.updated_by = self.actor.name
        row.updated_at = self.clock()
        row.row_version += 1
        version = 0
        if matters:
            version = await self.plans.bump(self.session, self.tenant)
            row.changed_version = version
        await self.session.flush()
        return version

    async def tell(
        self,
        row: Ruleset,
        action: str,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the audit line of a change, and a line of activity for people."""
        await audit.record(self.session, self.actor, action, row.name, before, after)
        text = f"{self.actor.name}: {action} “{row.name}”"
        line = journal.line(self.tenant, "rules.changed", text, facts={"ruleset": str(row.id)})
        await journal.write(self.session, line)


def refuse(problems: Sequence[Problem]) -> None:
    """Raise RulesetInvalid when any problem is an error."""
    wrong = [one for one in problems if one.severity == "error"]
    if wrong:
        count = "One thing" if len(wrong) == 1 else f"{len(wrong)} things"
        faults = [Fault(one.pointer, one.message, one.code) for one in wrong]
        raise RulesetInvalid(f"{count} in the rules can't be used.", errors=faults)


def refuse_odd(findings: Sequence[Finding], *, accept_warnings: bool) -> None:
    """Raise Conflict when lint errors block, or warnings are not accepted."""
    errors = [one for one in findings if one.severity == "error"]
    warnings = [one for one in findings if one.severity == "warning"]
    if errors:
        raise Conflict("The linter found what can't be published.", errors=_faults(errors))
    if warnings and not accept_warnings:
        raise Conflict(
            f"The linter warns (findings: {len(warnings)}); publish with accept_warnings to "
            "publish all the same.",
            errors=_faults(warnings),
        )


def _faults(findings: Sequence[Finding]) -> list[Fault]:
    return [Fault(one.pointer, f"{one.rule_name}: {one.message}", one.code) for one in findings]


@dataclass(frozen=True, slots=True)
class Revision:
    """A draft's state, as If-Match is compared with it."""

    row_version: int
    updated_at: datetime
    updated_by: str


def revision_of(row: Ruleset, draft: RulesetDraft | None) -> Revision:
    """Return which revision of the draft there is, and by whom."""
    if draft is None:
        return Revision(row.draft_revision, row.updated_at, row.updated_by)
    return Revision(draft.revision, draft.edited_at, draft.edited_by)


def writes_to(body: Mapping[str, Any]) -> list[str]:
    """Return the connectors that a body's rules write to."""
    named = set()
    for rule in rules_of(body):
        lines = rule.get("then")
        for line in lines if isinstance(lines, list) else ():
            if isinstance(line, Mapping) and isinstance(line.get("connector"), str):
                named.add(line["connector"])
    return sorted(named)
