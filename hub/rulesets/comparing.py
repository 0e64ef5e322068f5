"""What differs between two states of a ruleset: versions, the draft, the active one."""

from hub.errors import NotFound
from hub.rulesets.bodies import RuleJson, rules_of
from hub.rulesets.diff import Diff, diff
from hub.rulesets.models import Ruleset
from hub.rulesets.schemas import ChangeOut, DiffOut, RuleDiffOut
from hub.rulesets.versions import version_of
from hub.rulesets.words import rule_in_words
from hub.rulesets.work import Work


async def compared(work: Work, row: Ruleset, before: str, after: str) -> DiffOut:
    """Compare two states of a ruleset: a version's number, `draft` or `active`."""
    schema = await work.schema()
    old, new = await _state(work, row, before), await _state(work, row, after)
    found = diff(old, new, lambda rule: rule_in_words(rule, schema))
    return diff_out(found, before, after)


async def _state(work: Work, row: Ruleset, named: str) -> list[RuleJson]:
    if named == "draft":
        return rules_of(await work.body(row))
    if named == "active":
        active = await work.active(row)
        return rules_of(active.body) if active else []
    if not (named.isascii() and named.isdigit() and len(named) <= 9):
        raise NotFound(f"{named!r} is neither a version nor 'draft' nor 'active'.")
    return rules_of((await version_of(work, row, int(named))).body)


def diff_out(found: Diff, before: str, after: str) -> DiffOut:
    """Return a difference as the API shows it."""
    return DiffOut(
        before=before,
        after=after,
        is_empty=found.is_empty,
        words=[one.line for one in found.rules],
        rules=[
            RuleDiffOut(
                kind=one.kind,
                id=one.id,
                name=one.name,
                before_place=one.before_place,
                after_place=one.after_place,
                changes=[
                    ChangeOut(op=c.op, pointer=c.pointer, before=c.before, after=c.after)
                    for c in one.changes
                ],
                before_words=one.before_words,
                after_words=one.after_words,
            )
            for one in found.rules
        ],
    )
