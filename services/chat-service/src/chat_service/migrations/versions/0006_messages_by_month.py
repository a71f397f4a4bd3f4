"""conversation_messages in monthly partitions.

The table is made anew, since PostgreSQL can't partition one in place. What
was said so far moves along, into a partition for each of its months. What
belongs to no month's partition goes to the default one, so that no message
is ever refused.
"""

from alembic import op

revision = "0006"
down_revision = "0005"

_COLUMNS = (
    "message_id, created_at, session_id, user_id, week_id, question_id, run, turn_sequence, position, sender,"
    " message_text, message_type, recording_ref, prompt_used_id, scenario_classification,"
    " classification_method, classification_confidence, iteration_number"
)
_REFERENCES = {
    "session_id": "sessions (session_id) ON DELETE CASCADE",
    "week_id": "weeks (week_id)",
    "question_id": "questions (question_id)",
    "prompt_used_id": "system_prompts (prompt_id)",
}
_INDEXED = ("user_id", "week_id", "question_id", "prompt_used_id")
_CHECKS = {"sender": "sender IN ('user', 'nova')", "message_type": "message_type IN ('text', 'voice')"}
_MONTHS = """
DO $$
DECLARE month timestamptz;
BEGIN
    FOR month IN
        SELECT generate_series(date_trunc('month', coalesce(min(created_at), now()), 'UTC'),
                               date_trunc('month', now(), 'UTC') + interval '3 months', interval '1 month')
        FROM chat.conversation_messages_before
    LOOP
        EXECUTE format('CREATE TABLE chat.%I PARTITION OF chat.conversation_messages'
                       ' FOR VALUES FROM (%L) TO (%L)',
                       'conversation_messages_' || to_char(month AT TIME ZONE 'UTC', '"y"YYYY"m"MM'),
                       month, month + interval '1 month');
    END LOOP;
END $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL timezone = 'UTC'")
    _replace("PARTITION BY RANGE (created_at)", "PRIMARY KEY (message_id, created_at)")
    op.execute(
        "CREATE INDEX ix_conversation_messages_order"
        " ON chat.conversation_messages (session_id, turn_sequence, position)"
    )
    op.execute(
        "CREATE TABLE chat.conversation_messages_default PARTITION OF chat.conversation_messages DEFAULT"
    )
    op.execute(_MONTHS)
    _move()


def downgrade() -> None:
    _replace("", "PRIMARY KEY (message_id)")
    op.execute(
        "ALTER TABLE chat.conversation_messages"
        " ADD CONSTRAINT uq_conversation_messages_session_id_turn_sequence_position"
        " UNIQUE (session_id, turn_sequence, position)"
    )
    _move()


def _replace(partitioning: str, primary_key: str) -> None:
    op.execute("ALTER TABLE chat.conversation_messages RENAME TO conversation_messages_before")
    for name in ("order", *_INDEXED):
        op.execute(f"DROP INDEX IF EXISTS chat.ix_conversation_messages_{name}")
    op.execute(
        "ALTER TABLE chat.conversation_messages_before DROP CONSTRAINT pk_conversation_messages CASCADE"
    )
    op.execute(
        "CREATE TABLE chat.conversation_messages"
        " (LIKE chat.conversation_messages_before INCLUDING DEFAULTS,"
        f" CONSTRAINT pk_conversation_messages {primary_key}) {partitioning}"
    )
    for column, target in _REFERENCES.items():
        op.execute(
            f"ALTER TABLE chat.conversation_messages ADD CONSTRAINT fk_conversation_messages_{column}"
            f" FOREIGN KEY ({column}) REFERENCES chat.{target}"
        )
    for name, condition in _CHECKS.items():
        op.execute(
            "ALTER TABLE chat.conversation_messages"
            f" ADD CONSTRAINT ck_conversation_messages_{name} CHECK ({condition})"
        )
    for column in _INDEXED:
        op.execute(f"CREATE INDEX ix_conversation_messages_{column} ON chat.conversation_messages ({column})")


def _move() -> None:
    op.execute(
        f"INSERT INTO chat.conversation_messages ({_COLUMNS})"
        f" SELECT {_COLUMNS} FROM chat.conversation_messages_before"
    )
    op.execute("DROP TABLE chat.conversation_messages_before")
