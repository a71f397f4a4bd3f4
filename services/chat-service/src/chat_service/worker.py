"""`python -m chat_service.worker`: indexes lessons, fails dead turns, delivers events, deletes old data."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from chat_service.indexes import AI_CONVERSATIONS
from chat_service.platform.retention.deletion import delete_expired
from chat_service.platform.retention.partitions import maintain_months
from chat_service.platform.settings.dependencies import build_settings_reader
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.sessions.sql.turns import SqlTurnStore
from chat_service.settings import Settings
from chat_service.turns.model import TurnStore
from chat_service.turns.protocol import reap
from chat_service.tutor.dependencies import build_courses_client
from chat_service.tutor.lesson_index import INDEX_COURSE, LessonIndex
from chat_service.tutor.turn_store import TutorTurnStore
from cogniflow_kit.jobs import Jobs, Schedule
from cogniflow_kit.mongo import Mongo, MongoOutbox
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.outbox import SqlOutbox
from cogniflow_kit.worker import Worker

log = structlog.stdlib.get_logger(__name__)

REAP_PROGRAMS = "reap_program_turns"
REAP_TUTOR = "reap_tutor_turns"
FIND_STALE = "find_stale_courses"
DELETE_EXPIRED = "clear_up"
MAINTAIN_MONTHS = "tend_months"


def build_worker(settings: Settings) -> Worker:
    """Build the worker. Each store has its own reaper, so that an outage of one does not delay the other."""
    database = Database(settings.database_url.get_secret_value(), application="chat-worker")
    mongo = Mongo(settings.mongo_url.get_secret_value())
    settings_reader = build_settings_reader(settings, database)
    jobs = Jobs(database, settings.redis_url.get_secret_value(), settings.schema_name)
    lessons = LessonIndex(database, build_courses_client(settings))
    program_turns, tutor_turns = SqlTurnStore(database, Catalog(database)), TutorTurnStore(mongo)
    jobs.handler(REAP_PROGRAMS, lambda _: _reap(program_turns))
    jobs.handler(REAP_TUTOR, lambda _: _reap(tutor_turns))
    jobs.handler(DELETE_EXPIRED, lambda _: delete_expired(database, settings_reader))
    jobs.handler(MAINTAIN_MONTHS, lambda _: maintain_months(database, settings_reader))
    jobs.handler(FIND_STALE, lambda _: lessons.enqueue_stale(jobs))
    jobs.handler(INDEX_COURSE, lambda arguments: lessons.refresh(UUID(arguments["course_id"])))
    return Worker(
        settings,
        database,
        jobs,
        outboxes=[SqlOutbox(database), MongoOutbox(mongo.collection(AI_CONVERSATIONS))],
        schedules=[
            Schedule(REAP_PROGRAMS, timedelta(seconds=30)),
            Schedule(REAP_TUTOR, timedelta(seconds=30)),
            Schedule(FIND_STALE, timedelta(minutes=1)),
            Schedule(DELETE_EXPIRED, timedelta(hours=1)),
            Schedule(MAINTAIN_MONTHS, timedelta(days=1)),
        ],
    )


def _reap(store: TurnStore[Any, Any, Any, Any]) -> None:
    failed = reap(store)
    if failed:
        log.warning("turns failed, their process died", store=type(store).__name__, count=failed)


if __name__ == "__main__":
    build_worker(Settings()).main()
