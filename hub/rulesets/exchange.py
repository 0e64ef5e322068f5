"""Export and import of whole rulesets: what would change, all or nothing, the same twice."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.errors import Fault, RulesetInvalid
from hub.ids import new_id
from hub.rules import check_ruleset
from hub.rulesets import service, versions
from hub.rulesets.bodies import RuleJson, body_of, checksum, id_of, named_alike, rules_of
from hub.rulesets.diff import Diff, diff
from hub.rulesets.lint import Finding
from hub.rulesets.live import LiveLists
from hub.rulesets.models import Ruleset
from hub.rulesets.schemas import (
    FindingOut,
    ImportPlan,
    PublishIn,
    RulesetDocument,
    RulesetPatch,
    RulesetPlan,
    RulesetsDocument,
)
from hub.rulesets.words import rule_in_words
from hub.rulesets.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How an import is meant.

    `publish` makes what changed the active version; without it only drafts are written.
    `states` sets the states that the document names; without it new rulesets are disabled
    and others stay as they are. `lists` are the vendors', asked before.
    """

    plan: bool = False
    publish: bool = True
    states: bool = False
    accept_warnings: bool = True
    note: str = ""
    lists: LiveLists | None = None


@dataclass(slots=True)
class _Step:
    """What the import does to one ruleset."""

    asked: RulesetDocument
    row: Ruleset | None
    rules: list[RuleJson]
    difference: Diff
    unpublished: bool
    findings: list[Finding] = field(default_factory=list)

    def state(self, *, wanted: bool) -> list[str] | None:
        before = self.row.state if self.row else "disabled"
        after = self.asked.state
        return [before, after] if wanted and before != after else None

    @property
    def publishable(self) -> bool:
        """Whether there is something to publish: rules, or that there are none any more."""
        published = self.row is not None and self.row.active_version is not None
        return self.unpublished and (bool(self.rules) or published)

    @property
    def renamed(self) -> bool:
        if self.row is None:
            return False
        return (self.row.name, self.row.description) != (self.asked.name, self.asked.description)


async def exported(work: Work, named: Sequence[str], *, draft: bool) -> RulesetsDocument:
    """Return rulesets as an import takes them: active versions, or with `draft` the drafts."""
    chosen = {row.id: row for row in [await work.found(one) for one in named]}
    rows = list(chosen.values()) or list(await work.rulesets.in_order())
    found = []
    for row in rows:
        active = await work.active(row)
        body = await work.body(row) if draft or active is None else active.body
        found.append(
            RulesetDocument(
                id=row.id,
                name=row.name,
                description=row.description,
                state=row.state,
                rules=rules_of(body),
            )
        )
    return RulesetsDocument(rulesets=found)


async def take_in(work: Work, document: RulesetsDocument, options: Options) -> ImportPlan:
    """Make the rulesets what the document says, or only tell the difference.

    Nothing is applied when any rule is wrong: RulesetInvalid lists every fault of all of them.
    """
    steps = await _steps(work, document)
    await _refuse_wrong(work, steps, options)
    plans = []
    for step in steps:
        plan = _plan_of(step, options)
        if not options.plan and plan.action != "unchanged":
            await _apply(work, step, options)
            plan = plan.model_copy(update=_after(step))
        plans.append(plan)
    changes = sum(one.action != "unchanged" for one in plans)
    return ImportPlan(applied=not options.plan, changes=changes, rulesets=plans)


def _after(step: _Step) -> dict[str, Any]:
    row = step.row
    return {"id": row.id, "version": row.active_version} if row else {}


async def _steps(work: Work, document: RulesetsDocument) -> list[_Step]:
    rows = list(await work.rulesets.in_order())
    drafts = await work.drafts.all()
    active = await work.versions.active()
    bodies = {
        row.id: drafts[row.id].body if row.id in drafts else _body(active.get(row.id))
        for row in rows
    }
    owners = _owners(bodies, {key: one.body for key, one in active.items()})
    schema = await work.schema()
    steps = []
    for asked in document.rulesets:
        row = _match(asked, rows)
        before = rules_of(bodies[row.id]) if row else []
        known = {id_of(one) for one in before}
        given = [_own(rule, known, owners, row) for rule in asked.rules]
        rules = rules_of(body_of(named_alike(before, given), new_id))
        found = diff(before, rules, lambda rule: rule_in_words(rule, schema))
        now = active.get(row.id) if row else None
        unpublished = now is None or now.checksum != checksum({"rules": rules})
        steps.append(_Step(asked, row, rules, found, unpublished))
    return steps


def _body(version: Any) -> Mapping[str, Any]:  # noqa: ANN401 - a version or None
    return version.body if version is not None else {"rules": []}


def _owners(*sources: Mapping[uuid.UUID, Mapping[str, Any]]) -> dict[str, set[uuid.UUID]]:
    """Return which rulesets have a rule of an id."""
    found: dict[str, set[uuid.UUID]] = {}
    for source in sources:
        for key, body in source.items():
            for rule in rules_of(body):
                found.setdefault(str(rule.get("id")), set()).add(key)
    return found


def _own(
    rule: RuleJson,
    known: set[str | None],
    owners: Mapping[str, set[uuid.UUID]],
    row: Ruleset | None,
) -> RuleJson:
    """Take the id off a rule that lives in another ruleset: here it is a copy."""
    rule_id = id_of(rule)
    others = owners.get(str(rule_id), set()) - ({row.id} if row else set())
    if rule_id in known or not others:
        return rule
    return {name: value for name, value in rule.items() if name != "id"}


def _match(asked: RulesetDocument, rows: Sequence[Ruleset]) -> Ruleset | None:
    by_id = next((row for row in rows if row.id == asked.id), None)
    return by_id or next((row for row in rows if row.name == asked.name), None)


async def _refuse_wrong(work: Work, steps: Sequence[_Step], options: Options) -> None:
    faults: list[Fault] = []
    seen: set[Any] = set()
    schema = await work.schema()
    for at, step in enumerate(steps):
        prefix = f"/rulesets/{at}"
        mark = step.row.id if step.row else step.asked.name
        if mark in seen:
            text = f"The ruleset {step.asked.name!r} is in the document twice."
            faults.append(Fault(f"{prefix}/name", text, "ruleset.twice"))
        seen.add(mark)
        problems = check_ruleset({"rules": step.rules}, schema)
        wrong = [one for one in problems if one.severity == "error"]
        faults += [Fault(f"{prefix}{one.pointer}", one.message, one.code) for one in wrong]
        if not wrong:
            faults += await _odd(work, step, prefix, options)
        faults += _state_faults(step, prefix, options)
    if faults:
        count = "one thing" if len(faults) == 1 else f"{len(faults)} things"
        raise RulesetInvalid(f"Nothing was changed: {count} can't be used.", errors=faults)


async def _odd(work: Work, step: _Step, prefix: str, options: Options) -> list[Fault]:
    """Lint what would be published; errors block, warnings too unless they are accepted."""
    if not (options.publish and step.publishable):
        return []
    row = step.row or Ruleset(id=new_id(), name=step.asked.name, description="", state="disabled")
    step.findings = await work.findings(row, step.rules)
    step.findings += await work.missing(step.rules, options.lists)
    blocking = {"error"} if options.accept_warnings else {"error", "warning"}
    return [
        Fault(f"{prefix}{one.pointer}", f"{one.rule_name}: {one.message}", one.code)
        for one in step.findings
        if one.severity in blocking
    ]


def _state_faults(step: _Step, prefix: str, options: Options) -> list[Fault]:
    published = (options.publish and step.rules) or (step.row and step.row.active_version)
    if options.states and step.asked.state != "disabled" and not published:
        text = "Nothing is published, so it can't be enabled."
        return [Fault(f"{prefix}/state", text, "ruleset.state")]
    return []


def _plan_of(step: _Step, options: Options) -> RulesetPlan:
    words = [one.text for one in step.difference.rules]
    if step.row is not None and step.renamed:
        words.insert(0, f"name or description: {step.row.name!r} → {step.asked.name!r}")
    if options.publish and step.publishable and not words:
        words.append("publish what is in the draft")
    state = step.state(wanted=options.states)
    changed = bool(words) or state is not None
    return RulesetPlan(
        name=step.asked.name,
        id=step.row.id if step.row else None,
        action="create" if step.row is None else "change" if changed else "unchanged",
        words=words,
        state=state,
        version=step.row.active_version if step.row else None,
        lint=[FindingOut.of(one) for one in step.findings],
    )


async def _apply(work: Work, step: _Step, options: Options) -> None:
    row = step.row
    if row is None:
        key = step.asked.id
        free = key is not None and not await _taken(work, key)
        row = await service.added(
            work, step.asked.name, step.asked.description, key=key if free else None
        )
        await work.tell(row, "ruleset created", None, {"imported": True})
        step.row = row
    elif step.renamed:
        asked = RulesetPatch(name=step.asked.name, description=step.asked.description)
        await service.change(work, row, asked)
    missing = step.publishable and await work.drafts.of(row.id) is None
    if missing or not step.difference.is_empty:
        await service.put_draft(work, row, step.rules)
    draft = await work.drafts.of(row.id)
    if options.publish and step.publishable and draft is not None:
        asked_note = PublishIn(note=options.note or "Imported", accept_warnings=True)
        await versions.publish_body(work, row, draft, asked_note, options.lists)
    if options.states and step.asked.state != row.state:
        await service.change(work, row, RulesetPatch(state=step.asked.state))


async def _taken(work: Work, key: uuid.UUID) -> bool:
    """Whether a ruleset of this id is or was anybody's: its versions may be there still."""
    return await work.versions.was_ever(key)
