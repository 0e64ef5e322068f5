"""What goes in and out of the rulesets' endpoints."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from hub.http.bodies import Body
from hub.rules import Problem
from hub.rulesets.lint import Finding

State = Literal["disabled", "shadow", "enabled"]
Name = Annotated[str, Field(min_length=1, max_length=120)]
Rules = Annotated[list[dict[str, Any]], Field(max_length=1000)]


class RulesetIn(Body):
    """A ruleset to create; it is disabled, and its rules are its draft."""

    format: Literal[1] = 1
    name: Name
    description: str = Field(default="", max_length=4000)
    rules: Rules = Field(default_factory=list)


class RulesetPatch(Body):
    """What changes of a ruleset; members that are left out stay."""

    name: Name | None = None
    description: str | None = Field(default=None, max_length=4000)
    state: State | None = None


class Order(Body):
    """All rulesets, in the order in which they are considered."""

    ids: list[uuid.UUID] = Field(max_length=10_000)


class NewName(Body):
    """The name of a copy."""

    name: Name


class FromTemplateOut(BaseModel):
    """Which template a ruleset came from, and with what."""

    template: str
    version: int
    newest: int | None
    params: dict[str, Any]
    roles: dict[str, str]


class RulesetOut(BaseModel):
    """A ruleset. `problems` say why rules of the active version are off at the moment."""

    id: uuid.UUID
    name: str
    description: str
    state: State
    position: int
    active_version: int | None
    rules: int = Field(description="Rules in the active version.")
    has_draft: bool
    draft_rules: int = Field(description="Rules in the draft, or in the active version.")
    draft_revision: int
    draft_edited_by: str | None
    draft_edited_at: datetime | None
    writes_to: list[str] = Field(description="Connectors that its rules write to.")
    problems: list[dict[str, Any]]
    template: FromTemplateOut | None
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str
    etag: str


class DraftIn(Body):
    """The working copy, whole."""

    format: Literal[1] = 1
    rules: Rules


class RuleWords(BaseModel):
    """A rule in plain words."""

    id: str
    name: str
    words: str


class DraftOut(BaseModel):
    """The working copy; its `etag` is the revision to send as If-Match."""

    ruleset: uuid.UUID
    revision: int
    based_on_version: int | None
    is_changed: bool = Field(description="Whether there is a working copy at all.")
    edited_by: str | None
    edited_at: datetime | None
    rules: list[dict[str, Any]]
    words: list[RuleWords]
    etag: str


class CheckIn(Body):
    """Rules to check in place of the draft's."""

    rules: Rules | None = None


class ProblemOut(BaseModel):
    """What is wrong with a rule, and where in the ruleset."""

    pointer: str
    code: str
    detail: str
    severity: Literal["error", "warning"] = "error"

    @classmethod
    def of(cls, problem: Problem) -> "ProblemOut":
        """Show a problem."""
        return cls(
            pointer=problem.pointer,
            code=problem.code,
            detail=problem.message,
            severity=problem.severity,
        )


class FindingOut(BaseModel):
    """What the linter found; E (error) blocks publishing, W (warning) needs acceptance."""

    code: str
    name: str
    severity: Literal["error", "warning", "info"]
    pointer: str
    detail: str
    rule: str
    rule_name: str
    others: list[str] = []

    @classmethod
    def of(cls, found: Finding) -> "FindingOut":
        """Show a finding."""
        return cls(
            code=found.code,
            name=found.name,
            severity=found.severity,
            pointer=found.pointer,
            detail=found.message,
            rule=found.rule,
            rule_name=found.rule_name,
            others=list(found.others),
        )


class Checked(BaseModel):
    """All that is wrong and all that is odd; nothing was saved."""

    publishable: bool
    problems: list[ProblemOut]
    lint: list[FindingOut]
    words: list[RuleWords]


class PublishIn(Body):
    """What to say in the history; warnings of the linter must be accepted."""

    note: str = Field(default="", max_length=2000)
    accept_warnings: bool = False


class NoteIn(Body):
    """What to say in the audit."""

    note: str = Field(default="", max_length=2000)


class VersionOut(BaseModel):
    """A published version; it never changes."""

    ruleset: uuid.UUID
    version: int
    is_active: bool
    name: str
    checksum: str
    note: str
    lint: list[dict[str, Any]]
    published_by: str
    published_at: datetime
    rules: int


class VersionWhole(VersionOut):
    """A published version with its rules."""

    body: dict[str, Any]
    words: list[RuleWords]


class Published(VersionOut):
    """What was published; processes that have not loaded it yet follow within two seconds."""

    rules_version: int


class ChangeOut(BaseModel):
    """One member that differs."""

    op: Literal["add", "remove", "replace"]
    pointer: str
    before: Any = None
    after: Any = None


class RuleDiffOut(BaseModel):
    """One rule that differs."""

    kind: Literal["added", "removed", "moved", "changed"]
    id: str
    name: str
    before_place: int | None
    after_place: int | None
    changes: list[ChangeOut]
    before_words: str | None
    after_words: str | None


class DiffOut(BaseModel):
    """What turns the first state into the second: in words, and rule by rule."""

    before: str
    after: str
    is_empty: bool
    words: list[str]
    rules: list[RuleDiffOut]


class MoveIn(Body):
    """Where a rule goes: a place (from 1) in its ruleset or in another one."""

    place: int | None = Field(default=None, ge=1, le=1001)
    ruleset: str | None = Field(default=None, max_length=200)


class RulesetDocument(Body):
    """A ruleset as it is exported and imported."""

    format: Literal[1] = 1
    id: uuid.UUID | None = None
    name: Name
    description: str = Field(default="", max_length=4000)
    state: State = "disabled"
    rules: Rules = Field(default_factory=list)


class RulesetsDocument(Body):
    """Rulesets as they are exported and imported, in their order."""

    format: Literal[1] = 1
    rulesets: list[RulesetDocument] = Field(max_length=500)


class RulesetPlan(BaseModel):
    """What an import does to one ruleset."""

    name: str
    id: uuid.UUID | None
    action: Literal["create", "change", "unchanged"]
    words: list[str] = []
    state: list[State] | None = Field(default=None, description="[before, after] where it changes.")
    version: int | None = None
    lint: list[FindingOut] = []


class ImportPlan(BaseModel):
    """What an import would do, or did."""

    applied: bool
    changes: int
    rulesets: list[RulesetPlan]
