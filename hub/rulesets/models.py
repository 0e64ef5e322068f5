"""Rulesets, their working copies and their versions."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hub import clock
from hub.db.base import Base, Configured, UuidKey
from hub.db.tenancy import TenantOwned

STATES = ("disabled", "shadow", "enabled")


class Ruleset(TenantOwned, Configured, Base):
    """A named, ordered list of rules; its rules lie in the draft and in the versions.

    `changed_version` is the tenant's `rules_version` at which it last changed what is
    matched. `problems` say why the active version can't be used at the moment.
    """

    __tablename__ = "rulesets"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        CheckConstraint("state IN ('disabled', 'shadow', 'enabled')", name="state"),
        Index("ix_rulesets_tenant_id_changed_version", "tenant_id", "changed_version"),
    )

    id: Mapped[UuidKey]
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(8), default="disabled")
    position: Mapped[int] = mapped_column(default=0)
    active_version: Mapped[int | None] = mapped_column(default=None)
    draft_revision: Mapped[int] = mapped_column(default=1)
    changed_version: Mapped[int] = mapped_column(default=0)
    problems: Mapped[list[Any]] = mapped_column(default=list)
    template: Mapped[str | None] = mapped_column(String(120), default=None)
    template_version: Mapped[int | None] = mapped_column(default=None)
    template_params: Mapped[dict[str, Any] | None] = mapped_column(default=None)


class RulesetDraft(TenantOwned, Base):
    """The working copy of a ruleset; without one, the active version is what one edits."""

    __tablename__ = "ruleset_drafts"
    __table_args__ = (Index("ix_ruleset_drafts_tenant_id", "tenant_id"),)

    ruleset_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("rulesets.id", ondelete="CASCADE"), primary_key=True
    )
    body: Mapped[dict[str, Any]]
    based_on_version: Mapped[int | None] = mapped_column(default=None)
    revision: Mapped[int] = mapped_column(default=1)
    edited_by: Mapped[str] = mapped_column(String(200), default="")
    edited_at: Mapped[datetime] = mapped_column(default=clock.now)


class RulesetVersion(TenantOwned, Base):
    """A published state of a ruleset. It never changes, and outlives its ruleset for its runs."""

    __tablename__ = "ruleset_versions"
    __table_args__ = (Index("ix_ruleset_versions_tenant_id", "tenant_id"),)

    ruleset_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    body: Mapped[dict[str, Any]]
    checksum: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(Text, default="")
    lint: Mapped[list[Any]] = mapped_column(default=list)
    published_by: Mapped[str] = mapped_column(String(200), default="")
    published_at: Mapped[datetime] = mapped_column(default=clock.now)


class WhatIf(TenantOwned, Base):
    """A question about the past: what a draft or version would have done then."""

    __tablename__ = "whatifs"
    __table_args__ = (
        CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'cancelled', 'failed')", name="state"
        ),
        Index("ix_whatifs_tenant_id", "tenant_id", "id"),
    )

    id: Mapped[UuidKey]
    state: Mapped[str] = mapped_column(String(9), default="waiting")
    request: Mapped[dict[str, Any]]
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)
    report: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    detail: Mapped[str] = mapped_column(Text, default="")
    asked_by: Mapped[str] = mapped_column(String(200), default="")
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    beat_at: Mapped[datetime] = mapped_column(default=clock.now)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
