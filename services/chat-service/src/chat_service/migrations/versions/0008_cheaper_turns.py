"""Fewer indexes and foreign keys on the tables that every turn writes.

All changes are to the catalog alone, whatever the size of the tables, except
one partial index on anonymous sessions. Program content can't be deleted any
more, which the dropped foreign keys had prevented only where it was used.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

# Rows of these tables are found by their session; it has their user, and its deletion deletes them.
_INDEXED = {
    "conversation_messages": "user_id week_id question_id prompt_used_id",
    "user_answers": "user_id question_id turn_id",
    "nova_responses": "user_id question_id turn_id prompt_used_id",
    "validation_logs": "user_id question_id turn_id",
    "intent_classifications": "user_id turn_id",
    "question_completions": "user_id question_id",
    "conversation_states": "user_id",
    "user_progress": "user_id",
}
_REFERENCES = {
    "week_id": "weeks (week_id)",
    "question_id": "questions (question_id)",
    "prompt_used_id": "system_prompts (prompt_id)",
    "turn_id": "turns (turn_id) ON DELETE CASCADE",
}
_CONTENT = ("weeks", "questions", "system_prompts")
_KEEP_CONTENT = """
CREATE FUNCTION chat.keep_program_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'published program content is never deleted: sessions refer to it';
END $$
"""
# Pages with free space let PostgreSQL update a row without a new entry in each index.
_FILL_FACTORS = {"sessions": 80, "conversation_states": 70, "user_progress": 80}


def upgrade() -> None:
    for table, column in _references():
        op.drop_constraint(f"fk_{table}_{column}", table, schema="chat", type_="foreignkey")
    for table, columns in _INDEXED.items():
        for column in columns.split():
            op.drop_index(f"ix_{table}_{column}", table_name=table, schema="chat")
    op.execute(_KEEP_CONTENT)
    for table in _CONTENT:
        op.execute(
            f"CREATE TRIGGER keep_{table} BEFORE DELETE ON chat.{table}"
            " FOR EACH ROW EXECUTE FUNCTION chat.keep_program_content()"
        )
    # Each turn changes last_activity and lease_expires_at: an index on them costs an entry in all others.
    op.drop_index("ix_sessions_last_activity", table_name="sessions", schema="chat")
    op.drop_index("ix_sessions_anonymous", table_name="sessions", schema="chat")
    op.create_index(
        "ix_sessions_anonymous",
        "sessions",
        ["created_at"],
        schema="chat",
        postgresql_where=sa.text("anonymous"),
    )
    op.drop_index("ix_turns_lease", table_name="turns", schema="chat")
    for table, percent in _FILL_FACTORS.items():
        op.execute(f"ALTER TABLE chat.{table} SET (fillfactor = {percent})")
    op.alter_column("nova_responses", "response_text", nullable=True, schema="chat")


def downgrade() -> None:
    op.execute(
        "UPDATE chat.nova_responses r SET response_text = m.message_text"
        " FROM chat.conversation_messages m JOIN chat.turns t"
        " ON t.session_id = m.session_id AND t.sequence = m.turn_sequence"
        " WHERE r.response_text IS NULL AND t.turn_id = r.turn_id AND m.position = 1"
    )
    op.alter_column("nova_responses", "response_text", nullable=False, schema="chat")
    for table in _FILL_FACTORS:
        op.execute(f"ALTER TABLE chat.{table} RESET (fillfactor)")
    running = sa.text("status = 'running'")
    op.create_index("ix_turns_lease", "turns", ["lease_expires_at"], schema="chat", postgresql_where=running)
    op.drop_index("ix_sessions_anonymous", table_name="sessions", schema="chat")
    op.create_index(
        "ix_sessions_anonymous",
        "sessions",
        ["last_activity"],
        schema="chat",
        postgresql_where=sa.text("anonymous"),
    )
    op.create_index("ix_sessions_last_activity", "sessions", ["last_activity"], schema="chat")
    for table in _CONTENT:
        op.execute(f"DROP TRIGGER keep_{table} ON chat.{table}")
    op.execute("DROP FUNCTION chat.keep_program_content()")
    for table, columns in _INDEXED.items():
        for column in columns.split():
            op.create_index(f"ix_{table}_{column}", table, [column], schema="chat")
    for table, column in _references():
        op.execute(
            f"ALTER TABLE chat.{table} ADD CONSTRAINT fk_{table}_{column}"
            f" FOREIGN KEY ({column}) REFERENCES chat.{_REFERENCES[column]}"
        )


def _references() -> list[tuple[str, str]]:
    """Tables with the columns whose foreign key goes: to program content, and to the turn."""
    return [
        (table, column)
        for table, columns in _INDEXED.items()
        for column in columns.split()
        if column in _REFERENCES
    ]
