"""`python -m chat_service.worker`: indexes lessons, ends broken turns, relays facts, clears up."""

from datetime import timedelta
from typing import Any

import structlog

from chat_service.platform.retention.jobs import CLEAR_UP, TEND_MONTHS, clear_up_now, tend_months
from chat_service.platform.settings.reader import SettingsReader
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.sessions.sql.turns import SqlTurnStore
from chat_service.settings import Settings
from chat_service.turns.model import TurnStore
from chat_service.turns.protocol import reap
from chat_service.tutor.courses import CoursesClient
from chat_service.tutor.index import LessonIndex
from chat_service.tutor.jobs import FIND_STALE, INDEX, find_stale, index
from chat_service.tutor.turn_store import COLLECTION, TutorTurnStore
from cogniflow_kit.clients import ServiceClient
from cogniflow_kit.jobs import Jobs, Schedule
from cogniflow_kit.mongo import Mongo, MongoOutbox
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.outbox import SqlOutbox
from cogniflow_kit.worker import Worker

log = structlog.stdlib.get_logger(__name__)

REAP_PROGRAMS = "reap_program_turns"
REAP_TUTOR = "reap_tutor_turns"


def build(settings: Settings) -> Worker:
    """Two reapers, so that one store's outage doesn't keep the other's turns waiting."""
    database = Database(settings.database_url.get_secret_value(), application="chat-worker")
    mongo = Mongo(settings.mongo_url.get_secret_value())
    configuration = SettingsReader(database, settings.vault)
    jobs = Jobs(database, settings.redis_url.get_secret_value(), settings.schema_name)
    courses = CoursesClient(ServiceClient(settings, "courses-service", settings.courses_url))
    lessons = LessonIndex(database, courses)
    program_turns, tutor_turns = SqlTurnStore(database, Catalog(database)), TutorTurnStore(mongo)
    jobs.handler(REAP_PROGRAMS, lambda _: _reap(program_turns))
    jobs.handler(REAP_TUTOR, lambda _: _reap(tutor_turns))
    jobs.handler(CLEAR_UP, lambda _: clear_up_now(database, configuration))
    jobs.handler(TEND_MONTHS, lambda _: tend_months(database, configuration))
    jobs.handler(FIND_STALE, lambda _: find_stale(database, jobs, courses, lessons))
    jobs.handler(INDEX, lambda arguments: index(lessons, arguments))
    return Worker(
        settings,
        database,
        jobs,
        outboxes=[SqlOutbox(database), MongoOutbox(mongo.collection(COLLECTION))],
        schedules=[
            Schedule(REAP_PROGRAMS, timedelta(seconds=30)),
            Schedule(REAP_TUTOR, timedelta(seconds=30)),
            Schedule(FIND_STALE, timedelta(minutes=1)),
            Schedule(CLEAR_UP, timedelta(hours=1)),
            Schedule(TEND_MONTHS, timedelta(days=1)),
        ],
    )


def _reap(store: TurnStore[Any, Any, Any]) -> None:
    failed = reap(store)
    if failed:
        log.warning("turns broke off", store=type(store).__name__, count=failed)


if __name__ == "__main__":
    build(Settings()).main()
