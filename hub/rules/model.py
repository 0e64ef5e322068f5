"""Rules as they are written, sent and stored: format 1."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

FORMAT: Final = 1
Scalar = str | int | float | bool | None
Label = Annotated[str, Field(min_length=1, max_length=120)]
RuleId = Annotated[
    str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
]
ConnectorName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
ObjectName = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]*\.[A-Za-z][A-Za-z0-9_]*$", max_length=120)
]
FieldName = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9_]*\.[A-Za-z][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*"
        r"(\.[A-Za-z_][A-Za-z0-9_]*)*$",
        max_length=200,
    ),
]
ActionName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$", max_length=120)]
TriggerName = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9_]*\.[A-Za-z][A-Za-z0-9_]*"
        r"\.([a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*|\*)$",
        max_length=160,
    ),
]


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True, strict=True
    )


class FieldOperand(_Part):
    """Another field's value."""

    name: FieldName = Field(alias="$field")


class FromTo(_Part):
    """Both sides of a change."""

    before: Scalar = Field(alias="from")
    after: Scalar = Field(alias="to")


def _operand_kind(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return "list"
    if isinstance(value, (dict, FieldOperand, FromTo)):
        named = isinstance(value, FieldOperand) or (isinstance(value, dict) and "$field" in value)
        return "field" if named else "from_to"
    return "scalar"


Operand = Annotated[
    Annotated[Scalar, Tag("scalar")]
    | Annotated[list[Scalar], Field(max_length=1000), Tag("list")]
    | Annotated[FieldOperand, Tag("field")]
    | Annotated[FromTo, Tag("from_to")],
    Discriminator(_operand_kind),
]


class Condition(_Part):
    """One comparison; whether `value` was given is in `model_fields_set`."""

    field: FieldName
    op: str = Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$")
    value: Operand = None
    ignore_case: bool = False


def _kid_kind(value: object) -> str:
    if isinstance(value, Group):
        return "group"
    if isinstance(value, dict) and not value.keys() & {"field", "op"}:
        return "group"
    return "condition"


Kids = Annotated[
    "list[Annotated[Annotated[Group, Tag('group')] | Annotated[Condition, Tag('condition')], "
    "Discriminator(_kid_kind)]]",
    Field(min_length=1, max_length=50),
]


class Group(_Part):
    """Exactly one of `all`, `any`, `none`; none of them = always (top level only)."""

    all: Kids = Field(default_factory=list)
    any: Kids = Field(default_factory=list)
    none: Kids = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_kind(self) -> "Group":
        if len(self.model_fields_set) > 1:
            raise ValueError("takes one of 'all', 'any', 'none'")
        return self

    @property
    def kind(self) -> str:
        """Which of the three it is; "" = always."""
        return next(iter(self.model_fields_set), "")

    @property
    def kids(self) -> "list[Group | Condition]":
        """What the group holds."""
        return getattr(self, self.kind) if self.kind else []


class ActionLine(_Part):
    """One action of a rule."""

    do: ActionName
    connector: ConnectorName
    params: dict[str, Any] = Field(default_factory=dict, alias="with", max_length=100)
    records: Literal["all_linked", "made_by_ruleset"] = "all_linked"
    unless_linked: bool = False
    on_error: Literal["stop", "continue"] = "stop"


class FromTemplate(_Part):
    """Which ruleset template a rule came from."""

    template: str
    version: int = Field(ge=1)
    key: str
    edited: bool = False


class Rule(_Part):
    """A rule of format 1."""

    format: Literal[1]
    id: RuleId | None = None
    name: Label
    note: str | None = Field(default=None, max_length=2000)
    enabled: bool = True
    position: int = Field(default=0, ge=0, le=1_000_000)
    object: ObjectName
    on: list[TriggerName] = Field(min_length=1, max_length=50)
    sources: list[ConnectorName] = Field(default_factory=list, alias="from", max_length=50)
    run: Literal["every_time", "becomes_true"] = "every_time"
    when: Group = Field(default_factory=Group)
    then: list[ActionLine] = Field(min_length=1, max_length=20)
    after: Literal["continue", "stop"] = "continue"
    from_template: FromTemplate | None = None

    def as_json(self) -> dict[str, Any]:
        """Give the rule as it was written: members that were not given are left out."""
        return self.model_dump(mode="json", exclude_unset=True)

    @property
    def digest(self) -> str:
        """Name the content: rules of one digest mean the same."""
        return content_digest(self.as_json())


class Ruleset(_Part):
    """Rules in order, with the state that decides whether they act.

    `version` is the published version that a plan is compiled from; it is not exported.
    """

    format: Literal[1] = FORMAT
    id: str
    name: Label
    description: str = ""
    state: Literal["disabled", "shadow", "enabled"] = "disabled"
    rules: list[Rule] = Field(default_factory=list)
    version: int = Field(default=0, exclude=True)


def content_digest(body: Mapping[str, Any]) -> str:
    """Hash the canonical JSON of a rule or ruleset."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


UPGRADES: Final[Mapping[int, Callable[[Mapping[str, Any]], Mapping[str, Any]]]] = {}
"""By the format they read: each turns a rule of format n into one of format n + 1."""


class NewerFormat(ValueError):
    """The rule was written by a newer version."""


def upgrade(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the rule in the current format; NewerFormat when it is from the future."""
    while (found := rule.get("format")) != FORMAT:
        if isinstance(found, int) and found > FORMAT:
            raise NewerFormat("written by a newer version")
        if not isinstance(found, int) or found not in UPGRADES:
            return rule
        rule = UPGRADES[found](rule)
    return rule


def read_rule(raw: Mapping[str, Any]) -> Rule:
    """Read a stored rule of any format; pydantic's ValidationError when it is none."""
    return Rule.model_validate(upgrade(raw))


def rule_schema() -> dict[str, Any]:
    """Give the JSON schema (2020-12) of a rule, for editors and for the documentation."""
    schema = Rule.model_json_schema(by_alias=True)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:integration-hub:rule:1",
    }
    return head | schema
