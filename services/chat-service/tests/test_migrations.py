"""What people said before a migration is there after it, in the new form."""

from pathlib import Path
from uuid import uuid4

from alembic import command
from alembic.config import Config
from sqlalchemy import text

import chat_service
from chat_service import tables
from chat_service.programs.content.loader import publish_folder
from cogniflow_dev.testing.databases import committed_database, schema_drift

MIGRATIONS = Path(chat_service.__file__).parent / "migrations"
SPOKEN = """
INSERT INTO chat.sessions (session_id, user_id, program_id, version_id, current_week_id, name)
SELECT :session, :user, v.program_id, v.version_id, w.week_id, 'Maja'
FROM chat.program_versions v JOIN chat.weeks w USING (version_id)
WHERE w.week_number = 1 ORDER BY v.version LIMIT 1;
INSERT INTO chat.conversation_states (state_id, session_id, user_id, week_id, conversation_data,
                                      current_question_number)
SELECT :message, session_id, user_id, current_week_id, '{}', 2 FROM chat.sessions;
INSERT INTO chat.conversation_messages (message_id, session_id, user_id, week_id, turn_sequence, position,
                                        sender, message_text, created_at)
SELECT :message, session_id, user_id, current_week_id, 1, 0, 'user', 'long ago', '2025-11-30T23:59:59Z'
FROM chat.sessions;
"""


def test_messages_and_sessions_move_along(settings):
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["database_url"] = settings.database_url.get_secret_value()
    with committed_database(settings) as database:
        publish_folder(database, settings.content_dir / "programs")
        command.downgrade(config, "0004")
        ids = {name: uuid4() for name in ("session", "user", "message")}
        with database.transaction() as session:
            for statement in SPOKEN.strip().removesuffix(";").split(";\n"):
                session.execute(text(statement), ids)
        command.upgrade(config, "head")
        assert schema_drift(settings, tables.metadata) == []
        with database.transaction() as session:
            where = session.scalar(text("SELECT tableoid::regclass::text FROM conversation_messages"))
            state = session.scalar(text("SELECT fsm_state FROM sessions"))
            labels = session.scalars(text("SELECT label FROM program_labels")).all()
    assert (where, state) == ("conversation_messages_y2025m11", "2")
    assert set(labels) == {"production"}
