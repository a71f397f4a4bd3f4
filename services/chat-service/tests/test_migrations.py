"""What people said before a migration is there after it, in the new form."""

from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.exc import InternalError

import chat_service
from chat_service import tables
from chat_service.programs.coach.engine import CoachEngine
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.content.loader import publish_folder
from chat_service.programs.sessions.sql.sessions import SqlSessionStore
from chat_service.programs.sessions.sql.turns import SqlTurnStore
from chat_service.programs.sessions.store import StartRequest
from chat_service.turns.model import Message
from chat_service.turns.protocol import run_turn
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
REPLIED = """
INSERT INTO turns (turn_id, session_id, sequence, client_message_id, fingerprint, status, epoch)
VALUES (:id, :session, 1, 'before', '', 'completed', 1);
INSERT INTO nova_responses (response_id, session_id, user_id, question_id, turn_id, response_text,
                            iteration_number, created_at)
SELECT :id, session_id, user_id, q.question_id, :id, 'As it was said then.', 1, now() - interval '1 day'
FROM sessions JOIN questions q ON q.week_id = current_week_id AND question_number = 1
WHERE session_id = :session;
"""
OF_A_SESSION = ("turns", "conversation_messages", "user_answers", "nova_responses", "validation_logs",
                "intent_classifications", "conversation_states", "user_progress")  # fmt: skip


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


def test_coach_replies_of_the_release_before_keep_their_text_and_content_can_no_longer_be_deleted(settings):
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["database_url"] = settings.database_url.get_secret_value()
    with committed_database(settings) as database:
        publish_folder(database, settings.content_dir / "programs")
        catalog = Catalog(database)
        command.downgrade(config, "0007")
        sessions, user_id = SqlSessionStore(database, catalog), uuid4()
        session_id = sessions.start(StartRequest(user_id, "Maja"), "driven").session_id
        ids = {"id": uuid4(), "session": session_id}
        with database.transaction() as db:
            for statement in REPLIED.strip().removesuffix(";").split(";\n"):
                db.execute(text(statement), ids)
        command.upgrade(config, "head")
        assert schema_drift(settings, tables.metadata) == []

        message = Message(user_id, session_id, "next", "fingerprint", "A meeting.")
        run_turn(SqlTurnStore(database, catalog), CoachEngine(), message)
        with database.transaction() as db:
            texts = db.scalars(text("SELECT response_text FROM nova_responses ORDER BY created_at")).all()
        assert texts == ["As it was said then.", None]
        for table in ("weeks", "questions", "system_prompts"):
            with pytest.raises(InternalError, match="never deleted"), database.transaction() as db:
                db.execute(text(f"DELETE FROM {table}"))
        with database.transaction() as db:
            db.execute(text("DELETE FROM sessions"))
            counts = {name: db.scalar(text(f"SELECT count(*) FROM {name}")) for name in OF_A_SESSION}
        assert counts == dict.fromkeys(OF_A_SESSION, 0)
