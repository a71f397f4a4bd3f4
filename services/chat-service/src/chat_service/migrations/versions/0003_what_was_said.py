"""What was said in a program, and what was made of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "conversation_messages",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("week_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=True),
        sa.Column("turn_sequence", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("message_text", sa.String(), nullable=False),
        sa.Column("message_type", sa.String(), server_default="text", nullable=False),
        sa.Column("prompt_used_id", sa.Uuid(), nullable=True),
        sa.Column("scenario_classification", sa.String(), nullable=True),
        sa.Column("iteration_number", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "message_type IN ('text', 'voice')", name=op.f("ck_conversation_messages_message_type")
        ),
        sa.CheckConstraint("sender IN ('user', 'nova')", name=op.f("ck_conversation_messages_sender")),
        sa.ForeignKeyConstraint(
            ["prompt_used_id"],
            ["chat.system_prompts.prompt_id"],
            name=op.f("fk_conversation_messages_prompt_used_id"),
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["chat.questions.question_id"], name=op.f("fk_conversation_messages_question_id")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["chat.sessions.session_id"],
            name=op.f("fk_conversation_messages_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["week_id"], ["chat.weeks.week_id"], name=op.f("fk_conversation_messages_week_id")
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_conversation_messages")),
        sa.UniqueConstraint(
            "session_id",
            "turn_sequence",
            "position",
            name=op.f("uq_conversation_messages_session_id_turn_sequence_position"),
        ),
        schema="chat",
    )
    op.create_index(
        op.f("ix_conversation_messages_prompt_used_id"),
        "conversation_messages",
        ["prompt_used_id"],
        unique=False,
        schema="chat",
    )
    op.create_index(
        op.f("ix_conversation_messages_question_id"),
        "conversation_messages",
        ["question_id"],
        unique=False,
        schema="chat",
    )
    op.create_index(
        op.f("ix_conversation_messages_user_id"),
        "conversation_messages",
        ["user_id"],
        unique=False,
        schema="chat",
    )
    op.create_index(
        op.f("ix_conversation_messages_week_id"),
        "conversation_messages",
        ["week_id"],
        unique=False,
        schema="chat",
    )
    op.create_table(
        "user_answers",
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("turn_id", sa.Uuid(), nullable=False),
        sa.Column("answer_text", sa.String(), nullable=False),
        sa.Column("iteration_number", sa.Integer(), nullable=False),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["question_id"], ["chat.questions.question_id"], name=op.f("fk_user_answers_question_id")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["chat.sessions.session_id"],
            name=op.f("fk_user_answers_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["turn_id"], ["chat.turns.turn_id"], name=op.f("fk_user_answers_turn_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("answer_id", name=op.f("pk_user_answers")),
        schema="chat",
    )
    op.create_index(
        op.f("ix_user_answers_question_id"), "user_answers", ["question_id"], unique=False, schema="chat"
    )
    op.create_index(
        op.f("ix_user_answers_session_id"), "user_answers", ["session_id"], unique=False, schema="chat"
    )
    op.create_index(op.f("ix_user_answers_turn_id"), "user_answers", ["turn_id"], unique=False, schema="chat")
    op.create_index(op.f("ix_user_answers_user_id"), "user_answers", ["user_id"], unique=False, schema="chat")
    op.create_table(
        "nova_responses",
        sa.Column("response_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("turn_id", sa.Uuid(), nullable=False),
        sa.Column("response_text", sa.String(), nullable=False),
        sa.Column("prompt_used_id", sa.Uuid(), nullable=True),
        sa.Column("scenario_classification", sa.String(), nullable=True),
        sa.Column("iteration_number", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["prompt_used_id"],
            ["chat.system_prompts.prompt_id"],
            name=op.f("fk_nova_responses_prompt_used_id"),
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["chat.questions.question_id"], name=op.f("fk_nova_responses_question_id")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["chat.sessions.session_id"],
            name=op.f("fk_nova_responses_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["turn_id"], ["chat.turns.turn_id"], name=op.f("fk_nova_responses_turn_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("response_id", name=op.f("pk_nova_responses")),
        schema="chat",
    )
    op.create_index(
        op.f("ix_nova_responses_prompt_used_id"),
        "nova_responses",
        ["prompt_used_id"],
        unique=False,
        schema="chat",
    )
    op.create_index(
        op.f("ix_nova_responses_question_id"), "nova_responses", ["question_id"], unique=False, schema="chat"
    )
    op.create_index(
        op.f("ix_nova_responses_session_id"), "nova_responses", ["session_id"], unique=False, schema="chat"
    )
    op.create_index(
        op.f("ix_nova_responses_turn_id"), "nova_responses", ["turn_id"], unique=False, schema="chat"
    )
    op.create_index(
        op.f("ix_nova_responses_user_id"), "nova_responses", ["user_id"], unique=False, schema="chat"
    )
    op.create_table(
        "validation_logs",
        sa.Column("validation_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("turn_id", sa.Uuid(), nullable=False),
        sa.Column("validation_result", sa.String(), nullable=False),
        sa.Column("missing_items", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("user_responses", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "validation_result IN ('complete', 'incomplete')",
            name=op.f("ck_validation_logs_validation_result"),
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["chat.questions.question_id"], name=op.f("fk_validation_logs_question_id")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["chat.sessions.session_id"],
            name=op.f("fk_validation_logs_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["turn_id"], ["chat.turns.turn_id"], name=op.f("fk_validation_logs_turn_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("validation_id", name=op.f("pk_validation_logs")),
        schema="chat",
    )
    op.create_index(
        op.f("ix_validation_logs_question_id"),
        "validation_logs",
        ["question_id"],
        unique=False,
        schema="chat",
    )
    op.create_index(
        op.f("ix_validation_logs_session_id"), "validation_logs", ["session_id"], unique=False, schema="chat"
    )
    op.create_index(
        op.f("ix_validation_logs_turn_id"), "validation_logs", ["turn_id"], unique=False, schema="chat"
    )
    op.create_index(
        op.f("ix_validation_logs_user_id"), "validation_logs", ["user_id"], unique=False, schema="chat"
    )
    op.create_table(
        "risk_detections",
        sa.Column("detection_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("turn_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("resources_shown", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("detected_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "severity IN ('concern', 'high', 'imminent')", name=op.f("ck_risk_detections_severity")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["chat.sessions.session_id"],
            name=op.f("fk_risk_detections_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["turn_id"], ["chat.turns.turn_id"], name=op.f("fk_risk_detections_turn_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("detection_id", name=op.f("pk_risk_detections")),
        schema="chat",
    )
    op.create_index(
        op.f("ix_risk_detections_detected_at"),
        "risk_detections",
        ["detected_at"],
        unique=False,
        schema="chat",
    )
    op.create_index(
        op.f("ix_risk_detections_session_id"), "risk_detections", ["session_id"], unique=False, schema="chat"
    )
    op.create_index(
        op.f("ix_risk_detections_turn_id"), "risk_detections", ["turn_id"], unique=False, schema="chat"
    )
    op.create_index(
        op.f("ix_risk_detections_user_id"), "risk_detections", ["user_id"], unique=False, schema="chat"
    )


def downgrade() -> None:
    for table in (
        "risk_detections",
        "validation_logs",
        "nova_responses",
        "user_answers",
        "conversation_messages",
    ):
        op.drop_table(table, schema="chat")
