"""What goes in and out of ruleset templates."""

from typing import Any

from pydantic import BaseModel, Field

from hub.http.bodies import Body
from hub.rulesets.schemas import DiffOut, Name


class TemplateOut(BaseModel):
    """Rules that a plugin offers ready-made; `params` is the JSON schema of their form."""

    name: str
    version: int
    label: str
    description: str
    roles: dict[str, str] = Field(description="Role -> the connector type that can play it.")
    params: dict[str, Any]
    value_maps: dict[str, dict[str, str]]
    plugin: str | None


class InstanceIn(Body):
    """What to make of a template; the ruleset is disabled unless `enable` says otherwise."""

    name: Name | None = Field(default=None, description="null: the template's label.")
    params: dict[str, Any] = Field(default_factory=dict, max_length=200)
    roles: dict[str, str] = Field(description="Role -> connector.", max_length=20)
    publish: bool = True
    enable: bool = False


class UpgradeIn(Body):
    """What to change of an instance; members that are left out stay."""

    params: dict[str, Any] | None = Field(default=None, max_length=200)
    roles: dict[str, str] | None = Field(default=None, max_length=20)
    overwrite: list[str] = Field(
        default_factory=list, max_length=1000, description="Keys of edited rules to replace."
    )


class EditedRule(BaseModel):
    """A rule that was edited, and what the template would have in its place."""

    rule: str
    name: str
    key: str
    words: str
    template_words: str | None = Field(description="null: the template has it no more.")


class Upgrade(BaseModel):
    """What bringing a ruleset up to its template changes, or changed in its draft."""

    applied: bool
    template: str
    before_version: int
    version: int
    words: list[str]
    edited: list[EditedRule]
    difference: DiffOut
