"""Accounts, sessions, keys, security events, exports and erasures, and the tables every service has."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

# An erasure may set ids and address to NULL; other changes and deletions are refused.
APPEND_ONLY = """
CREATE FUNCTION users.keep_security_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND (NEW.id, NEW.type, NEW.data, NEW.occurred_at)
      IS NOT DISTINCT FROM (OLD.id, OLD.type, OLD.data, OLD.occurred_at)
      AND coalesce(NEW.user_id, OLD.user_id) IS NOT DISTINCT FROM OLD.user_id
      AND coalesce(NEW.actor_id, OLD.actor_id) IS NOT DISTINCT FROM OLD.actor_id
      AND NEW.session_id IS NULL AND NEW.address IS NULL THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'security events are append-only';
END $$;
CREATE TRIGGER keep_security_events BEFORE UPDATE OR DELETE ON users.security_events
  FOR EACH ROW EXECUTE FUNCTION users.keep_security_events();
"""


def upgrade() -> None:
    op.create_table(
        "erasure_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(), server_default="waiting", nullable=False),
        sa.Column("passes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("receipts", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column(
            "requested_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('waiting', 'canceled', 'running', 'finished')",
            name=op.f("ck_erasure_requests_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_requests")),
        schema="users",
    )
    op.create_index(
        op.f("ix_erasure_requests_due_at"), "erasure_requests", ["due_at"], unique=False, schema="users"
    )
    op.create_index(
        op.f("ix_erasure_requests_user_id"), "erasure_requests", ["user_id"], unique=False, schema="users"
    )
    op.create_index(
        "uq_erasure_requests_open",
        "erasure_requests",
        ["user_id"],
        unique=True,
        schema="users",
        postgresql_where=sa.text("status IN ('waiting', 'running')"),
    )
    op.create_table(
        "external_logins",
        sa.Column("state_hash", sa.String(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("encrypted_code_verifier", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_external_logins")),
        schema="users",
    )
    op.create_index(
        op.f("ix_external_logins_expires_at"), "external_logins", ["expires_at"], unique=False, schema="users"
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "key", name=op.f("pk_idempotency_keys")),
        schema="users",
    )
    op.create_index(
        op.f("ix_idempotency_keys_created_at"),
        "idempotency_keys",
        ["created_at"],
        unique=False,
        schema="users",
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("arguments", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), server_default="queued", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        schema="users",
    )
    op.create_index(
        "ix_jobs_open",
        "jobs",
        ["due_at"],
        unique=False,
        schema="users",
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )
    op.create_index("uq_jobs_name_slot", "jobs", ["name", "slot"], unique=True, schema="users")
    op.create_table(
        "login_failures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_failures")),
        schema="users",
    )
    op.create_index(
        "ix_login_failures_key_occurred_at",
        "login_failures",
        ["key", "occurred_at"],
        unique=False,
        schema="users",
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rejected", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        schema="users",
    )
    op.create_index(op.f("ix_outbox_delivered_at"), "outbox", ["delivered_at"], unique=False, schema="users")
    op.create_index(
        "ix_outbox_pending",
        "outbox",
        ["id"],
        unique=False,
        schema="users",
        postgresql_where=sa.text("delivered_at IS NULL AND rejected IS NULL"),
    )
    op.create_table(
        "revocations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revocations")),
        schema="users",
    )
    op.create_index(
        op.f("ix_revocations_revoked_at"), "revocations", ["revoked_at"], unique=False, schema="users"
    )
    op.create_table(
        "security_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_events")),
        schema="users",
    )
    op.create_index(
        "ix_security_events_type_id", "security_events", ["type", "id"], unique=False, schema="users"
    )
    op.create_index(
        "ix_security_events_user_id_id", "security_events", ["user_id", "id"], unique=False, schema="users"
    )
    op.create_table(
        "service_clients",
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("grants", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_service_clients")),
        schema="users",
    )
    op.create_table(
        "signing_keys",
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("encrypted_private_key", sa.String(), nullable=False),
        sa.Column("public_key", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_signing_keys")),
        schema="users",
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("hashed_password", sa.String(), nullable=False),
        sa.Column("role", sa.String(), server_default="student", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_login", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "role IN ('student', 'instructor', 'researcher', 'admin')", name=op.f("ck_users_role")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        schema="users",
    )
    op.create_index(
        "uq_users_email_lower", "users", [sa.literal_column("lower(email)")], unique=True, schema="users"
    )
    op.create_index(
        "uq_users_username_lower",
        "users",
        [sa.literal_column("lower(username)")],
        unique=True,
        schema="users",
    )
    op.create_table(
        "data_exports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(), server_default="queued", nullable=False),
        sa.Column("parts_done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("downloaded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.users.id"], name=op.f("fk_data_exports_user_id"), ondelete="CASCADE"
        ),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'ready', 'failed')", name=op.f("ck_data_exports_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_exports")),
        schema="users",
    )
    op.create_index(
        op.f("ix_data_exports_user_id"), "data_exports", ["user_id"], unique=False, schema="users"
    )
    op.create_index(
        "uq_data_exports_open",
        "data_exports",
        ["user_id"],
        unique=True,
        schema="users",
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )
    op.create_table(
        "data_export_chunks",
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["export_id"],
            ["users.data_exports.id"],
            name=op.f("fk_data_export_chunks_export_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("export_id", "number", name=op.f("pk_data_export_chunks")),
        schema="users",
    )
    op.create_table(
        "external_identities",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.users.id"], name=op.f("fk_external_identities_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_external_identities")),
        schema="users",
    )
    op.create_index(
        op.f("ix_external_identities_user_id"),
        "external_identities",
        ["user_id"],
        unique=False,
        schema="users",
    )
    op.create_table(
        "mails",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.users.id"], name=op.f("fk_mails_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
        schema="users",
    )
    op.create_index(op.f("ix_mails_expires_at"), "mails", ["expires_at"], unique=False, schema="users")
    op.create_index(op.f("ix_mails_user_id"), "mails", ["user_id"], unique=False, schema="users")
    op.create_table(
        "one_time_tokens",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "purpose IN ('verify_email', 'reset_password', 'change_email')",
            name=op.f("ck_one_time_tokens_purpose"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.users.id"], name=op.f("fk_one_time_tokens_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_one_time_tokens")),
        schema="users",
    )
    op.create_index(
        op.f("ix_one_time_tokens_expires_at"), "one_time_tokens", ["expires_at"], unique=False, schema="users"
    )
    op.create_index(
        op.f("ix_one_time_tokens_user_id"), "one_time_tokens", ["user_id"], unique=False, schema="users"
    )
    op.create_table(
        "user_profiles",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("display_name", sa.String(), nullable=True),
        sa.Column("bio", sa.String(), nullable=True),
        sa.Column(
            "preferred_meditation_duration",
            sa.Integer(),
            server_default="10",
            nullable=False,
            comment="minutes",
        ),
        sa.Column("preferred_mentor_category", sa.String(), nullable=True),
        sa.Column("theme_preference", sa.String(), server_default="system", nullable=False),
        sa.Column("locale", sa.String(), server_default="en", nullable=False),
        sa.Column("timezone", sa.String(), server_default="UTC", nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.users.id"], name=op.f("fk_user_profiles_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_user_profiles")),
        schema="users",
    )
    op.create_table(
        "user_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.users.id"], name=op.f("fk_user_sessions_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_sessions")),
        schema="users",
    )
    op.create_index(
        op.f("ix_user_sessions_user_id"), "user_sessions", ["user_id"], unique=False, schema="users"
    )
    op.create_table(
        "refresh_tokens",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["users.user_sessions.id"],
            name=op.f("fk_refresh_tokens_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_refresh_tokens")),
        schema="users",
    )
    op.create_index(
        op.f("ix_refresh_tokens_expires_at"), "refresh_tokens", ["expires_at"], unique=False, schema="users"
    )
    op.create_index(
        op.f("ix_refresh_tokens_session_id"), "refresh_tokens", ["session_id"], unique=False, schema="users"
    )
    op.execute(APPEND_ONLY)


def downgrade() -> None:
    op.execute("DROP TRIGGER keep_security_events ON users.security_events")
    op.execute("DROP FUNCTION users.keep_security_events")
    op.drop_index(op.f("ix_refresh_tokens_session_id"), table_name="refresh_tokens", schema="users")
    op.drop_index(op.f("ix_refresh_tokens_expires_at"), table_name="refresh_tokens", schema="users")
    op.drop_table("refresh_tokens", schema="users")
    op.drop_index(op.f("ix_user_sessions_user_id"), table_name="user_sessions", schema="users")
    op.drop_table("user_sessions", schema="users")
    op.drop_table("user_profiles", schema="users")
    op.drop_index(op.f("ix_one_time_tokens_user_id"), table_name="one_time_tokens", schema="users")
    op.drop_index(op.f("ix_one_time_tokens_expires_at"), table_name="one_time_tokens", schema="users")
    op.drop_table("one_time_tokens", schema="users")
    op.drop_index(op.f("ix_mails_user_id"), table_name="mails", schema="users")
    op.drop_index(op.f("ix_mails_expires_at"), table_name="mails", schema="users")
    op.drop_table("mails", schema="users")
    op.drop_index(op.f("ix_external_identities_user_id"), table_name="external_identities", schema="users")
    op.drop_table("external_identities", schema="users")
    op.drop_table("data_export_chunks", schema="users")
    op.drop_index(
        "uq_data_exports_open",
        table_name="data_exports",
        schema="users",
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )
    op.drop_index(op.f("ix_data_exports_user_id"), table_name="data_exports", schema="users")
    op.drop_table("data_exports", schema="users")
    op.drop_index("uq_users_username_lower", table_name="users", schema="users")
    op.drop_index("uq_users_email_lower", table_name="users", schema="users")
    op.drop_table("users", schema="users")
    op.drop_table("signing_keys", schema="users")
    op.drop_table("service_clients", schema="users")
    op.drop_index("ix_security_events_user_id_id", table_name="security_events", schema="users")
    op.drop_index("ix_security_events_type_id", table_name="security_events", schema="users")
    op.drop_table("security_events", schema="users")
    op.drop_index(op.f("ix_revocations_revoked_at"), table_name="revocations", schema="users")
    op.drop_table("revocations", schema="users")
    op.drop_index(
        "ix_outbox_pending",
        table_name="outbox",
        schema="users",
        postgresql_where=sa.text("delivered_at IS NULL AND rejected IS NULL"),
    )
    op.drop_index(op.f("ix_outbox_delivered_at"), table_name="outbox", schema="users")
    op.drop_table("outbox", schema="users")
    op.drop_index("ix_login_failures_key_occurred_at", table_name="login_failures", schema="users")
    op.drop_table("login_failures", schema="users")
    op.drop_index("uq_jobs_name_slot", table_name="jobs", schema="users")
    op.drop_index(
        "ix_jobs_open",
        table_name="jobs",
        schema="users",
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )
    op.drop_table("jobs", schema="users")
    op.drop_index(op.f("ix_idempotency_keys_created_at"), table_name="idempotency_keys", schema="users")
    op.drop_table("idempotency_keys", schema="users")
    op.drop_index(op.f("ix_external_logins_expires_at"), table_name="external_logins", schema="users")
    op.drop_table("external_logins", schema="users")
    op.drop_index(
        "uq_erasure_requests_open",
        table_name="erasure_requests",
        schema="users",
        postgresql_where=sa.text("status IN ('waiting', 'running')"),
    )
    op.drop_index(op.f("ix_erasure_requests_user_id"), table_name="erasure_requests", schema="users")
    op.drop_index(op.f("ix_erasure_requests_due_at"), table_name="erasure_requests", schema="users")
    op.drop_table("erasure_requests", schema="users")
