"""Stores the bundled courses as demo data."""

from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from cogniflow_kit.sql.database import Database
from courses_service.content.repository import insert_content
from courses_service.demo.course_files import read_course_folder
from courses_service.tables import Course

log = structlog.stdlib.get_logger(__name__)

_DEMO_NAMESPACE = "https://cogniflow.invalid/demo/"


def demo_id(name: str) -> UUID:
    """The id of a demo object: the same on every installation, so that services agree without a call."""
    return uuid5(NAMESPACE_URL, _DEMO_NAMESPACE + name)


DEMO_INSTRUCTOR = demo_id("instructor")


def load_demo_courses(database: Database, content_dir: Path) -> None:
    """Insert missing courses. A course that exists stays unchanged, with its instructor's edits."""
    for course_file in sorted((content_dir / "courses").glob("*/course.yaml")):
        with database.transaction() as db:
            _insert_if_missing(db, course_file.parent)


def _insert_if_missing(db: Session, folder: Path) -> None:
    slug, content = read_course_folder(folder)
    inserted_id = db.scalars(
        insert(Course)
        .values(
            id=demo_id(f"courses/{slug}"),
            slug=slug,
            title=content.title,
            description=content.description,
            language=content.language,
            instructor_id=DEMO_INSTRUCTOR,
            status="published",
        )
        .on_conflict_do_nothing()
        .returning(Course.id)
    ).first()
    if inserted_id is not None:
        insert_content(db, inserted_id, content)
        log.info("demo course loaded", slug=slug)
