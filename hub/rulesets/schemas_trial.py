"""What goes in and out of trying rules: explain, why-not, what-if."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from hub.http.bodies import Body
from hub.rulesets.schemas import Rules

Named = Annotated[str, Field(min_length=1, max_length=200)]
Values = dict[str, Any]


class RecordIn(Body):
    """A record as its vendor would describe it."""

    id: str = Field(default="sample", min_length=1, max_length=255)
    url: str | None = Field(default=None, max_length=2000)
    human_id: str | None = Field(default=None, max_length=120)
    values: Values = Field(default_factory=dict, description="By field key or whole name.")


class LinkedIn(RecordIn):
    """A record that the sample's one is linked to."""

    object: Named
    connector: Named


class SampleIn(Body):
    """A hand-made event."""

    trigger: Annotated[str, Field(max_length=160)]
    connector: Named
    record: RecordIn = Field(default_factory=RecordIn)
    before: Values | None = Field(
        default=None, description="null: not known; {}: there was nothing before."
    )
    occurred_at: AwareDatetime | None = None
    actor: str | None = Field(default=None, max_length=255)
    actor_name: str | None = Field(default=None, max_length=255)
    linked: list[LinkedIn] = Field(default_factory=list, max_length=20)


class WebhookIn(Body):
    """A delivery pasted as the vendor sends it; its signature is not looked at."""

    connector: Named
    headers: dict[str, str] = Field(default_factory=dict, max_length=100)
    body: dict[str, Any] | list[Any] | str


class ExplainIn(Body):
    """What to explain, and with which rules; exactly one of event, delivery, sample, webhook."""

    event: str | None = Field(default=None, max_length=40, examples=["evt_42"])
    delivery: str | None = Field(default=None, max_length=40, examples=["dlv_7"])
    sample: SampleIn | None = None
    webhook: WebhookIn | None = None
    ruleset: Named | None = Field(default=None, description="Only this one, by id or name.")
    rule: Named | None = Field(default=None, description="Only this rule, by id.")
    draft: bool = Field(default=False, description="The ruleset's draft, as if it were enabled.")
    rules: Rules | None = Field(default=None, description="Rules that are not saved yet.")

    @model_validator(mode="after")
    def _one_subject(self) -> "ExplainIn":
        given = [self.event, self.delivery, self.sample, self.webhook]
        if sum(one is not None for one in given) != 1:
            raise ValueError("give one of event, delivery, sample, webhook")
        if self.draft and self.ruleset is None:
            raise ValueError("draft needs a ruleset")
        return self


class PlannedOut(BaseModel):
    """An action that would be done: its parameters, and what would become of it now."""

    rule: str
    rule_name: str
    ruleset: str
    event: str
    index: int
    do: str
    connector: str
    record: str | None
    params: dict[str, Any] = Field(serialization_alias="with")
    calls: int
    outcome: str
    notes: list[str]


class EventOut(BaseModel):
    """The event as the rules saw it; secret fields are masked."""

    event: str
    trigger: str
    record: str
    connector: str
    state: str | None
    values: dict[str, Any]
    prior: dict[str, Any] | None
    changed: list[str] | None
    linked: list[str]
    notes: dict[str, str]


class Explained(BaseModel):
    """A dry run: nothing was sent. Fired rules first, then near misses, then the others."""

    plan: int
    events: list[EventOut]
    traces: list[dict[str, Any]]
    left_out: int = Field(description="Traces of rules that did not fire, beyond the first 200.")
    actions: list[PlannedOut]
    calls: dict[str, int] = Field(description="Vendor requests by connector.")
    problems: list[dict[str, Any]] = []


class RecordRefIn(Body):
    """Which record."""

    object: Named
    id: Annotated[str, Field(min_length=1, max_length=255)]
    connector: Named | None = None


class WhyNotIn(Body):
    """Which rule did not act, on which event or record."""

    rule: Named = Field(description="The rule's id, or its name.")
    event: str | None = Field(default=None, max_length=40)
    record: RecordRefIn | None = None

    @model_validator(mode="after")
    def _one_subject(self) -> "WhyNotIn":
        if (self.event is None) == (self.record is None):
            raise ValueError("give one of event, record")
        return self


class Reason(BaseModel):
    """One step of the answer; `ok` = this was not what stood in the way."""

    ok: bool
    text: str
    event: str | None = None


class WhyNot(BaseModel):
    """Why a rule did not act: the first step that is not ok is the answer."""

    answer: str
    steps: list[Reason]
    traces: list[dict[str, Any]]
    runs: list[dict[str, Any]]


class WhatIfIn(Body):
    """What a draft, a version or other rules would have done with past events."""

    ruleset: Named
    version: int | None = Field(default=None, ge=1, description="null: the draft.")
    rules: Rules | None = Field(default=None, description="Rules that are not saved yet.")
    since: AwareDatetime
    until: AwareDatetime | None = None
    limit: int = Field(default=10_000, ge=1, le=1_000_000)
    links: Literal["as_was", "simulate"] = "simulate"


class WhatIfOut(BaseModel):
    """How far a what-if has come, and what it found."""

    id: uuid.UUID
    state: Literal["waiting", "running", "done", "cancelled", "failed"]
    request: dict[str, Any]
    progress: dict[str, Any]
    report: dict[str, Any] | None
    detail: str
    asked_by: str
    asked_at: datetime
    ended_at: datetime | None


class BreakerOut(BaseModel):
    """A rule that is off for one record, since it fired too often."""

    rule: str
    connector: str
    record: str
    firings: int
    since: datetime
    open_until: datetime | None
