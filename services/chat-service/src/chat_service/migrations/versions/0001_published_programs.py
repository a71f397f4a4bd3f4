"""Programs as published, and the tables every service has."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "key", name=op.f("pk_idempotency_keys")),
        schema="chat",
    )
    op.create_index(
        op.f("ix_idempotency_keys_created_at"),
        "idempotency_keys",
        ["created_at"],
        unique=False,
        schema="chat",
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
        schema="chat",
    )
    op.create_index(
        "ix_jobs_open",
        "jobs",
        ["due_at"],
        unique=False,
        schema="chat",
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )
    op.create_index("uq_jobs_name_slot", "jobs", ["name", "slot"], unique=True, schema="chat")
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rejected", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        schema="chat",
    )
    op.create_index(op.f("ix_outbox_delivered_at"), "outbox", ["delivered_at"], unique=False, schema="chat")
    op.create_index(
        "ix_outbox_pending",
        "outbox",
        ["id"],
        unique=False,
        schema="chat",
        postgresql_where=sa.text("delivered_at IS NULL AND rejected IS NULL"),
    )
    op.create_table(
        "programs",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("program_id", name=op.f("pk_programs")),
        sa.UniqueConstraint("slug", name=op.f("uq_programs_slug")),
        schema="chat",
    )
    op.create_table(
        "program_versions",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("checksum", sa.String(), nullable=False),
        sa.Column(
            "published_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["program_id"],
            ["chat.programs.program_id"],
            name=op.f("fk_program_versions_program_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_program_versions")),
        sa.UniqueConstraint("program_id", "version", name=op.f("uq_program_versions_program_id_version")),
        schema="chat",
    )
    op.create_table(
        "weeks",
        sa.Column("week_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("week_number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("video_content", sa.String(), nullable=False),
        sa.Column("exercise_content", sa.String(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default="true", nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["chat.program_versions.version_id"],
            name=op.f("fk_weeks_version_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("week_id", name=op.f("pk_weeks")),
        sa.UniqueConstraint("version_id", "week_number", name=op.f("uq_weeks_version_id_week_number")),
        schema="chat",
    )
    op.create_table(
        "questions",
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("week_id", sa.Uuid(), nullable=False),
        sa.Column("question_number", sa.Integer(), nullable=False),
        sa.Column("question_text", sa.String(), nullable=False),
        sa.Column("question_type", sa.String(), nullable=False),
        sa.Column("requires_followup", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "question_type IN ('open_ended', 'yes_no', 'multiple_choice')",
            name=op.f("ck_questions_question_type"),
        ),
        sa.ForeignKeyConstraint(
            ["week_id"], ["chat.weeks.week_id"], name=op.f("fk_questions_week_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("question_id", name=op.f("pk_questions")),
        sa.UniqueConstraint("week_id", "question_number", name=op.f("uq_questions_week_id_question_number")),
        schema="chat",
    )
    op.create_table(
        "system_prompts",
        sa.Column("prompt_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("prompt_type", sa.String(), nullable=False),
        sa.Column("scenario_name", sa.String(), nullable=True),
        sa.Column("prompt_text", sa.String(), nullable=False),
        sa.Column("response_text", sa.String(), nullable=False),
        sa.Column("conditions", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["question_id"],
            ["chat.questions.question_id"],
            name=op.f("fk_system_prompts_question_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("prompt_id", name=op.f("pk_system_prompts")),
        sa.UniqueConstraint(
            "question_id", "prompt_type", name=op.f("uq_system_prompts_question_id_prompt_type")
        ),
        schema="chat",
    )
    op.create_table(
        "week_content_blocks",
        sa.Column("content_id", sa.Uuid(), nullable=False),
        sa.Column("week_id", sa.Uuid(), nullable=False),
        sa.Column("block_name", sa.String(), nullable=False),
        sa.Column("content_text", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["week_id"],
            ["chat.weeks.week_id"],
            name=op.f("fk_week_content_blocks_week_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("content_id", name=op.f("pk_week_content_blocks")),
        sa.UniqueConstraint("week_id", "block_name", name=op.f("uq_week_content_blocks_week_id_block_name")),
        schema="chat",
    )


def downgrade() -> None:
    for table in (
        "week_content_blocks",
        "system_prompts",
        "questions",
        "weeks",
        "program_versions",
        "programs",
        "outbox",
        "jobs",
        "idempotency_keys",
    ):
        op.drop_table(table, schema="chat")
