"""Keeps every course's index in step, so that questions needn't wait for it."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chat_service.tutor.courses import CoursesClient
from chat_service.tutor.index import LessonIndex
from cogniflow_kit.jobs import Jobs
from cogniflow_kit.sql.database import Database

FIND_STALE = "find_stale_courses"
INDEX = "index_course"
_IN_HAND = text(
    "SELECT arguments->>'course_id' FROM jobs WHERE name = 'index_course' AND status IN ('queued', 'running')"
)


def find_stale(database: Database, jobs: Jobs, courses: CoursesClient, lessons: LessonIndex) -> None:
    """Have every course indexed that changed since, and forget those that are gone."""
    indexed = lessons.versions()
    present = dict(courses.versions())
    for course_id in indexed.keys() - present.keys():
        lessons.forget(course_id)
    stale = {str(course_id) for course_id, version in present.items() if indexed.get(course_id, 0) < version}
    with database.transaction() as session:
        for stale_id in stale - set(session.scalars(_IN_HAND)):
            jobs.enqueue(session, INDEX, json.dumps({"course_id": stale_id}))


def index(lessons: LessonIndex, arguments: Mapping[str, Any]) -> None:
    lessons.refresh(UUID(arguments["course_id"]))
