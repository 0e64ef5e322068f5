"""initial."""

import sqlalchemy as sa
from alembic import op

from hub.db.base import BigId, Json, Timestamp

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this version."""
    op.create_table(
        "hub_meta",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", Json, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_hub_meta")),
    )
    op.create_table(
        "shards",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("scheduled", sa.Boolean(), nullable=False),
        sa.Column("wake_no", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("epoch", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("owner", sa.String(length=100), nullable=True),
        sa.Column("due_at", Timestamp(), nullable=True),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shards")),
        postgresql_with={"fillfactor": 70},
    )
    op.create_table(
        "tenants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.Column("settings", Json, nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("deactivated_at", Timestamp(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("slug", name=op.f("uq_tenants_slug")),
    )
    with op.batch_alter_table("tenants", schema=None) as batch_op:
        batch_op.create_index(
            "uq_tenants_default",
            ["is_default"],
            unique=True,
            sqlite_where=sa.text("is_default"),
            postgresql_where=sa.text("is_default"),
        )

    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email_folded", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.String(length=300), nullable=True),
        sa.Column("is_operator", sa.Boolean(), nullable=False),
        sa.Column("failed_logins", sa.Integer(), nullable=False),
        sa.Column("locked_until", Timestamp(), nullable=True),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("deactivated_at", Timestamp(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email_folded", name=op.f("uq_users_email_folded")),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("started_at", Timestamp(), nullable=False),
        sa.Column("beat_at", Timestamp(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("plan_versions", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )
    op.create_table(
        "activity",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("at", Timestamp(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("level", sa.String(length=8), nullable=False),
        sa.Column("connector_id", sa.Uuid(), nullable=True),
        sa.Column("correlation_id", sa.Uuid(), nullable=True),
        sa.Column("event_id", BigId, nullable=True),
        sa.Column("run_id", BigId, nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("facts", Json, nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "level IN ('debug', 'info', 'warning', 'error')", name=op.f("ck_activity_level")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity")),
    )
    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.create_index(
            "ix_activity_correlation_id_id", ["correlation_id", "id"], unique=False
        )
        batch_op.create_index("ix_activity_tenant_id_id", ["tenant_id", "id"], unique=False)

    op.create_table(
        "attempts",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("at", Timestamp(), nullable=False),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("request", sa.Text(), nullable=True),
        sa.Column("response", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.create_index("ix_attempts_run_id", ["run_id"], unique=False)

    op.create_table(
        "audit",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("at", Timestamp(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("before", Json, nullable=True),
        sa.Column("after", Json, nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_audit_tenant_id_tenants"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index("ix_audit_tenant_id_id", ["tenant_id", "id"], unique=False)

    op.create_table(
        "connectors",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("type", sa.String(length=63), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("settings", Json, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("state_detail", sa.Text(), nullable=False),
        sa.Column("parked_until", Timestamp(), nullable=True),
        sa.Column("enabled_webhook", sa.Boolean(), nullable=False),
        sa.Column("allow_unsigned", sa.Boolean(), nullable=False),
        sa.Column("poll_every_s", sa.Integer(), nullable=True),
        sa.Column("log_level", sa.String(length=8), nullable=False),
        sa.Column("log_level_since", Timestamp(), nullable=True),
        sa.Column("log_days", sa.Integer(), nullable=False),
        sa.Column("on_dead_letter", sa.String(length=8), nullable=False),
        sa.Column("acting_user", sa.String(length=254), nullable=True),
        sa.Column("ingress_rate", sa.Integer(), nullable=False),
        sa.Column("allowed_ips", Json, nullable=False),
        sa.Column("quota_guard", Json, nullable=False),
        sa.Column("reconcile_every_h", sa.Integer(), nullable=False),
        sa.Column("reconciled_at", Timestamp(), nullable=True),
        sa.Column("webhook_ok", sa.Boolean(), nullable=True),
        sa.Column("webhook_checked_at", Timestamp(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.Column("updated_by", sa.String(length=200), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "log_level IN ('error', 'info', 'debug')", name=op.f("ck_connectors_log_level")
        ),
        sa.CheckConstraint(
            "on_dead_letter IN ('continue', 'hold')", name=op.f("ck_connectors_on_dead_letter")
        ),
        sa.CheckConstraint(
            "state IN ('active', 'paused', 'needs_credentials', 'parked', 'broken')",
            name=op.f("ck_connectors_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_connectors_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connectors")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_connectors_tenant_id_name")),
    )
    with op.batch_alter_table("connectors", schema=None) as batch_op:
        batch_op.create_index("ix_connectors_type", ["type"], unique=False)

    op.create_table(
        "correlations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("lane", sa.String(length=16), nullable=False),
        sa.Column("merged_into", sa.Uuid(), nullable=True),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_correlations_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correlations")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_correlations_tenant_id_code")),
    )
    op.create_table(
        "data_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("retired_at", Timestamp(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_data_keys_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_keys")),
    )
    with op.batch_alter_table("data_keys", schema=None) as batch_op:
        batch_op.create_index("ix_data_keys_tenant_id", ["tenant_id"], unique=False)

    op.create_table(
        "deliveries",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("received_at", Timestamp(), nullable=False),
        sa.Column("headers", Json, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("events", sa.Integer(), server_default="0", nullable=False),
        sa.Column("replay_of", BigId, nullable=True),
        sa.Column("repeats", sa.Integer(), server_default="0", nullable=False),
        sa.Column("repeated_at", Timestamp(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "source IN ('webhook', 'poll', 'import', 'replay', 'timer', 'desk', 'manual')",
            name=op.f("ck_deliveries_source"),
        ),
        sa.CheckConstraint(
            "state IN ('accepted', 'unreadable', 'ignored')", name=op.f("ck_deliveries_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sqlite_autoincrement=True,
        postgresql_with={"toast_tuple_target": 8160},
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index("ix_deliveries_connector_id_id", ["connector_id", "id"], unique=False)
        batch_op.create_index("ix_deliveries_tenant_id_id", ["tenant_id", "id"], unique=False)

    op.create_table(
        "echoes",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("source_object", sa.String(length=120), nullable=False),
        sa.Column("record_id", sa.String(length=255), nullable=False),
        sa.Column("field", sa.String(length=120), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("hops", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sent_at", Timestamp(), nullable=False),
        sa.Column("ended_at", Timestamp(), nullable=True),
        sa.Column("expires_at", Timestamp(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_echoes")),
    )
    with op.batch_alter_table("echoes", schema=None) as batch_op:
        batch_op.create_index(
            "ix_echoes_connector_id_source_object_record_id",
            ["connector_id", "source_object", "record_id"],
            unique=False,
        )
        batch_op.create_index("ix_echoes_expires_at", ["expires_at"], unique=False)
        batch_op.create_index("ix_echoes_run_id", ["run_id"], unique=False)

    op.create_table(
        "events",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("delivery_id", BigId, nullable=False),
        sa.Column("delivery_index", sa.Integer(), nullable=False),
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("trigger", sa.String(length=160), nullable=False),
        sa.Column("source_object", sa.String(length=120), nullable=False),
        sa.Column("record_id", sa.String(length=255), nullable=False),
        sa.Column("lane", sa.String(length=16), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("facts", Json, nullable=True),
        sa.Column("hops", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("plan_version", sa.Integer(), nullable=True),
        sa.Column("replay_of", BigId, nullable=True),
        sa.Column("replay_mode", sa.String(length=10), nullable=True),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("done_at", Timestamp(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'done', 'echo', 'skipped')", name=op.f("ck_events_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sqlite_autoincrement=True,
        postgresql_with={"fillfactor": 70},
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index("ix_events_delivery_id", ["delivery_id"], unique=False)
        batch_op.create_index(
            "ix_events_shard_id",
            ["shard", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )
        batch_op.create_index(
            "ix_events_shard_lane_id",
            ["shard", "lane", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )
        batch_op.create_index("ix_events_record_id_id", ["record_id", "id"], unique=False)

    op.create_table(
        "holds",
        sa.Column("lane", sa.String(length=16), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("not_before", Timestamp(), nullable=True),
        sa.Column("reason", sa.String(length=10), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("connector_id", sa.Uuid(), nullable=True),
        sa.Column("run_id", BigId, nullable=True),
        sa.Column("since", Timestamp(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "reason IN ('retry', 'busy', 'connector', 'dead', 'breaker', 'budget', 'person')",
            name=op.f("ck_holds_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_holds_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("lane", name=op.f("pk_holds")),
    )
    with op.batch_alter_table("holds", schema=None) as batch_op:
        batch_op.create_index("ix_holds_connector_id", ["connector_id"], unique=False)
        batch_op.create_index("ix_holds_shard_not_before", ["shard", "not_before"], unique=False)

    op.create_table(
        "last_seen",
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("source_object", sa.String(length=120), nullable=False),
        sa.Column("record_id", sa.String(length=255), nullable=False),
        sa.Column("values", Json, nullable=False),
        sa.Column("written", Json, nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("human_id", sa.String(length=120), nullable=True),
        sa.Column("occurred_at", Timestamp(), nullable=False),
        sa.Column("seen_at", Timestamp(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint(
            "connector_id", "source_object", "record_id", name=op.f("pk_last_seen")
        ),
    )
    op.create_table(
        "links",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("correlation_id", sa.Uuid(), nullable=False),
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("source_object", sa.String(length=120), nullable=False),
        sa.Column("slot", sa.String(length=120), server_default="", nullable=False),
        sa.Column("record_id", sa.String(length=255), nullable=True),
        sa.Column("human_id", sa.String(length=120), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("made_by_run", BigId, nullable=True),
        sa.Column("made_by_ruleset", sa.String(length=36), nullable=True),
        sa.Column("precise", Json, nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("created_by", sa.String(length=200), server_default="", nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('reserved', 'live', 'gone', 'unlinked')", name=op.f("ck_links_state")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_links_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
    )
    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.create_index("ix_links_correlation_id", ["correlation_id"], unique=False)
        batch_op.create_index("ix_links_made_by_run", ["made_by_run"], unique=False)
        batch_op.create_index(
            "uq_links_live_record",
            ["tenant_id", "connector_id", "source_object", "record_id"],
            unique=True,
            sqlite_where=sa.text("state = 'live'"),
            postgresql_where=sa.text("state = 'live'"),
        )
        batch_op.create_index(
            "uq_links_reserved_slot",
            ["correlation_id", "connector_id", "source_object", "slot"],
            unique=True,
            sqlite_where=sa.text("state = 'reserved'"),
            postgresql_where=sa.text("state = 'reserved'"),
        )

    op.create_table(
        "memberships",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=63), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.Column("updated_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_memberships_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_memberships_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", name=op.f("pk_memberships")),
    )
    with op.batch_alter_table("memberships", schema=None) as batch_op:
        batch_op.create_index("ix_memberships_user_id", ["user_id"], unique=False)

    op.create_table(
        "metric_points",
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("minute", Timestamp(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.Double(), nullable=False),
        sa.Column("buckets", Json, nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_metric_points_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connector_id", "name", "minute", name=op.f("pk_metric_points")),
    )
    op.create_table(
        "note_links",
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("note_id", sa.String(length=255), nullable=False),
        sa.Column("peer_connector_id", sa.Uuid(), nullable=False),
        sa.Column("correlation_id", sa.Uuid(), nullable=True),
        sa.Column("peer_note_id", sa.String(length=255), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_note_links_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "connector_id", "note_id", "peer_connector_id", name=op.f("pk_note_links")
        ),
    )
    with op.batch_alter_table("note_links", schema=None) as batch_op:
        batch_op.create_index(
            "ix_note_links_peer", ["peer_connector_id", "peer_note_id"], unique=False
        )

    op.create_table(
        "rate_buckets",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("limiter_key", sa.String(length=64), nullable=False),
        sa.Column("tokens", sa.Double(), nullable=False),
        sa.Column("refilled_at", Timestamp(), nullable=False),
        sa.Column("limit_seen", sa.Integer(), nullable=True),
        sa.Column("remaining_seen", sa.Integer(), nullable=True),
        sa.Column("reset_at", Timestamp(), nullable=True),
        sa.Column("blocked_until", Timestamp(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_rate_buckets_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "limiter_key", name=op.f("pk_rate_buckets")),
    )
    op.create_table(
        "request_keys",
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("request_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_request_keys_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_request_keys")),
    )
    with op.batch_alter_table("request_keys", schema=None) as batch_op:
        batch_op.create_index("ix_request_keys_created_at", ["created_at"], unique=False)

    op.create_table(
        "roles",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("permissions", Json, nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.Column("updated_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_roles_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("pk_roles")),
    )
    op.create_table(
        "rule_breakers",
        sa.Column("rule_id", sa.String(length=36), nullable=False),
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.String(length=255), nullable=False),
        sa.Column("firings", sa.Integer(), nullable=False),
        sa.Column("since", Timestamp(), nullable=False),
        sa.Column("open_until", Timestamp(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_rule_breakers_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "rule_id", "connector_id", "record_id", name=op.f("pk_rule_breakers")
        ),
    )
    op.create_table(
        "ruleset_versions",
        sa.Column("ruleset_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("checksum", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("lint", Json, nullable=False),
        sa.Column("published_by", sa.String(length=200), nullable=False),
        sa.Column("published_at", Timestamp(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_ruleset_versions_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("ruleset_id", "version", name=op.f("pk_ruleset_versions")),
    )
    with op.batch_alter_table("ruleset_versions", schema=None) as batch_op:
        batch_op.create_index("ix_ruleset_versions_tenant_id", ["tenant_id"], unique=False)

    op.create_table(
        "rulesets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active_version", sa.Integer(), nullable=True),
        sa.Column("draft_revision", sa.Integer(), nullable=False),
        sa.Column("changed_version", sa.Integer(), nullable=False),
        sa.Column("problems", Json, nullable=False),
        sa.Column("template", sa.String(length=120), nullable=True),
        sa.Column("template_version", sa.Integer(), nullable=True),
        sa.Column("template_params", Json, nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.Column("updated_by", sa.String(length=200), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('disabled', 'shadow', 'enabled')", name=op.f("ck_rulesets_state")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_rulesets_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rulesets")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_rulesets_tenant_id_name")),
    )
    with op.batch_alter_table("rulesets", schema=None) as batch_op:
        batch_op.create_index(
            "ix_rulesets_tenant_id_changed_version", ["tenant_id", "changed_version"], unique=False
        )

    op.create_table(
        "runs",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("event_id", BigId, nullable=False),
        sa.Column("ruleset_id", sa.String(length=36), nullable=False),
        sa.Column("ruleset_version", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.String(length=36), nullable=False),
        sa.Column("rule_name", sa.String(length=120), server_default="", nullable=False),
        sa.Column("about", sa.String(length=400), nullable=True),
        sa.Column("action", sa.String(length=120), nullable=False),
        sa.Column("action_index", sa.Integer(), nullable=False),
        sa.Column("connector_id", sa.Uuid(), nullable=True),
        sa.Column("source_object", sa.String(length=120), nullable=True),
        sa.Column("record_id", sa.String(length=255), nullable=True),
        sa.Column("correlation_id", sa.Uuid(), nullable=True),
        sa.Column("key", sa.String(length=33), nullable=False),
        sa.Column("base_key", sa.String(length=33), nullable=False),
        sa.Column("params", Json, nullable=False),
        sa.Column("late", Json, nullable=False),
        sa.Column("unless_linked", sa.Boolean(), nullable=False),
        sa.Column("on_error", sa.String(length=8), nullable=False),
        sa.Column("hops", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_at", Timestamp(), nullable=True),
        sa.Column("due_at", Timestamp(), nullable=True),
        sa.Column("sent_at", Timestamp(), nullable=True),
        sa.Column("done_at", Timestamp(), nullable=True),
        sa.Column("error_class", sa.String(length=40), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("result", Json, nullable=True),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('intent', 'sent', 'waiting', 'done', 'skipped', 'dead')",
            name=op.f("ck_runs_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_runs_tenant_id_key")),
        sqlite_autoincrement=True,
        postgresql_with={"fillfactor": 70},
    )
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.create_index("ix_runs_connector_id_id", ["connector_id", "id"], unique=False)
        batch_op.create_index("ix_runs_event_id", ["event_id"], unique=False)
        batch_op.create_index(
            "ix_runs_tenant_id_base_key",
            ["tenant_id", "base_key"],
            unique=False,
            sqlite_where=sa.text("base_key <> key"),
            postgresql_where=sa.text("base_key <> key"),
        )
        batch_op.create_index(
            "ix_runs_tenant_id_error_class",
            ["tenant_id", "error_class"],
            unique=False,
            sqlite_where=sa.text("error_class IS NOT NULL"),
            postgresql_where=sa.text("error_class IS NOT NULL"),
        )
        batch_op.create_index("ix_runs_tenant_id_id", ["tenant_id", "id"], unique=False)

    op.create_table(
        "seen_keys",
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(length=20), nullable=False),
        sa.Column("delivery_id", BigId, nullable=False),
        sa.Column("seen_at", Timestamp(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("connector_id", "key_hash", name=op.f("pk_seen_keys")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sessions",
        sa.Column("id_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("seen_at", Timestamp(), nullable=False),
        sa.Column("expires_at", Timestamp(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sessions_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id_hash", name=op.f("pk_sessions")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index("ix_sessions_expires_at", ["expires_at"], unique=False)
        batch_op.create_index("ix_sessions_user_id", ["user_id"], unique=False)

    op.create_table(
        "timers",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("lane", sa.String(length=16), nullable=True),
        sa.Column("due_at", Timestamp(), nullable=False),
        sa.Column("every_s", sa.Integer(), nullable=True),
        sa.Column("payload", Json, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_timers_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timers")),
        sa.UniqueConstraint("kind", "key", name=op.f("uq_timers_kind_key")),
    )
    with op.batch_alter_table("timers", schema=None) as batch_op:
        batch_op.create_index("ix_timers_due_at", ["due_at"], unique=False)

    op.create_table(
        "tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("prefix", sa.String(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("permissions", Json, nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("last_used_at", Timestamp(), nullable=True),
        sa.Column("expires_at", Timestamp(), nullable=True),
        sa.Column("revoked_at", Timestamp(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_tokens_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_tokens_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("prefix", name=op.f("uq_tokens_prefix")),
    )
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.create_index("ix_tokens_tenant_id_id", ["tenant_id", "id"], unique=False)

    op.create_table(
        "traces",
        sa.Column("event_id", BigId, nullable=False),
        sa.Column("rule_id", sa.String(length=36), nullable=False),
        sa.Column("about", sa.String(length=400), nullable=False),
        sa.Column("fired", sa.Boolean(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", "rule_id", "about", name=op.f("pk_traces")),
        postgresql_with={"toast_tuple_target": 8160},
    )
    op.create_table(
        "value_maps",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("on_missing", sa.String(length=8), nullable=False),
        sa.Column("default_value", sa.Text(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.Column("updated_by", sa.String(length=200), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "on_missing IN ('error', 'keep', 'default')", name=op.f("ck_value_maps_on_missing")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_value_maps_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_value_maps")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_value_maps_tenant_id_name")),
    )
    op.create_table(
        "whatifs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("request", Json, nullable=False),
        sa.Column("progress", Json, nullable=False),
        sa.Column("report", Json, nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(length=200), nullable=False),
        sa.Column("asked_at", Timestamp(), nullable=False),
        sa.Column("beat_at", Timestamp(), nullable=False),
        sa.Column("ended_at", Timestamp(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'cancelled', 'failed')",
            name=op.f("ck_whatifs_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_whatifs_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_whatifs")),
    )
    with op.batch_alter_table("whatifs", schema=None) as batch_op:
        batch_op.create_index("ix_whatifs_tenant_id", ["tenant_id", "id"], unique=False)

    op.create_table(
        "check_results",
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("at", Timestamp(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connector_id"],
            ["connectors.id"],
            name=op.f("fk_check_results_connector_id_connectors"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_check_results_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connector_id", "name", name=op.f("pk_check_results")),
    )
    op.create_table(
        "connector_fields",
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("source_object", sa.String(length=200), nullable=False),
        sa.Column("fields", Json, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("fetched_at", Timestamp(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connector_id"],
            ["connectors.id"],
            name=op.f("fk_connector_fields_connector_id_connectors"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_connector_fields_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connector_id", "source_object", name=op.f("pk_connector_fields")),
    )
    op.create_table(
        "connector_objects",
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("source_object", sa.String(length=200), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("vendor_name", sa.String(length=200), nullable=False),
        sa.Column("polled", sa.Boolean(), nullable=False),
        sa.Column("adopted_at", Timestamp(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connector_id"],
            ["connectors.id"],
            name=op.f("fk_connector_objects_connector_id_connectors"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_connector_objects_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connector_id", "source_object", name=op.f("pk_connector_objects")),
    )
    op.create_table(
        "handshakes",
        sa.Column("state_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("session_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", Timestamp(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connector_id"],
            ["connectors.id"],
            name=op.f("fk_handshakes_connector_id_connectors"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_handshakes_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_handshakes")),
    )
    op.create_table(
        "poll_cursors",
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("source_object", sa.String(length=200), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("polled_at", Timestamp(), nullable=True),
        sa.Column("next_at", Timestamp(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connector_id"],
            ["connectors.id"],
            name=op.f("fk_poll_cursors_connector_id_connectors"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_poll_cursors_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connector_id", "source_object", name=op.f("pk_poll_cursors")),
    )
    with op.batch_alter_table("poll_cursors", schema=None) as batch_op:
        batch_op.create_index("ix_poll_cursors_next_at", ["next_at"], unique=False)

    op.create_table(
        "imports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("source_object", sa.String(length=200), nullable=False),
        sa.Column("since", Timestamp(), nullable=True),
        sa.Column("until", Timestamp(), nullable=True),
        sa.Column("filters", Json, nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("filed", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("next_at", Timestamp(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("ended_at", Timestamp(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('running', 'done', 'stopped', 'failed')", name=op.f("ck_imports_state")
        ),
        sa.ForeignKeyConstraint(
            ["connector_id"],
            ["connectors.id"],
            name=op.f("fk_imports_connector_id_connectors"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_imports_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    with op.batch_alter_table("imports", schema=None) as batch_op:
        batch_op.create_index("ix_imports_state_next_at", ["state", "next_at"], unique=False)
        batch_op.create_index("ix_imports_tenant_id_id", ["tenant_id", "id"], unique=False)

    op.create_table(
        "reconciliations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("correlation_id", sa.Uuid(), nullable=True),
        sa.Column("repair", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("position", sa.Uuid(), nullable=True),
        sa.Column("compared", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("came_in", sa.Integer(), nullable=False),
        sa.Column("went_out", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("next_at", Timestamp(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("ended_at", Timestamp(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('running', 'done', 'failed')", name=op.f("ck_reconciliations_state")
        ),
        sa.ForeignKeyConstraint(
            ["connector_id"],
            ["connectors.id"],
            name=op.f("fk_reconciliations_connector_id_connectors"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_reconciliations_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliations")),
    )
    with op.batch_alter_table("reconciliations", schema=None) as batch_op:
        batch_op.create_index(
            "ix_reconciliations_connector_id_id", ["connector_id", "id"], unique=False
        )
        batch_op.create_index(
            "ix_reconciliations_state_next_at", ["state", "next_at"], unique=False
        )

    op.create_table(
        "drifts",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("reconciliation_id", sa.Uuid(), nullable=False),
        sa.Column("correlation_id", sa.Uuid(), nullable=False),
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("source_object", sa.String(length=120), nullable=False),
        sa.Column("record_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("fields", Json, nullable=False),
        sa.Column("repaired", sa.Boolean(), nullable=False),
        sa.Column("at", Timestamp(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('gone', 'changed', 'given_up', 'unreadable')", name=op.f("ck_drifts_kind")
        ),
        sa.ForeignKeyConstraint(
            ["reconciliation_id"],
            ["reconciliations.id"],
            name=op.f("fk_drifts_reconciliation_id_reconciliations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_drifts_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drifts")),
    )
    with op.batch_alter_table("drifts", schema=None) as batch_op:
        batch_op.create_index("ix_drifts_reconciliation_id", ["reconciliation_id"], unique=False)

    op.create_table(
        "ruleset_drafts",
        sa.Column("ruleset_id", sa.Uuid(), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("based_on_version", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("edited_by", sa.String(length=200), nullable=False),
        sa.Column("edited_at", Timestamp(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ruleset_id"],
            ["rulesets.id"],
            name=op.f("fk_ruleset_drafts_ruleset_id_rulesets"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_ruleset_drafts_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("ruleset_id", name=op.f("pk_ruleset_drafts")),
    )
    with op.batch_alter_table("ruleset_drafts", schema=None) as batch_op:
        batch_op.create_index("ix_ruleset_drafts_tenant_id", ["tenant_id"], unique=False)

    op.create_table(
        "secrets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.String(length=200), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("data_key_id", sa.Uuid(), nullable=True),
        sa.Column("ending", sa.String(length=8), nullable=False),
        sa.Column("set_at", Timestamp(), nullable=False),
        sa.Column("set_by", sa.String(length=200), nullable=False),
        sa.Column("previous_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("previous_until", Timestamp(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(reference IS NULL) <> (sealed IS NULL)", name=op.f("ck_secrets_one_place")
        ),
        sa.ForeignKeyConstraint(
            ["data_key_id"], ["data_keys.id"], name=op.f("fk_secrets_data_key_id_data_keys")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_secrets_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_secrets")),
        sa.UniqueConstraint(
            "tenant_id", "owner_id", "field", name=op.f("uq_secrets_tenant_id_owner_id_field")
        ),
    )
    op.create_table(
        "service_mappings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("source_object", sa.String(length=200), nullable=True),
        sa.Column("field", sa.String(length=200), nullable=True),
        sa.Column("value", sa.String(length=1000), nullable=True),
        sa.Column("service_id", sa.String(length=200), nullable=False),
        sa.Column("service_name", sa.String(length=300), nullable=False),
        sa.Column("outbound", sa.Boolean(), nullable=False),
        sa.Column("inbound", sa.Boolean(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("extra", Json, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.Column("updated_by", sa.String(length=200), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connector_id"],
            ["connectors.id"],
            name=op.f("fk_service_mappings_connector_id_connectors"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_service_mappings_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_mappings")),
    )
    with op.batch_alter_table("service_mappings", schema=None) as batch_op:
        batch_op.create_index(
            "uq_service_mappings_default",
            ["tenant_id", "connector_id"],
            unique=True,
            sqlite_where=sa.text("is_default"),
            postgresql_where=sa.text("is_default"),
        )
        batch_op.create_index(
            "uq_service_mappings_inbound",
            ["tenant_id", "connector_id", "source_object", "service_id", "field"],
            unique=True,
            sqlite_where=sa.text("inbound"),
            postgresql_where=sa.text("inbound"),
        )
        batch_op.create_index(
            "uq_service_mappings_outbound",
            ["tenant_id", "connector_id", "source_object", "field", "value"],
            unique=True,
            sqlite_where=sa.text("outbound"),
            postgresql_where=sa.text("outbound"),
        )

    op.create_table(
        "value_map_rows",
        sa.Column("map_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=500), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("back", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["map_id"],
            ["value_maps.id"],
            name=op.f("fk_value_map_rows_map_id_value_maps"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_value_map_rows_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("map_id", "key", name=op.f("pk_value_map_rows")),
    )
    with op.batch_alter_table("value_map_rows", schema=None) as batch_op:
        batch_op.create_index("ix_value_map_rows_tenant_id", ["tenant_id"], unique=False)


def downgrade() -> None:
    """Go back to the one before."""
    with op.batch_alter_table("value_map_rows", schema=None) as batch_op:
        batch_op.drop_index("ix_value_map_rows_tenant_id")

    op.drop_table("value_map_rows")
    with op.batch_alter_table("service_mappings", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_service_mappings_outbound",
            sqlite_where=sa.text("outbound"),
            postgresql_where=sa.text("outbound"),
        )
        batch_op.drop_index(
            "uq_service_mappings_inbound",
            sqlite_where=sa.text("inbound"),
            postgresql_where=sa.text("inbound"),
        )
        batch_op.drop_index(
            "uq_service_mappings_default",
            sqlite_where=sa.text("is_default"),
            postgresql_where=sa.text("is_default"),
        )

    op.drop_table("service_mappings")
    op.drop_table("secrets")
    with op.batch_alter_table("ruleset_drafts", schema=None) as batch_op:
        batch_op.drop_index("ix_ruleset_drafts_tenant_id")

    op.drop_table("ruleset_drafts")
    with op.batch_alter_table("drifts", schema=None) as batch_op:
        batch_op.drop_index("ix_drifts_reconciliation_id")

    op.drop_table("drifts")
    with op.batch_alter_table("reconciliations", schema=None) as batch_op:
        batch_op.drop_index("ix_reconciliations_state_next_at")
        batch_op.drop_index("ix_reconciliations_connector_id_id")

    op.drop_table("reconciliations")
    with op.batch_alter_table("imports", schema=None) as batch_op:
        batch_op.drop_index("ix_imports_tenant_id_id")
        batch_op.drop_index("ix_imports_state_next_at")

    op.drop_table("imports")
    with op.batch_alter_table("poll_cursors", schema=None) as batch_op:
        batch_op.drop_index("ix_poll_cursors_next_at")

    op.drop_table("poll_cursors")
    op.drop_table("handshakes")
    op.drop_table("connector_objects")
    op.drop_table("connector_fields")
    op.drop_table("check_results")
    with op.batch_alter_table("whatifs", schema=None) as batch_op:
        batch_op.drop_index("ix_whatifs_tenant_id")

    op.drop_table("whatifs")
    op.drop_table("value_maps")
    op.drop_table("traces")
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.drop_index("ix_tokens_tenant_id_id")

    op.drop_table("tokens")
    with op.batch_alter_table("timers", schema=None) as batch_op:
        batch_op.drop_index("ix_timers_due_at")

    op.drop_table("timers")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_index("ix_sessions_user_id")
        batch_op.drop_index("ix_sessions_expires_at")

    op.drop_table("sessions")
    op.drop_table("seen_keys")
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.drop_index("ix_runs_tenant_id_id")
        batch_op.drop_index(
            "ix_runs_tenant_id_error_class",
            sqlite_where=sa.text("error_class IS NOT NULL"),
            postgresql_where=sa.text("error_class IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_runs_tenant_id_base_key",
            sqlite_where=sa.text("base_key <> key"),
            postgresql_where=sa.text("base_key <> key"),
        )
        batch_op.drop_index("ix_runs_event_id")
        batch_op.drop_index("ix_runs_connector_id_id")

    op.drop_table("runs")
    with op.batch_alter_table("rulesets", schema=None) as batch_op:
        batch_op.drop_index("ix_rulesets_tenant_id_changed_version")

    op.drop_table("rulesets")
    with op.batch_alter_table("ruleset_versions", schema=None) as batch_op:
        batch_op.drop_index("ix_ruleset_versions_tenant_id")

    op.drop_table("ruleset_versions")
    op.drop_table("rule_breakers")
    op.drop_table("roles")
    with op.batch_alter_table("request_keys", schema=None) as batch_op:
        batch_op.drop_index("ix_request_keys_created_at")

    op.drop_table("request_keys")
    op.drop_table("rate_buckets")
    with op.batch_alter_table("note_links", schema=None) as batch_op:
        batch_op.drop_index("ix_note_links_peer")

    op.drop_table("note_links")
    op.drop_table("metric_points")
    with op.batch_alter_table("memberships", schema=None) as batch_op:
        batch_op.drop_index("ix_memberships_user_id")

    op.drop_table("memberships")
    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_links_reserved_slot",
            sqlite_where=sa.text("state = 'reserved'"),
            postgresql_where=sa.text("state = 'reserved'"),
        )
        batch_op.drop_index(
            "uq_links_live_record",
            sqlite_where=sa.text("state = 'live'"),
            postgresql_where=sa.text("state = 'live'"),
        )
        batch_op.drop_index("ix_links_made_by_run")
        batch_op.drop_index("ix_links_correlation_id")

    op.drop_table("links")
    op.drop_table("last_seen")
    with op.batch_alter_table("holds", schema=None) as batch_op:
        batch_op.drop_index("ix_holds_shard_not_before")
        batch_op.drop_index("ix_holds_connector_id")

    op.drop_table("holds")
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.drop_index("ix_events_record_id_id")
        batch_op.drop_index(
            "ix_events_shard_lane_id",
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )
        batch_op.drop_index(
            "ix_events_shard_id",
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )
        batch_op.drop_index("ix_events_delivery_id")

    op.drop_table("events")
    with op.batch_alter_table("echoes", schema=None) as batch_op:
        batch_op.drop_index("ix_echoes_run_id")
        batch_op.drop_index("ix_echoes_expires_at")
        batch_op.drop_index("ix_echoes_connector_id_source_object_record_id")

    op.drop_table("echoes")
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_index("ix_deliveries_tenant_id_id")
        batch_op.drop_index("ix_deliveries_connector_id_id")

    op.drop_table("deliveries")
    with op.batch_alter_table("data_keys", schema=None) as batch_op:
        batch_op.drop_index("ix_data_keys_tenant_id")

    op.drop_table("data_keys")
    op.drop_table("correlations")
    with op.batch_alter_table("connectors", schema=None) as batch_op:
        batch_op.drop_index("ix_connectors_type")

    op.drop_table("connectors")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_tenant_id_id")

    op.drop_table("audit")
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_index("ix_attempts_run_id")

    op.drop_table("attempts")
    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.drop_index("ix_activity_tenant_id_id")
        batch_op.drop_index("ix_activity_correlation_id_id")

    op.drop_table("activity")
    op.drop_table("workers")
    op.drop_table("users")
    with op.batch_alter_table("tenants", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_tenants_default",
            sqlite_where=sa.text("is_default"),
            postgresql_where=sa.text("is_default"),
        )

    op.drop_table("tenants")
    op.drop_table("shards")
    op.drop_table("hub_meta")
