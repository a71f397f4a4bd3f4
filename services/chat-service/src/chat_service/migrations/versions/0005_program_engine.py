"""The program engine: labels and experiments, runs of a week, intents, reviews, settings, retention."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

_CHECKS = (
    ("turns", "answered_by", "answered_by IN ('rules', 'model')"),
    ("sessions", "origin", "origin IN ('started', 'legacy')"),
    ("questions", "max_iterations", "max_iterations BETWEEN 1 AND 3"),
    ("risk_detections", "subject", "subject IN ('self', 'other')"),
)
_UNIQUE = {
    "user_progress": ["session_id", "week_id"],
    "question_completions": ["session_id", "question_id"],
    "conversation_states": ["session_id", "week_id"],
}
_ADDED = {
    "user_progress": "run",
    "user_answers": "run",
    "turns": "answered_by fallback queued",
    "system_prompts": "examples next_question",
    "sessions": "experiment_id locale anonymous origin legacy_id start_key fsm_state paused_at",
    "risk_detections": "subject",
    "questions": "step skippable max_iterations keeps choices",
    "question_completions": "run",
    "program_versions": "coach locale anonymous retention published_by",
    "nova_responses": "run",
    "conversation_states": "run is_completed",
    "conversation_messages": "run recording_ref classification_method classification_confidence",
}
_NEW_TABLES = (
    "risk_reviews",
    "intent_classifications",
    "user_responses",
    "session_summaries",
    "program_labels",
    "program_label_moves",
    "experiment_assignments",
    "experiment_arms",
    "experiments",
    "system_settings",
    "system_setting_changes",
    "safety_accesses",
    "retention_runs",
    "legacy_imports",
)
_FILL = (
    """UPDATE chat.sessions s SET fsm_state = c.current_question_number::text FROM chat.conversation_states c
    WHERE c.session_id = s.session_id AND c.week_id = s.current_week_id""",
    """UPDATE chat.conversation_states c SET is_completed = p.is_completed FROM chat.user_progress p
    WHERE p.session_id = c.session_id AND p.week_id = c.week_id""",
    """INSERT INTO chat.program_labels (program_id, label, version_id)
    SELECT DISTINCT ON (program_id) program_id, 'production', version_id FROM chat.program_versions
    ORDER BY program_id, version DESC""",
)


def upgrade() -> None:
    op.create_table(
        "legacy_imports",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("checksum", sa.String(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_legacy_imports")),
        sa.UniqueConstraint("checksum", name=op.f("uq_legacy_imports_checksum")),
        schema="chat",
    )
    op.create_table(
        "retention_runs",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_retention_runs")),
        schema="chat",
    )
    op.create_index(
        op.f("ix_retention_runs_started_at"), "retention_runs", ["started_at"], unique=False, schema="chat"
    )
    op.create_table(
        "safety_accesses",
        sa.Column("access_id", sa.Uuid(), nullable=False),
        sa.Column("reviewer_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("access_id", name=op.f("pk_safety_accesses")),
        schema="chat",
    )
    op.create_index(op.f("ix_safety_accesses_at"), "safety_accesses", ["at"], unique=False, schema="chat")
    op.create_index(
        op.f("ix_safety_accesses_review_id"), "safety_accesses", ["review_id"], unique=False, schema="chat"
    )
    op.create_index(
        op.f("ix_safety_accesses_reviewer_id"),
        "safety_accesses",
        ["reviewer_id"],
        unique=False,
        schema="chat",
    )
    op.create_table(
        "system_setting_changes",
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("setting_key", sa.String(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("old_value", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("new_value", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_system_setting_changes")),
        schema="chat",
    )
    op.create_index(
        op.f("ix_system_setting_changes_changed_at"),
        "system_setting_changes",
        ["changed_at"],
        unique=False,
        schema="chat",
    )
    op.create_index(
        op.f("ix_system_setting_changes_setting_key"),
        "system_setting_changes",
        ["setting_key"],
        unique=False,
        schema="chat",
    )
    op.create_table(
        "system_settings",
        sa.Column("setting_id", sa.Uuid(), nullable=False),
        sa.Column("setting_key", sa.String(), nullable=False),
        sa.Column("setting_value", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("setting_type", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "setting_type IN ('string', 'integer', 'boolean', 'json', 'secret')",
            name=op.f("ck_system_settings_setting_type"),
        ),
        sa.PrimaryKeyConstraint("setting_id", name=op.f("pk_system_settings")),
        sa.UniqueConstraint("setting_key", name=op.f("uq_system_settings_setting_key")),
        schema="chat",
    )
    op.create_table(
        "experiments",
        sa.Column("experiment_id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="running", nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('running', 'stopped')", name=op.f("ck_experiments_status")),
        sa.ForeignKeyConstraint(
            ["program_id"],
            ["chat.programs.program_id"],
            name=op.f("fk_experiments_program_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("experiment_id", name=op.f("pk_experiments")),
        schema="chat",
    )
    op.create_index(
        op.f("ix_experiments_program_id"), "experiments", ["program_id"], unique=False, schema="chat"
    )
    op.create_index(
        "uq_experiments_running",
        "experiments",
        ["program_id", "label"],
        unique=True,
        schema="chat",
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_table(
        "experiment_arms",
        sa.Column("experiment_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.CheckConstraint("weight > 0", name=op.f("ck_experiment_arms_weight")),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["chat.experiments.experiment_id"],
            name=op.f("fk_experiment_arms_experiment_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["chat.program_versions.version_id"], name=op.f("fk_experiment_arms_version_id")
        ),
        sa.PrimaryKeyConstraint("experiment_id", "version_id", name=op.f("pk_experiment_arms")),
        schema="chat",
    )
    op.create_index(
        op.f("ix_experiment_arms_version_id"), "experiment_arms", ["version_id"], unique=False, schema="chat"
    )
    op.create_table(
        "experiment_assignments",
        sa.Column("experiment_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("assigned_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["chat.experiments.experiment_id"],
            name=op.f("fk_experiment_assignments_experiment_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["chat.program_versions.version_id"],
            name=op.f("fk_experiment_assignments_version_id"),
        ),
        sa.PrimaryKeyConstraint("experiment_id", "user_id", name=op.f("pk_experiment_assignments")),
        schema="chat",
    )
    op.create_index(
        op.f("ix_experiment_assignments_user_id"),
        "experiment_assignments",
        ["user_id"],
        unique=False,
        schema="chat",
    )
    op.create_index(
        op.f("ix_experiment_assignments_version_id"),
        "experiment_assignments",
        ["version_id"],
        unique=False,
        schema="chat",
    )
    op.create_table(
        "program_label_moves",
        sa.Column("move_id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("from_version_id", sa.Uuid(), nullable=True),
        sa.Column("to_version_id", sa.Uuid(), nullable=True),
        sa.Column("moved_by", sa.Uuid(), nullable=True),
        sa.Column("moved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["from_version_id"],
            ["chat.program_versions.version_id"],
            name=op.f("fk_program_label_moves_from_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["program_id"],
            ["chat.programs.program_id"],
            name=op.f("fk_program_label_moves_program_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["to_version_id"],
            ["chat.program_versions.version_id"],
            name=op.f("fk_program_label_moves_to_version_id"),
        ),
        sa.PrimaryKeyConstraint("move_id", name=op.f("pk_program_label_moves")),
        schema="chat",
    )
    op.create_index(
        op.f("ix_program_label_moves_from_version_id"),
        "program_label_moves",
        ["from_version_id"],
        unique=False,
        schema="chat",
    )
    op.create_index(
        "ix_program_label_moves_label",
        "program_label_moves",
        ["program_id", "label", "move_id"],
        unique=False,
        schema="chat",
    )
    op.create_index(
        op.f("ix_program_label_moves_to_version_id"),
        "program_label_moves",
        ["to_version_id"],
        unique=False,
        schema="chat",
    )
    op.create_table(
        "program_labels",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("moved_by", sa.Uuid(), nullable=True),
        sa.Column("moved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["program_id"],
            ["chat.programs.program_id"],
            name=op.f("fk_program_labels_program_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["chat.program_versions.version_id"], name=op.f("fk_program_labels_version_id")
        ),
        sa.PrimaryKeyConstraint("program_id", "label", name=op.f("pk_program_labels")),
        schema="chat",
    )
    op.create_index(
        op.f("ix_program_labels_version_id"), "program_labels", ["version_id"], unique=False, schema="chat"
    )
    op.create_table(
        "session_summaries",
        sa.Column("summary_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("summary_type", sa.String(), nullable=False),
        sa.Column("summary_data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("session_version", sa.Integer(), nullable=False),
        sa.Column(
            "generated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint(
            "summary_type IN ('partial', 'complete')", name=op.f("ck_session_summaries_summary_type")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["chat.sessions.session_id"],
            name=op.f("fk_session_summaries_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("summary_id", name=op.f("pk_session_summaries")),
        sa.UniqueConstraint(
            "session_id",
            "summary_type",
            "session_version",
            name=op.f("uq_session_summaries_session_id_summary_type_session_version"),
        ),
        schema="chat",
    )
    op.create_index(
        op.f("ix_session_summaries_user_id"), "session_summaries", ["user_id"], unique=False, schema="chat"
    )
    op.create_table(
        "user_responses",
        sa.Column("response_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("response", sa.String(), nullable=True),
        sa.Column("attempt_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["chat.sessions.session_id"],
            name=op.f("fk_user_responses_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("response_id", name=op.f("pk_user_responses")),
        sa.UniqueConstraint("session_id", "step", name=op.f("uq_user_responses_session_id_step")),
        schema="chat",
    )
    op.create_index(
        op.f("ix_user_responses_user_id"), "user_responses", ["user_id"], unique=False, schema="chat"
    )
    op.create_table(
        "intent_classifications",
        sa.Column("classification_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("turn_id", sa.Uuid(), nullable=False),
        sa.Column("classified_intent", sa.String(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("fsm_state", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "method IN ('distilbert', 'rule_based', 'hybrid')", name=op.f("ck_intent_classifications_method")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["chat.sessions.session_id"],
            name=op.f("fk_intent_classifications_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["turn_id"],
            ["chat.turns.turn_id"],
            name=op.f("fk_intent_classifications_turn_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("classification_id", name=op.f("pk_intent_classifications")),
        schema="chat",
    )
    op.create_index(
        op.f("ix_intent_classifications_session_id"),
        "intent_classifications",
        ["session_id"],
        unique=False,
        schema="chat",
    )
    op.create_index(
        op.f("ix_intent_classifications_turn_id"),
        "intent_classifications",
        ["turn_id"],
        unique=False,
        schema="chat",
    )
    op.create_index(
        op.f("ix_intent_classifications_user_id"),
        "intent_classifications",
        ["user_id"],
        unique=False,
        schema="chat",
    )
    op.create_table(
        "risk_reviews",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("detection_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(), server_default="open", nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("reviewer_id", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'closed') = (outcome IS NOT NULL)", name=op.f("ck_risk_reviews_closed_with_outcome")
        ),
        sa.CheckConstraint(
            "outcome IN ('no_action', 'contacted', 'referred', 'false_alarm')",
            name=op.f("ck_risk_reviews_outcome"),
        ),
        sa.CheckConstraint("status IN ('open', 'closed')", name=op.f("ck_risk_reviews_status")),
        sa.ForeignKeyConstraint(
            ["detection_id"],
            ["chat.risk_detections.detection_id"],
            name=op.f("fk_risk_reviews_detection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_risk_reviews")),
        sa.UniqueConstraint("detection_id", name=op.f("uq_risk_reviews_detection_id")),
        schema="chat",
    )
    op.create_index(
        "ix_risk_reviews_status", "risk_reviews", ["status", "review_id"], unique=False, schema="chat"
    )
    op.add_column(
        "conversation_messages",
        sa.Column("run", sa.Integer(), server_default="1", nullable=False),
        schema="chat",
    )
    op.add_column(
        "conversation_messages", sa.Column("recording_ref", sa.String(), nullable=True), schema="chat"
    )
    op.add_column(
        "conversation_messages", sa.Column("classification_method", sa.String(), nullable=True), schema="chat"
    )
    op.add_column(
        "conversation_messages",
        sa.Column("classification_confidence", sa.Double(), nullable=True),
        schema="chat",
    )
    op.add_column(
        "conversation_states",
        sa.Column("run", sa.Integer(), server_default="1", nullable=False),
        schema="chat",
    )
    op.add_column(
        "conversation_states",
        sa.Column("is_completed", sa.Boolean(), server_default="false", nullable=False),
        schema="chat",
    )
    op.drop_constraint(
        op.f("uq_conversation_states_session_id_week_id"),
        "conversation_states",
        schema="chat",
        type_="unique",
    )
    op.create_unique_constraint(
        op.f("uq_conversation_states_session_id_week_id_run"),
        "conversation_states",
        ["session_id", "week_id", "run"],
        schema="chat",
    )
    op.add_column(
        "nova_responses", sa.Column("run", sa.Integer(), server_default="1", nullable=False), schema="chat"
    )
    op.add_column(
        "program_versions",
        sa.Column("coach", sa.String(), server_default="NOVA", nullable=False),
        schema="chat",
    )
    op.add_column(
        "program_versions",
        sa.Column("locale", sa.String(), server_default="en", nullable=False),
        schema="chat",
    )
    op.add_column(
        "program_versions",
        sa.Column("anonymous", sa.Boolean(), server_default="false", nullable=False),
        schema="chat",
    )
    op.add_column(
        "program_versions",
        sa.Column("retention", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        schema="chat",
    )
    op.add_column("program_versions", sa.Column("published_by", sa.Uuid(), nullable=True), schema="chat")
    op.add_column(
        "question_completions",
        sa.Column("run", sa.Integer(), server_default="1", nullable=False),
        schema="chat",
    )
    op.drop_constraint(
        op.f("uq_question_completions_session_id_question_id"),
        "question_completions",
        schema="chat",
        type_="unique",
    )
    op.create_unique_constraint(
        op.f("uq_question_completions_session_id_question_id_run"),
        "question_completions",
        ["session_id", "question_id", "run"],
        schema="chat",
    )
    op.add_column("questions", sa.Column("step", sa.String(), nullable=True), schema="chat")
    op.add_column(
        "questions",
        sa.Column("skippable", sa.Boolean(), server_default="false", nullable=False),
        schema="chat",
    )
    op.add_column(
        "questions",
        sa.Column("max_iterations", sa.Integer(), server_default="3", nullable=False),
        schema="chat",
    )
    op.add_column("questions", sa.Column("keeps", sa.String(), nullable=True), schema="chat")
    op.add_column(
        "questions",
        sa.Column("choices", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        schema="chat",
    )
    op.add_column(
        "risk_detections",
        sa.Column("subject", sa.String(), server_default="self", nullable=False),
        schema="chat",
    )
    op.add_column("sessions", sa.Column("experiment_id", sa.Uuid(), nullable=True), schema="chat")
    op.add_column(
        "sessions", sa.Column("locale", sa.String(), server_default="en", nullable=False), schema="chat"
    )
    op.add_column(
        "sessions",
        sa.Column("anonymous", sa.Boolean(), server_default="false", nullable=False),
        schema="chat",
    )
    op.add_column(
        "sessions", sa.Column("origin", sa.String(), server_default="started", nullable=False), schema="chat"
    )
    op.add_column("sessions", sa.Column("legacy_id", sa.String(), nullable=True), schema="chat")
    op.add_column("sessions", sa.Column("start_key", sa.String(), nullable=True), schema="chat")
    op.add_column(
        "sessions", sa.Column("fsm_state", sa.String(), server_default="1", nullable=False), schema="chat"
    )
    op.add_column(
        "sessions", sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True), schema="chat"
    )
    op.create_index(
        "ix_sessions_anonymous",
        "sessions",
        ["last_activity"],
        unique=False,
        schema="chat",
        postgresql_where=sa.text("anonymous"),
    )
    op.create_index(
        op.f("ix_sessions_experiment_id"), "sessions", ["experiment_id"], unique=False, schema="chat"
    )
    op.create_index("ix_sessions_last_activity", "sessions", ["last_activity"], unique=False, schema="chat")
    op.create_index(op.f("ix_sessions_legacy_id"), "sessions", ["legacy_id"], unique=False, schema="chat")
    op.create_unique_constraint(
        op.f("uq_sessions_user_id_start_key"), "sessions", ["user_id", "start_key"], schema="chat"
    )
    op.create_foreign_key(
        op.f("fk_sessions_experiment_id"),
        "sessions",
        "experiments",
        ["experiment_id"],
        ["experiment_id"],
        source_schema="chat",
        referent_schema="chat",
        ondelete="SET NULL",
    )
    op.add_column(
        "system_prompts",
        sa.Column("examples", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        schema="chat",
    )
    op.add_column("system_prompts", sa.Column("next_question", sa.Integer(), nullable=True), schema="chat")
    op.add_column(
        "turns", sa.Column("answered_by", sa.String(), server_default="rules", nullable=False), schema="chat"
    )
    op.add_column("turns", sa.Column("fallback", sa.String(), nullable=True), schema="chat")
    op.add_column(
        "turns", sa.Column("queued", sa.Boolean(), server_default="false", nullable=False), schema="chat"
    )
    op.add_column(
        "user_answers", sa.Column("run", sa.Integer(), server_default="1", nullable=False), schema="chat"
    )
    op.add_column(
        "user_progress", sa.Column("run", sa.Integer(), server_default="1", nullable=False), schema="chat"
    )
    op.drop_constraint(
        op.f("uq_user_progress_session_id_week_id"), "user_progress", schema="chat", type_="unique"
    )
    op.create_unique_constraint(
        op.f("uq_user_progress_session_id_week_id_run"),
        "user_progress",
        ["session_id", "week_id", "run"],
        schema="chat",
    )
    for table, name, condition in _CHECKS:
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition, schema="chat")
    for statement in _FILL:
        op.execute(statement)
    op.alter_column("sessions", "fsm_state", server_default=None, schema="chat")


def downgrade() -> None:
    for table, columns in _UNIQUE.items():
        # Dropping `run` below drops the constraint that names it.
        op.create_unique_constraint(None, table, columns, schema="chat")
    op.drop_index("ix_sessions_last_activity", table_name="sessions", schema="chat")
    for table, added in _ADDED.items():
        for column in added.split():
            op.drop_column(table, column, schema="chat")
    for table in _NEW_TABLES:
        op.drop_table(table, schema="chat")
