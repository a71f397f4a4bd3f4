"""Somebody's way through a program: sessions, turns, state, progress."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("current_week_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "last_activity", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("completed", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("completion_time", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["current_week_id"], ["chat.weeks.week_id"], name=op.f("fk_sessions_current_week_id")
        ),
        sa.ForeignKeyConstraint(
            ["program_id"], ["chat.programs.program_id"], name=op.f("fk_sessions_program_id")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["chat.program_versions.version_id"], name=op.f("fk_sessions_version_id")
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_sessions")),
        schema="chat",
    )
    op.create_index(
        op.f("ix_sessions_current_week_id"), "sessions", ["current_week_id"], unique=False, schema="chat"
    )
    op.create_index(op.f("ix_sessions_program_id"), "sessions", ["program_id"], unique=False, schema="chat")
    op.create_index(op.f("ix_sessions_version_id"), "sessions", ["version_id"], unique=False, schema="chat")
    op.create_index(
        "uq_sessions_open",
        "sessions",
        ["user_id", "program_id"],
        unique=True,
        schema="chat",
        postgresql_where=sa.text("NOT completed"),
    )
    op.create_table(
        "turns",
        sa.Column("turn_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("client_message_id", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('running', 'completed', 'failed', 'abandoned')", name=op.f("ck_turns_status")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["chat.sessions.session_id"], name=op.f("fk_turns_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("turn_id", name=op.f("pk_turns")),
        sa.UniqueConstraint(
            "session_id", "client_message_id", name=op.f("uq_turns_session_id_client_message_id")
        ),
        sa.UniqueConstraint("session_id", "sequence", name=op.f("uq_turns_session_id_sequence")),
        schema="chat",
    )
    op.create_index(
        "ix_turns_lease",
        "turns",
        ["lease_expires_at"],
        unique=False,
        schema="chat",
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_index(
        "uq_turns_running",
        "turns",
        ["session_id"],
        unique=True,
        schema="chat",
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_table(
        "user_progress",
        sa.Column("progress_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("week_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_completed", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("current_question_number", sa.Integer(), server_default="1", nullable=False),
        sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["chat.sessions.session_id"],
            name=op.f("fk_user_progress_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["week_id"], ["chat.weeks.week_id"], name=op.f("fk_user_progress_week_id")),
        sa.PrimaryKeyConstraint("progress_id", name=op.f("pk_user_progress")),
        sa.UniqueConstraint("session_id", "week_id", name=op.f("uq_user_progress_session_id_week_id")),
        schema="chat",
    )
    op.create_index(
        op.f("ix_user_progress_user_id"), "user_progress", ["user_id"], unique=False, schema="chat"
    )
    op.create_index(
        op.f("ix_user_progress_week_id"), "user_progress", ["week_id"], unique=False, schema="chat"
    )
    op.create_table(
        "question_completions",
        sa.Column("completion_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column(
            "completed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("iteration_count", sa.Integer(), nullable=False),
        sa.Column("scenario_classification", sa.String(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["question_id"], ["chat.questions.question_id"], name=op.f("fk_question_completions_question_id")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["chat.sessions.session_id"],
            name=op.f("fk_question_completions_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("completion_id", name=op.f("pk_question_completions")),
        sa.UniqueConstraint(
            "session_id", "question_id", name=op.f("uq_question_completions_session_id_question_id")
        ),
        schema="chat",
    )
    op.create_index(
        op.f("ix_question_completions_question_id"),
        "question_completions",
        ["question_id"],
        unique=False,
        schema="chat",
    )
    op.create_index(
        op.f("ix_question_completions_user_id"),
        "question_completions",
        ["user_id"],
        unique=False,
        schema="chat",
    )
    op.create_table(
        "conversation_states",
        sa.Column("state_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("week_id", sa.Uuid(), nullable=False),
        sa.Column("current_question_number", sa.Integer(), server_default="1", nullable=False),
        sa.Column("conversation_data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["chat.sessions.session_id"],
            name=op.f("fk_conversation_states_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["week_id"], ["chat.weeks.week_id"], name=op.f("fk_conversation_states_week_id")
        ),
        sa.PrimaryKeyConstraint("state_id", name=op.f("pk_conversation_states")),
        sa.UniqueConstraint("session_id", "week_id", name=op.f("uq_conversation_states_session_id_week_id")),
        schema="chat",
    )
    op.create_index(
        op.f("ix_conversation_states_user_id"),
        "conversation_states",
        ["user_id"],
        unique=False,
        schema="chat",
    )
    op.create_index(
        op.f("ix_conversation_states_week_id"),
        "conversation_states",
        ["week_id"],
        unique=False,
        schema="chat",
    )


def downgrade() -> None:
    for table in ("conversation_states", "question_completions", "user_progress", "turns", "sessions"):
        op.drop_table(table, schema="chat")
