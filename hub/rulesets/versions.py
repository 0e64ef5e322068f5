"""The life of a ruleset's rules: draft, check, publish, activate, compare."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hub.errors import Conflict, NotFound
from hub.http.etags import lost_race, matches
from hub.ids import new_id
from hub.rules import check_rule
from hub.rulesets import service
from hub.rulesets.bodies import (
    RuleJson,
    body_of,
    checksum,
    copied,
    find_rule,
    id_of,
    marked_edited,
    named_alike,
    readable,
    rules_of,
)
from hub.rulesets.diff import diff
from hub.rulesets.live import LiveLists
from hub.rulesets.models import Ruleset, RulesetDraft, RulesetVersion
from hub.rulesets.schemas import (
    Checked,
    DraftOut,
    FindingOut,
    ProblemOut,
    PublishIn,
    RuleWords,
    VersionOut,
)
from hub.rulesets.words import rule_in_words
from hub.rulesets.work import Work, refuse, refuse_odd, revision_of

_SHOWN_CHANGES: Final = 20


# --------------------------------------------------------------------------- the draft


async def draft_of(work: Work, row: Ruleset) -> DraftOut:
    """Return the working copy, or what one would edit without one."""
    draft = await work.drafts.of(row.id)
    rules = rules_of(await work.body_of(row, draft))
    return DraftOut(
        ruleset=row.id,
        revision=draft.revision if draft else row.draft_revision,
        based_on_version=draft.based_on_version if draft else row.active_version,
        is_changed=draft is not None,
        edited_by=draft.edited_by if draft else None,
        edited_at=draft.edited_at if draft else None,
        rules=rules,
        words=await said(work, rules),
        etag=f'"{draft.revision if draft else row.draft_revision}"',
    )


async def said(work: Work, rules: Sequence[RuleJson]) -> list[RuleWords]:
    """Say rules in plain words."""
    words = await work.words(rules)
    return [
        RuleWords(id=str(rule.get("id", "")), name=str(rule.get("name", "")), words=one)
        for rule, one in zip(rules, words, strict=True)
    ]


async def save_draft(
    work: Work, row: Ruleset, rules: Sequence[Any], if_match: str | None, *, unchecked: bool
) -> DraftOut:
    """Replace the working copy; EditedMeanwhile has what the other one saved first."""
    before = await _matched(work, row, if_match, rules)
    rules = named_alike(before, rules)
    if not unchecked:
        await work.refuse_wrong(rules)
    await service.put_draft(work, row, marked_edited(before, rules))
    return await draft_of(work, row)


async def _matched(
    work: Work, row: Ruleset, if_match: str | None, wanted: Sequence[Any] | None = None
) -> list[RuleJson]:
    """Return the rules one edits; refuse a change made from another state of them."""
    draft = await work.drafts.of(row.id)
    rules = rules_of(await work.body_of(row, draft))
    now = revision_of(row, draft)
    if matches(if_match, now.row_version):
        return rules
    yours = None if wanted is None else _sent(rules, wanted)
    changes = [] if yours is None else await _changes(work, rules, yours)
    raise lost_race(
        now,
        theirs={"rules": rules, "edited_by": now.updated_by, "edited_at": now.updated_at},
        yours=None if yours is None else {"rules": yours},
        changes=changes,
    )


def _sent(theirs: Sequence[RuleJson], wanted: Sequence[Any]) -> list[RuleJson]:
    """Return what was sent as it would be kept: rules by id, else by name, are the same."""
    sound = [one for one in wanted if isinstance(one, Mapping)]
    return rules_of(body_of(named_alike(theirs, sound), new_id))


async def _changes(work: Work, theirs: Sequence[RuleJson], yours: Sequence[RuleJson]) -> list[str]:
    """Say in words what would turn the other's state into the one that was sent."""
    schema = await work.schema()
    found = diff(theirs, yours, lambda rule: rule_in_words(rule, schema))
    return [one.line for one in found.rules[:_SHOWN_CHANGES]]


def _with(rules: Sequence[RuleJson], rule_id: str, rule: RuleJson) -> list[RuleJson]:
    """Return the rules with one put in the place of that of its id, else at the end."""
    made = {**rule, "id": rule_id}
    at = find_rule(rules, rule_id)
    return [*rules, made] if at is None else [*rules[:at], made, *rules[at + 1 :]]


async def drop_draft(work: Work, row: Ruleset, if_match: str | None) -> None:
    """Forget the working copy: back to the active version."""
    await _matched(work, row, if_match)
    draft = await work.drafts.of(row.id)
    if draft is not None:
        await work.drafts.remove(draft)
        row.draft_revision += 1
        await work.session.flush()


async def add_rule(
    work: Work, row: Ruleset, rule: RuleJson, if_match: str | None, place: int | None
) -> tuple[DraftOut, str]:
    """Add a rule at a place (from 1), or at the end; returns its id."""
    rules = await _matched(work, row, if_match, [*rules_of(await work.body(row)), rule])
    taken = {id_of(one) for one in rules}
    made = dict(rule)
    if id_of(made) is None or id_of(made) in taken:
        made["id"] = str(new_id())
    at = len(rules) if place is None else min(place - 1, len(rules))
    await _refuse_one(work, made)
    await service.put_draft(work, row, [*rules[:at], made, *rules[at:]])
    return await draft_of(work, row), str(made["id"])


async def _refuse_one(work: Work, rule: RuleJson) -> None:
    """Check one rule; pointers are into the rule itself, which is the request's body."""
    refuse(check_rule(rule, await work.schema()))


async def change_rule(
    work: Work, row: Ruleset, rule_id: str, rule: RuleJson, if_match: str | None
) -> DraftOut:
    """Replace one rule."""
    mine = _with(rules_of(await work.body(row)), rule_id, rule)
    rules = await _matched(work, row, if_match, mine)
    at = _place(rules, rule_id)
    made = {**rule, "id": rule_id}
    if "from_template" in rules[at] and "from_template" not in made:
        made["from_template"] = rules[at]["from_template"]
    await _refuse_one(work, made)
    changed = [*rules[:at], made, *rules[at + 1 :]]
    await service.put_draft(work, row, marked_edited(rules, changed))
    return await draft_of(work, row)


async def remove_rule(work: Work, row: Ruleset, rule_id: str, if_match: str | None) -> DraftOut:
    """Remove one rule."""
    rules = await _matched(work, row, if_match)
    at = _place(rules, rule_id)
    await service.put_draft(work, row, [*rules[:at], *rules[at + 1 :]])
    return await draft_of(work, row)


async def rule_of(work: Work, row: Ruleset, rule_id: str) -> RuleJson:
    """Return one rule of the draft."""
    rules = rules_of(await work.body(row))
    return rules[_place(rules, rule_id)]


async def duplicate_rule(
    work: Work, row: Ruleset, rule_id: str, if_match: str | None
) -> tuple[DraftOut, str]:
    """Copy a rule behind itself; returns the copy's id."""
    rules = await _matched(work, row, if_match)
    at = _place(rules, rule_id)
    (copy,) = copied([rules[at]], new_id)
    copy["name"] = f"{copy.get('name', '')} (copy)"[:120]
    await service.put_draft(work, row, [*rules[: at + 1], copy, *rules[at + 1 :]])
    return await draft_of(work, row), str(copy["id"])


async def move_rule(
    work: Work, row: Ruleset, rule_id: str, if_match: str | None, to: tuple[Ruleset, int | None]
) -> DraftOut:
    """Move a rule to a place (from 1; None = the end) of its own or another ruleset's draft.

    In another ruleset it gets a new id: until both are published the old one is still there.
    """
    target, place = to
    rules = await _matched(work, row, if_match)
    at = _place(rules, rule_id)
    rest = [*rules[:at], *rules[at + 1 :]]
    there = rest if target.id == row.id else rules_of(await work.body(target))
    spot = len(there) if place is None else min(place - 1, len(there))
    joined = [*there[:spot], rules[at], *there[spot:]]
    if target.id == row.id:
        await service.put_draft(work, row, joined)
        return await draft_of(work, row)
    moved = {**rules[at], "id": str(new_id())}
    await service.put_draft(work, row, rest)
    await service.put_draft(work, target, [*there[:spot], moved, *there[spot:]])
    return await draft_of(work, row)


def _place(rules: Sequence[RuleJson], rule_id: str) -> int:
    at = find_rule(rules, rule_id)
    if at is None:
        raise NotFound(f"There is no rule {rule_id!r} in the draft.")
    return at


# --------------------------------------------------------------------------- check, publish


async def checked(
    work: Work, row: Ruleset, rules: Sequence[Any] | None, lists: LiveLists | None = None
) -> Checked:
    """Return all that is wrong and odd with the draft, or with the rules that were sent.

    With `lists` the vendors are asked for what their live lists have.
    """
    asked = rules_of(await work.body(row)) if rules is None else list(rules)
    problems = await work.problems(asked)
    sound = [one for one in asked if isinstance(one, Mapping)]
    body = body_of(sound, new_id)
    findings = await work.findings(row, body["rules"])
    words = await said(work, [dict(one) for one in sound])
    if lists is not None:
        schema = await work.schema()
        await work.session.close()
        await lists.ask(readable(body)[0], schema)
        findings += lists.findings(readable(body)[0], schema)
    severities = {one.severity for one in problems} | {one.severity for one in findings}
    return Checked(
        publishable="error" not in severities and bool(asked),
        problems=[ProblemOut.of(one) for one in problems],
        lint=[FindingOut.of(one) for one in findings],
        words=words,
    )


async def publish(
    work: Work,
    row: Ruleset,
    asked: PublishIn,
    if_match: str | None,
    lists: LiveLists | None = None,
) -> tuple[RulesetVersion, int]:
    """Make the draft a new, immutable version and active; returns the tenant's rules version.

    `lists` were asked before, so that nobody waits for vendors while rows are locked.
    """
    draft = await work.drafts.of(row.id)
    if if_match is not None:
        await _matched(work, row, if_match)
    if draft is None:
        raise Conflict("Nothing changed: there is no draft to publish.")
    active = await work.active(row)
    if active is not None and active.checksum == checksum(draft.body):
        raise Conflict("Nothing changed: the draft says the same as the active version.")
    return await publish_body(work, row, draft, asked, lists)


async def publish_body(
    work: Work,
    row: Ruleset,
    draft: RulesetDraft,
    asked: PublishIn,
    lists: LiveLists | None = None,
) -> tuple[RulesetVersion, int]:
    """Check and lint the draft, and write it as the next version."""
    rules = rules_of(draft.body)
    if not rules and row.active_version is None:
        raise Conflict("The draft has no rules.")
    await work.refuse_wrong(rules)
    await work.refuse_crowd(row, rules)
    rules = await _with_own_ids(work, row, rules)
    findings = await work.findings(row, rules) + await work.missing(rules, lists)
    refuse_odd(findings, accept_warnings=asked.accept_warnings)
    version = RulesetVersion(
        ruleset_id=row.id,
        version=await work.versions.last(row.id) + 1,
        name=row.name,
        body=body_of(rules, new_id),
        checksum=checksum({"rules": rules}),
        note=asked.note,
        lint=[FindingOut.of(one).model_dump() for one in findings],
        published_by=work.actor.name,
        published_at=work.clock(),
    )
    before = {"active_version": row.active_version}
    work.versions.add(version)
    row.active_version = version.version
    row.problems = []
    await work.drafts.remove(draft)
    rules_version = await work.changed(row, matters=True)
    after = {"active_version": version.version, "note": asked.note, "rules": len(rules)}
    await work.tell(row, "ruleset published", before, after)
    return version, rules_version


async def _with_own_ids(work: Work, row: Ruleset, rules: list[RuleJson]) -> list[RuleJson]:
    """Give rules whose id is that of a rule of another ruleset ids of their own."""
    others = await work.active_rulesets(without=row.id)
    taken = {rule.id for other in others for rule in other.rules}
    return [{**one, "id": str(new_id())} if id_of(one) in taken else one for one in rules]


async def activate(work: Work, row: Ruleset, number: int, note: str) -> tuple[RulesetVersion, int]:
    """Make an older or newer version the active one; RulesetInvalid when it can't be used now."""
    version = await version_of(work, row, number)
    if row.active_version == number:
        raise Conflict(f"Version {number} is active already.")
    await work.refuse_wrong(rules_of(version.body))
    before = {"active_version": row.active_version}
    row.active_version = number
    row.problems = []
    rules_version = await work.changed(row, matters=True)
    await work.tell(
        row, "ruleset version activated", before, {"active_version": number, "note": note}
    )
    return version, rules_version


async def version_of(work: Work, row: Ruleset, number: int) -> RulesetVersion:
    """Return one version; NotFound when it was never published."""
    version = await work.versions.of(row.id, number)
    if version is None:
        raise NotFound(f"The ruleset has no version {number}.")
    return version


def show_version(row: Ruleset, version: RulesetVersion) -> dict[str, Any]:
    """Return a version's members as the API shows them."""
    return VersionOut(
        ruleset=row.id,
        version=version.version,
        is_active=row.active_version == version.version,
        name=version.name,
        checksum=version.checksum,
        note=version.note,
        lint=version.lint,
        published_by=version.published_by,
        published_at=version.published_at,
        rules=len(rules_of(version.body)),
    ).model_dump()
