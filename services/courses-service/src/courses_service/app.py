"""Assembles the courses-service application."""

from fastapi import FastAPI

from cogniflow_kit.application import create_application
from cogniflow_kit.identity import KeySource
from cogniflow_kit.mongo import Mongo
from cogniflow_kit.personal_data import router as people
from cogniflow_kit.redis import Cache, RedisStore
from cogniflow_kit.sql.database import Database
from cogniflow_kit.verification import polling_feed
from courses_service.courses.api import read_router as course_reads_router
from courses_service.courses.api import router as courses
from courses_service.courses.course_copies import CourseCopies
from courses_service.courses.repository import CourseReadRepository
from courses_service.enrollments.api import activity_router as activity
from courses_service.enrollments.api import router as enrollments
from courses_service.imports.api import router as imports
from courses_service.imports.archive_upload import MAX_UPLOAD_BYTES
from courses_service.internal.api import router as internal
from courses_service.lessons.api import router as lessons
from courses_service.personal_data import personal_data
from courses_service.quizzes.api import router as quizzes
from courses_service.settings import Settings

# Enough for the longest lesson with every character escaped.
MAX_BODY_BYTES = 2_000_000


def create_app(
    settings: Settings, *, keys: KeySource | None = None, database: Database | None = None
) -> FastAPI:
    """Build the application. Tests pass `keys` of their own and a `database` that rolls back."""
    database = database or Database(settings.database_url.get_secret_value(), application=settings.service)
    mongo = Mongo(settings.mongo_url.get_secret_value())
    redis = RedisStore(settings.redis_url.get_secret_value(), settings.schema_name)
    course_reads = CourseReadRepository(database)
    copies = CourseCopies(course_reads.states)
    app = create_application(
        settings,
        summary="Courses, lessons, enrollments, progress, quizzes, and imports.",
        routers=[
            course_reads_router,
            courses,
            imports,
            lessons,
            enrollments,
            quizzes,
            internal,
            activity,
            people,
        ],
        stores=[database, mongo, redis],
        keys=keys or polling_feed(settings),
        max_body_bytes=MAX_BODY_BYTES,
        uploads={"/api/courses/import": MAX_UPLOAD_BYTES},
    )
    app.state.database = database
    app.state.mongo = mongo
    app.state.course_reads = course_reads
    app.state.course_copies = copies
    app.state.personal_data = personal_data(database, mongo, copies)
    app.state.cache = Cache(redis)
    return app
